#include "log/line.h"

#include <algorithm>
#include <cstring>

#include "log/result.h"
#include "log/words.h"

namespace tracefp {

namespace {

bool is_name(const NameWords& name) {
  uint8_t text[sizeof(name.words)];
  memcpy(text, name.words, sizeof(text));
  if (name.length == 0 || static_cast<uint8_t>(text[0] - '0') < 10) return false;
  return std::all_of(text, text + name.length, is_name_byte);
}

// Lines are rarely unlike the one before; where two prefixes alternate, it is not learned from each.
void learn_shape(LogForm& form, const uint8_t* line, size_t length) {
  PrefixShape& shape = form.shapes[leading_digits(load_word(line))];
  if (shape.length == 0 || ++form.misfits % 8 == 0) shape = shape_of(line, length, form.prefix.pid);
}

}  // namespace

const uint8_t* last_sign(const uint8_t* begin, const uint8_t* end) {
  const uint8_t* const first = end - std::min(end - begin, kResultBytes);
  const uint8_t* at = end;
  while (at - first >= 8) {
    at -= 8;
    for (uint64_t signs = equal_bytes(load_word(at), repeated('=')); signs != 0;) {
      const int bit = 63 - std::countl_zero(signs);
      if (at[bit / 8 + 1] == ' ') return at + bit / 8;
      signs ^= uint64_t{1} << bit;
    }
  }
  while (at > first)
    if (*--at == '=' && at[1] == ' ') return at;
  return nullptr;
}

bool read_line(LogForm& form, const uint8_t* begin, const uint8_t* end, size_t left, LogEntry* entry) {
  entry->kind = EntryKind::kLine;
  if (!form.has_prefix || static_cast<size_t>(end - begin) > kLongLineBytes) return true;
  uint8_t copy[kHeadBytes];
  const uint8_t* const head = readable_head(begin, left, copy);
  const uint8_t* const at = skip_prefix(head, form.prefix, &entry->tid);
  if (at == nullptr) return true;
  // Calls and returns come in no order, so that what is alike in both is done without asking which it is.
  const bool is_return = kResumedBegin.fits(load_word(at));
  const uint8_t* const text = at + (is_return ? kResumedBeginBytes : 0);
  NameWords name;
  if (!read_name(text, is_return ? ' ' : '(', &name)) return true;
  entry->name = form.names.find(name);
  if (entry->name >= kNoName) return entry->name == kSpecialName || is_return || form.names.is_full() || !is_name(name);
  learn_shape(form, head, static_cast<size_t>(at - head));
  const uint8_t* const behind = text + name.length + 1;
  if (is_return && !kResumedEnd.fits(load_word(behind))) return true;
  const uint8_t* const arguments = begin + (behind - head) + (is_return ? kResumedEndBytes : 0);
  // Lines of files that were on Windows.
  const uint8_t* const last = end - (end[-1] == '\r' ? 1 : 0);
  const uint8_t* const sign = last_sign(begin, end);
  const ResultKind result = result_of(begin, arguments, last, sign);
  if (result == ResultKind::kOther || (is_return && result == ResultKind::kUnfinished)) return true;
  entry->arguments = static_cast<uint16_t>(arguments - begin);
  if (result == ResultKind::kValue) entry->value = static_cast<uint16_t>(sign + 2 - begin);
  entry->kind = is_return                      ? EntryKind::kReturn
                : result == ResultKind::kValue ? EntryKind::kCall
                                               : EntryKind::kUnfinished;
  return true;
}

}  // namespace tracefp
