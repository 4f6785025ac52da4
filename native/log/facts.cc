#include "log/facts.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "log/result.h"
#include "log/words.h"

namespace tracefp {

namespace {

using Text = std::string_view;

constexpr Text kExitedBegin = "+++ exited with ";
constexpr Text kExitedEnd = " +++";
constexpr Text kSignalBegin = "--- ";
constexpr Text kSignalEnd = " ---";

// Numbers of so many digits are the same as doubles.
constexpr size_t kDecimalLimit = 15;
constexpr size_t kHexLimit = 13;

bool read_decimal(Text text, double* value) {
  if (text.empty() || text.size() > kDecimalLimit || (text.size() > 1 && text[0] == '0')) return false;
  uint64_t number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    number = 10 * number + static_cast<uint64_t>(digit - '0');
  }
  *value = static_cast<double>(number);
  return true;
}

// `0x7f860f031000`
bool read_hex(Text text, double* value) {
  if (!text.starts_with("0x") || text.size() == 2 || text.size() > 2 + kHexLimit) return false;
  uint64_t number = 0;
  for (const char digit : text.substr(2)) {
    const bool is_letter = digit >= 'a' && digit <= 'f';
    if (!is_letter && (digit < '0' || digit > '9')) return false;
    number = number << 4 | static_cast<uint64_t>(is_letter ? digit - 'a' + 10 : digit - '0');
  }
  *value = static_cast<double>(number);
  return true;
}

// `-1 ENOENT (No such file or directory)`. ERESTARTSYS and others like it are none: the call is made again.
bool is_failure(Text text) {
  constexpr Text kBegin = "-1 E";
  if (!text.starts_with(kBegin) || !text.ends_with(")")) return false;
  text.remove_prefix(kBegin.size());
  if (text.starts_with("RES")) return false;
  size_t at = 0;
  while (at < text.size() && ((text[at] >= 'A' && text[at] <= 'Z') || is_digit(static_cast<uint8_t>(text[at])))) at++;
  return text.substr(at).starts_with(" (") && text.find_first_of("<>") == Text::npos;
}

// The number in `0`, `0x1f`, `?` and nothing else, or a failure.
bool read_value(Text text, LineFacts* facts) {
  if (text == "?") facts->flags = kFactOfUnknown;
  if (is_failure(text)) facts->flags = kFactOfFailed;
  return facts->flags != 0 || read_decimal(text, &facts->value) || read_hex(text, &facts->value);
}

bool read_exited(Text body, LineFacts* facts) {
  if (!body.starts_with(kExitedBegin) || !body.ends_with(kExitedEnd)) return false;
  const size_t length = body.size() - kExitedEnd.size();
  if (length <= kExitedBegin.size()) return false;
  facts->kind = FactKind::kExited;
  return read_decimal(body.substr(kExitedBegin.size(), length - kExitedBegin.size()), &facts->value);
}

// `head` is the line's beginning, of which kHeadBytes are readable; `body` begins at `at` in it.
bool read_signal(const NameTable& names, const uint8_t* at, Text body, LineFacts* facts) {
  NameWords name;
  if (!body.starts_with(kSignalBegin) || !body.ends_with(kSignalEnd)) return false;
  if (!read_name(at + kSignalBegin.size(), ' ', &name)) return false;
  const size_t behind = kSignalBegin.size() + name.length;
  const size_t end = body.size() - kSignalEnd.size();
  if (behind > end) return false;
  const Text signal = body.substr(kSignalBegin.size(), name.length);
  if (!signal.starts_with("SIG") || signal.size() == 3 || signal.find('?') != Text::npos) return false;
  const Text details = body.substr(behind, end - behind);
  if (!details.empty() && (details.size() < 3 || !details.starts_with(" {") || !details.ends_with("}"))) return false;
  facts->kind = FactKind::kSignal;
  facts->word = names.word_of(name);
  return facts->word != 0;
}

}  // namespace

LineFacts facts_of(const LogForm& form, const uint8_t* begin, const uint8_t* end, size_t left) {
  LineFacts facts;
  const auto length = static_cast<size_t>(end - begin);
  // Colours, line breaks of other systems.
  if (!form.has_prefix || length > kLongLineBytes || memchr(begin, '\x1b', length) != nullptr ||
      memchr(begin, '\r', length) != nullptr)
    return {};
  uint8_t copy[kHeadBytes];
  const uint8_t* const head = readable_head(begin, left, copy);
  const uint8_t* const at = skip_prefix(head, form.prefix, &facts.tid);
  if (at == nullptr || static_cast<size_t>(at - head) >= length) return {};
  facts.length = static_cast<uint32_t>(length);
  const auto body_at = static_cast<size_t>(at - head);
  const Text body(reinterpret_cast<const char*>(begin) + body_at, length - body_at);
  if (*at == '+') return read_exited(body, &facts) ? facts : LineFacts{};
  if (*at == '-') return read_signal(form.names, at, body, &facts) ? facts : LineFacts{};

  const bool is_return = kResumedBegin.fits(load_word(at));
  const uint8_t* const text = at + (is_return ? kResumedBeginBytes : 0);
  NameWords name;
  if (!read_name(text, is_return ? ' ' : '(', &name)) return {};
  facts.word = form.names.word_of(name);
  const uint8_t* const behind = text + name.length + 1;
  if (facts.word == 0 || (is_return && !kResumedEnd.fits(load_word(behind)))) return {};
  const uint8_t* const arguments = begin + (behind - head) + (is_return ? kResumedEndBytes : 0);
  if (arguments > end) return {};
  facts.arguments = static_cast<uint32_t>(arguments - begin);
  if (is_unfinished(begin, end)) {
    facts.kind = FactKind::kUnfinished;
    return is_return ? LineFacts{} : facts;
  }
  const uint8_t* const sign = last_sign(begin, end);
  if (sign == nullptr || sign - begin < 8 || sign <= arguments || !is_behind_call(arguments, sign)) return {};
  const uint8_t* const value = sign + 2;
  const uint8_t* const value_end = end[-1] == '>' && value < end ? before_duration(value, end) : end;
  const Text digits(reinterpret_cast<const char*>(value), static_cast<size_t>(value_end - value));
  facts.kind = is_return ? FactKind::kReturn : FactKind::kCall;
  return value <= value_end && read_value(digits, &facts) ? facts : LineFacts{};
}

}  // namespace tracefp
