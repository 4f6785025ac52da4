#include "log/scanner.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "log/result.h"
#include "log/words.h"

namespace tracefp {

namespace {

// Masks are made for so many bytes at a time: they stay in the first cache, and a scan that ends early lost little.
constexpr size_t kPieceBytes = 8192;
constexpr size_t kPieceBlocks = kPieceBytes / kBlockBytes;

// A result further from the end of its line is left to others: so where blocks begin makes no difference.
constexpr size_t kResultBlocks = 2;
constexpr ptrdiff_t kResultBytes = kResultBlocks * kBlockBytes;

constexpr Shape kResumedBegin("<... ***");
constexpr Shape kResumedEnd("resumed>");
constexpr size_t kResumedBeginBytes = 5;
constexpr size_t kResumedEndBytes = 8;

bool is_name_byte(uint8_t byte) {
  return static_cast<uint8_t>((byte | 0x20) - 'a') < 26 || static_cast<uint8_t>(byte - '0') < 10 || byte == '_';
}

bool is_name(const NameWords& name) {
  uint8_t text[sizeof(name.words)];
  memcpy(text, name.words, sizeof(text));
  if (name.length == 0 || static_cast<uint8_t>(text[0] - '0') < 10) return false;
  return std::all_of(text, text + name.length, is_name_byte);
}

// The last of the signs that a space follows, in a block and those before it; null when there is none. `at` is where
// the block begins, `before` are the bits of it that count. Blocks before the scanned bytes have no signs.
const uint8_t* last_before_space(const uint8_t* at, const uint64_t* equals, uint64_t before) {
  uint64_t signs = *equals & before;
  for (size_t i = 0;; i++) {
    for (; signs != 0; signs &= ~(uint64_t{1} << 63 >> std::countl_zero(signs))) {
      const uint8_t* const sign = at + 63 - std::countl_zero(signs);
      if (sign[1] == ' ') return sign;
    }
    if (i == kResultBlocks) return nullptr;
    at -= kBlockBytes;
    signs = *--equals;
  }
}

}  // namespace

struct LogScanner::Line {
  const uint8_t* begin;
  const uint8_t* end;     // the line feed
  const uint8_t* equals;  // as result_of takes it; it may stand before the line
  const uint8_t* head;    // as `begin`, or a copy of which kHeadBytes are readable
};

LogScanner::LogScanner(Simd simd) : masks_(mask_function(simd)) {}

void LogScanner::set_prefix(const Prefix& prefix) {
  prefix_ = prefix;
  has_prefix_ = true;
}

bool LogScanner::set_name(const char* name, size_t length, uint16_t number) { return names_.set(name, length, number); }

// False: the line holds a name that is worth adding. Calls and returns come in no order, so that what is alike in both
// is done without asking which it is.
bool LogScanner::read(const Line& line, LogEntry* entry) const {
  entry->kind = EntryKind::kLine;
  const uint8_t* const at = skip_prefix(line.head, prefix_, &entry->tid);
  if (at == nullptr) return true;
  const bool is_return = kResumedBegin.fits(load_word(at));
  const uint8_t* const text = at + (is_return ? kResumedBeginBytes : 0);
  NameWords name;
  if (!read_name(text, is_return ? ' ' : '(', &name)) return true;
  entry->name = names_.find(name);
  if (entry->name >= kNoName) return entry->name == kSpecialName || is_return || names_.is_full() || !is_name(name);
  const uint8_t* const behind = text + name.length + 1;
  if (is_return && !kResumedEnd.fits(load_word(behind))) return true;
  const uint8_t* const arguments = line.begin + (behind - line.head) + (is_return ? kResumedEndBytes : 0);
  // Lines of files that were on Windows.
  const uint8_t* const end = line.end - (line.end[-1] == '\r' ? 1 : 0);
  const ResultKind result = result_of(line.begin, arguments, end, line.equals);
  if (result == ResultKind::kOther || (is_return && result == ResultKind::kUnfinished)) return true;
  entry->arguments = static_cast<uint16_t>(arguments - line.begin);
  if (result == ResultKind::kValue) entry->value = static_cast<uint16_t>(line.equals + 2 - line.begin);
  entry->kind = is_return                      ? EntryKind::kReturn
                : result == ResultKind::kValue ? EntryKind::kCall
                                               : EntryKind::kUnfinished;
  return true;
}

ScanResult LogScanner::scan(const uint8_t* data, size_t size, LogEntry* entries, size_t capacity) const {
  ScanResult result;
  uint64_t feeds[kPieceBlocks];
  // Begins with the last blocks of the piece before.
  uint64_t equals[kResultBlocks + kPieceBlocks] = {};

  for (size_t piece = 0; piece < size; piece += kPieceBytes) {
    const size_t bytes = std::min(kPieceBytes, size - piece);
    std::copy_n(equals + kPieceBlocks, kResultBlocks, equals);
    masks_(data + piece, bytes, feeds, equals + kResultBlocks);
    for (size_t block = 0; block * kBlockBytes < bytes; block++) {
      const uint8_t* const at = data + piece + block * kBlockBytes;
      for (uint64_t feed = feeds[block]; feed != 0; feed &= feed - 1) {
        if (result.entries == capacity) return result;
        Line line{data + result.consumed, at + std::countr_zero(feed), nullptr, data + result.consumed};
        LogEntry& entry = entries[result.entries++];
        entry = {0, static_cast<uint32_t>(result.consumed), 0, 0, 0, EntryKind::kLine};
        result.lines++;
        result.consumed = static_cast<size_t>(line.end - data) + 1;
        if (!has_prefix_ || static_cast<size_t>(line.end - line.begin) > kLongLineBytes) continue;
        line.equals = last_before_space(at, equals + kResultBlocks + block, (feed & -feed) - 1);
        if (line.equals != nullptr && line.end - line.equals > kResultBytes) line.equals = nullptr;
        uint8_t copy[kHeadBytes];
        const auto left = static_cast<size_t>(data + size - line.begin);
        if (left < kHeadBytes) {
          memset(copy, 0, sizeof(copy));
          memcpy(copy, line.begin, left);
          line.head = copy;
        }
        if (!read(line, &entry)) return result;
      }
    }
  }
  result.is_done = true;
  return result;
}

}  // namespace tracefp
