#include "log/result.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string_view>

namespace tracefp {

namespace {

constexpr Shape kUnfinishedBegin("<unfinis");
constexpr Shape kUnfinishedEnd("hed ...>");
constexpr std::string_view kDetached = "<detached ...>";

bool is_digit(uint8_t byte) { return static_cast<uint8_t>(byte - '0') < 10; }

// The last `length` bytes before `end`, at most seven, are digits. The line has eight bytes.
bool are_digits(const uint8_t* end, ptrdiff_t length) {
  return leading_digits(load_word(end - 8) >> (64 - 8 * length)) == static_cast<size_t>(length);
}

// `3</etc/hosts>`: behind it; null when it does not end, or is what strace writes when it lets a call go.
const uint8_t* skip_target(const uint8_t* at, const uint8_t* end) {
  if (end - at == std::ssize(kDetached) && memcmp(at, kDetached.data(), kDetached.size()) == 0) return nullptr;
  for (at++; at < end; at++) {
    if (*at == '>') return at + 1;
    if (*at == '<' || *at == '\x1b') return nullptr;
  }
  return nullptr;
}

// What may follow a value: an error and its text, flags in words.
bool is_comment(const uint8_t* at, const uint8_t* end) {
  // Of calls that the kernel repeats more is to be told.
  if (end - at > 5 && at[1] == 'E' && at[2] == 'R' && at[3] == 'E' && at[4] == 'S') return false;
  for (; at < end; at++)
    if (*at == '<' || *at == '>' || *at == '\r' || *at == '\x1b') return false;
  return true;
}

bool is_value(const uint8_t* at, const uint8_t* end) {
  // Most are: a count, a descriptor, 0.
  if (end - at < 8 && end > at && are_digits(end, end - at)) return true;
  if (*at == '-') at++;
  if (!is_digit(*at)) return false;
  if (at[0] == '0' && at[1] == 'x' && at[-1] != '-') {
    const uint8_t* const start = at + 2;
    for (at = start; is_digit(*at) || static_cast<uint8_t>(*at - 'a') < 6;) at++;
    if (at == start) return false;
  } else {
    while (is_digit(*at)) at++;
  }
  if (at >= end) return at == end;
  if (end[-1] == '>') end = before_duration(at, end);
  if (*at == '<') at = skip_target(at, end);
  if (at == nullptr) return false;
  return at == end || (*at == ' ' && is_comment(at, end));
}

}  // namespace

bool is_unfinished(const uint8_t* begin, const uint8_t* end) {
  return end - begin >= 16 && kUnfinishedEnd.fits(load_word(end - 8)) && kUnfinishedBegin.fits(load_word(end - 16));
}

bool is_behind_call(const uint8_t* arguments, const uint8_t* equals) {
  const uint64_t others = load_word(equals - 8) ^ repeated(' ');
  const uint8_t* at = equals - 1 - std::countl_zero(others) / 8;
  if (others == 0)
    while (at > arguments && *at == ' ') at--;
  return at >= arguments && at < equals - 1 && *at == ')';
}

const uint8_t* before_duration(const uint8_t* begin, const uint8_t* end) {
  const uint8_t* at = end - 1;
  const uint8_t* last = at;
  while (at > begin && is_digit(at[-1])) at--;
  if (at == last || at == begin || at[-1] != '.') return end;
  last = --at;
  while (at > begin && is_digit(at[-1])) at--;
  if (at == last || at - begin < 2 || at[-1] != '<' || at[-2] != ' ') return end;
  return at - 2;
}

ResultKind result_of(const uint8_t* begin, const uint8_t* arguments, const uint8_t* end, const uint8_t* equals) {
  if (is_unfinished(begin, end)) return ResultKind::kUnfinished;
  if (equals == nullptr || equals - begin < 8 || equals <= arguments || !is_behind_call(arguments, equals))
    return ResultKind::kOther;
  return is_value(equals + 2, end) ? ResultKind::kValue : ResultKind::kOther;
}

}  // namespace tracefp
