#include "log/scanner.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "log/words.h"

namespace tracefp {

namespace {

// Masks are made for so many bytes at a time: they stay in the first cache, and a scan that ends early lost little.
constexpr size_t kPieceBytes = 8192;
constexpr size_t kPieceBlocks = kPieceBytes / kBlockBytes;

constexpr Shape kResumedBegin("<... ***");
constexpr Shape kResumedEnd("resumed>");

// Of the question marks in the block at `at` those that are a result that strace does not know: `= ?`.
uint64_t unknown_results(const uint8_t* data, size_t at, uint64_t questions) {
  uint64_t found = 0;
  for (; questions != 0; questions &= questions - 1) {
    const size_t place = at + static_cast<unsigned>(std::countr_zero(questions));
    if (place >= 2 && data[place - 1] == ' ' && data[place - 2] == '=') found |= questions & -questions;
  }
  return found;
}

bool is_name_byte(uint8_t byte) {
  return static_cast<uint8_t>((byte | 0x20) - 'a') < 26 || static_cast<uint8_t>(byte - '0') < 10 || byte == '_';
}

// `--- SIGALRM {...} ---`, `+++ exited with 0 +++` or anything else.
bool is_of_thread(const uint8_t* at) { return memcmp(at, "--- ", 4) == 0 || memcmp(at, "+++ ", 4) == 0; }

bool is_name(const NameWords& name) {
  uint8_t text[sizeof(name.words)];
  memcpy(text, name.words, sizeof(text));
  if (name.length == 0 || static_cast<uint8_t>(text[0] - '0') < 10) return false;
  return std::all_of(text, text + name.length, is_name_byte);
}

}  // namespace

enum class LogScanner::LineKind : uint8_t {
  // Its thread enters an ordinary call, and no more.
  kCall,
  // An ordinary call returns, and nothing follows from it.
  kReturn,
  // A call whose name is not in the table, which has room.
  kNewName,
  // Something about one thread.
  kOfThread,
  // Something about the log, or not understood.
  kOther,
};

struct LogScanner::Line {
  // kHeadBytes are readable here; they need not lie in the scanned bytes.
  const uint8_t* head;
  const uint8_t* end;  // the line feed
  size_t length;
  bool has_unknown_result;
};

namespace {

// What a result ends in: a digit, a hexadecimal digit, a bracket.
struct EndTable {
  bool is_result[256] = {};
  constexpr EndTable() {
    for (const char byte : {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', ')', '>'})
      is_result[static_cast<uint8_t>(byte)] = true;
  }
};
constexpr EndTable kEnds;

// False for lines in whose middle something else was written: `wait4(5929, strace: Process 5929 attached`.
bool has_result(const uint8_t* end) {
  const bool is_attached = end[-1] == 'd' && end[-2] == 'e';
  return kEnds.is_result[end[-1]] & !is_attached;
}

}  // namespace

LogScanner::LogScanner(Simd simd) : masks_(mask_function(simd)) {}

void LogScanner::set_prefix(const Prefix& prefix) {
  prefix_ = prefix;
  has_prefix_ = true;
  threads_.set_all_pending();
}

bool LogScanner::add_name(uint8_t mode, const char* name, size_t length, const Meaning& meaning) {
  return names_.add(mode, name, length, meaning);
}

void LogScanner::set_mode(uint32_t tid, uint8_t mode) { threads_.set_mode(tid, mode); }

// Calls and returns come in no order, so that what is alike in both is done without asking which it is.
LogScanner::LineKind LogScanner::classify(const Line& line, uint32_t* tid, const Meaning** meaning) const {
  *tid = 0;
  if (!has_prefix_ || line.length > kLongLineBytes) return LineKind::kOther;
  const uint8_t* const at = skip_prefix(line.head, prefix_, tid);
  if (at == nullptr) return LineKind::kOther;
  const bool is_return = kResumedBegin.fits(load_word(at));
  const uint8_t* const text = at + (is_return ? 5 : 0);
  NameWords name;
  if (!read_name(text, is_return ? ' ' : '(', &name)) return is_of_thread(at) ? LineKind::kOfThread : LineKind::kOther;
  *meaning = names_.find(threads_.mode_of(*tid), name);
  if (*meaning == nullptr) {
    if (is_return) return LineKind::kOfThread;
    if (is_name(name) && !names_.is_full()) return LineKind::kNewName;
    return is_of_thread(at) ? LineKind::kOfThread : LineKind::kOther;
  }
  const uint64_t after = load_word(text + name.length + 1);
  const bool is_resumed = !is_return | kResumedEnd.fits(after);
  const bool is_ordinary = (*meaning)->kind == NameKind::kOrdinary;
  // A name was found in it, so the line has two bytes before its end.
  if (is_resumed & is_ordinary & !line.has_unknown_result & has_result(line.end))
    return is_return ? LineKind::kReturn : LineKind::kCall;
  return is_ordinary && !line.has_unknown_result ? LineKind::kOther : LineKind::kOfThread;
}

ScanResult LogScanner::scan(const uint8_t* data, size_t size, LogEntry* entries, size_t capacity) {
  ScanResult result{};
  uint64_t feeds[kPieceBlocks];
  uint64_t questions[kPieceBlocks];
  bool has_unknown_result = false;

  // True: the scan goes on.
  const auto take = [&](size_t end) {
    if (result.entries == capacity) return false;
    const size_t start = result.consumed;
    Line line{data + start, data + end, end - start, has_unknown_result};
    uint8_t copy[kHeadBytes];
    if (size - start < kHeadBytes) {
      memset(copy, 0, sizeof(copy));
      memcpy(copy, data + start, size - start);
      line.head = copy;
    }
    uint32_t tid;
    const Meaning* meaning = nullptr;
    const LineKind kind = classify(line, &tid, &meaning);
    if (prefix_.pid == PidForm::kBracket && was_without_tid_ != (tid == 0)) {
      was_without_tid_ = tid == 0;
      threads_.set_all_pending();
    }
    const uint32_t number = result.lines++;
    const auto offset = static_cast<uint32_t>(start);
    result.consumed = end + 1;
    has_unknown_result = false;
    if (kind <= LineKind::kReturn && threads_.is_plain(tid)) {
      entries[result.entries] = {tid, meaning->nr, offset, number | static_cast<uint32_t>(meaning->abi) << 24};
      result.entries += kind == LineKind::kCall;
      return true;
    }
    switch (kind) {
      case LineKind::kCall:
        threads_.set_plain(tid);
        break;
      case LineKind::kReturn:
        break;
      case LineKind::kNewName:
      case LineKind::kOfThread:
        threads_.set_pending(tid);
        break;
      case LineKind::kOther:
        threads_.set_all_pending();
        break;
    }
    entries[result.entries++] = {static_cast<uint32_t>(line.length), 0, offset, number | kLineEntry << 24};
    return kind != LineKind::kNewName && !threads_.has_modes();
  };

  for (size_t piece = 0; piece < size; piece += kPieceBytes) {
    const size_t bytes = std::min(kPieceBytes, size - piece);
    masks_(data + piece, bytes, feeds, questions);
    for (size_t block = 0; block * kBlockBytes < bytes; block++) {
      const size_t at = piece + block * kBlockBytes;
      uint64_t unknown = questions[block] == 0 ? 0 : unknown_results(data, at, questions[block]);
      for (uint64_t feed = feeds[block]; feed != 0; feed &= feed - 1) {
        const uint64_t before = (feed & -feed) - 1;
        has_unknown_result |= (unknown & before) != 0;
        unknown &= ~before;
        if (!take(at + static_cast<unsigned>(std::countr_zero(feed)))) return result;
      }
      has_unknown_result |= unknown != 0;
    }
  }
  result.is_done = true;
  return result;
}

}  // namespace tracefp
