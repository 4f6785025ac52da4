// What stands before the call in a line of strace. Which of the fields a log has depends on the options strace was run
// with and is the same for all of its lines; their order is fixed: pid, absolute time, relative time,
// instruction pointer. What is taken here, src/source/log/strace-line.ts takes too, and for the same; not the
// other way round. Lines with the number of the call (-n) are not: there it depends on the number which call it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "log/words.h"

namespace tracefp {

enum class PidForm : uint8_t {
  kColumn,   // `6324  `, with -o; `6324<comm> ` with -Y
  kBracket,  // `[pid  6324] `, on a terminal, or nothing: while there is only one process, without -f, and with -ff
};

enum class TimeForm : uint8_t {
  kNone,
  kClock,  // `03:12:48 ` or `03:12:48.112836 `
  kEpoch,  // `1795403568.296479 `
};

struct Prefix {
  PidForm pid = PidForm::kColumn;
  TimeForm time = TimeForm::kNone;
  bool has_delta = false;    // -r: `     0.000205 `, or `(+     0.000205) ` after an absolute time
  bool has_pointer = false;  // -i: `[00007f43c6a21ad7] ` or `[????????????????] `
};

// So many bytes must be readable from where a line begins, whatever its length: no prefix and name is longer.
constexpr uint32_t kHeadBytes = 256;

// The line's beginning where that many bytes can be read: itself, or a copy of the `left` that there are.
inline const uint8_t* readable_head(const uint8_t* begin, size_t left, uint8_t (&copy)[kHeadBytes]) {
  if (left >= kHeadBytes) return begin;
  memset(copy, 0, sizeof(copy));
  memcpy(copy, begin, left);
  return copy;
}

// Longer fields than strace writes are left to the reader in TypeScript. Together with the longest name they keep
// within kHeadBytes.
constexpr int kDigitsLimit = 9;
constexpr int kPaddingLimit = 12;
constexpr int kCommLimit = 32;

constexpr uint32_t kMaxPid = 4'194'304;

inline constexpr Shape kClock("00:00:00");
inline constexpr Shape kMicroseconds(".000000 ");

inline bool is_digit(uint8_t byte) { return static_cast<uint8_t>(byte - '0') < 10; }

inline const uint8_t* skip_spaces(const uint8_t* at) {
  for (int i = 0; i < kPaddingLimit && *at == ' '; i++) at++;
  return at;
}

// At least one digit and at most `limit`; null otherwise.
inline const uint8_t* skip_digits(const uint8_t* at, int limit) {
  const uint8_t* const start = at;
  while (at - start < limit && is_digit(*at)) at++;
  return at == start || is_digit(*at) ? nullptr : at;
}

// `.123456` or nothing.
inline const uint8_t* skip_fraction(const uint8_t* at) { return *at == '.' ? skip_digits(at + 1, kDigitsLimit) : at; }

inline const uint8_t* skip_byte(const uint8_t* at, char byte) {
  return at != nullptr && *at == static_cast<uint8_t>(byte) ? at + 1 : nullptr;
}

// A pid begins with no 0.
inline const uint8_t* read_pid(const uint8_t* at, uint32_t* tid) {
  const uint64_t word = load_word(at);
  const unsigned length = leading_digits(word);
  if (length == 0 || length == 8 || *at == '0') return nullptr;
  *tid = decimal_value(word, length);
  return *tid <= kMaxPid ? at + length : nullptr;
}

// `<comm>` or nothing. Names that hold brackets are left to others.
inline const uint8_t* skip_comm(const uint8_t* at) {
  if (at == nullptr || *at != '<') return at;
  const uint8_t* const start = ++at;
  while (at - start < kCommLimit && *at != '<' && *at != '>' && *at != '\n') at++;
  return skip_byte(at, '>');
}

// A line without pid that begins with a number which could be one is read by others.
inline bool may_begin_with_pid(const uint8_t* at) {
  const unsigned length = leading_digits(load_word(at));
  return length == 8 ? *at == '0' : length > 0 && (at[length] == ' ' || at[length] == '<');
}

inline const uint8_t* skip_pid(const uint8_t* at, PidForm form, uint32_t* tid) {
  *tid = 0;
  if (form == PidForm::kColumn) {
    at = skip_byte(skip_comm(read_pid(at, tid)), ' ');
    return at == nullptr ? nullptr : skip_spaces(at);
  }
  if (at[0] == '[' && at[1] == 'p' && at[2] == 'i' && at[3] == 'd' && at[4] == ' ')
    return skip_byte(skip_byte(skip_comm(read_pid(skip_spaces(at + 5), tid)), ']'), ' ');
  return may_begin_with_pid(at) ? nullptr : at;
}

inline const uint8_t* skip_time(const uint8_t* at, TimeForm form) {
  switch (form) {
    case TimeForm::kNone:
      return at;
    case TimeForm::kClock:
      if (!kClock.fits(load_word(at))) return nullptr;
      if (kMicroseconds.fits(load_word(at + 8))) return at + 16;
      at = skip_fraction(at + 8);
      return skip_byte(at, ' ');
    case TimeForm::kEpoch:
      at = skip_digits(at, 12);
      return at == nullptr ? nullptr : skip_byte(skip_fraction(at), ' ');
  }
  return nullptr;
}

inline const uint8_t* skip_delta(const uint8_t* at, bool has_time) {
  if (has_time) {
    if (at[0] != '(' || at[1] != '+') return nullptr;
    at += 2;
  }
  at = skip_digits(skip_spaces(at), kDigitsLimit);
  if (at == nullptr) return nullptr;
  at = skip_fraction(at);
  if (has_time) at = skip_byte(at, ')');
  return skip_byte(at, ' ');
}

// 8 or 16 digits, or as many question marks.
inline const uint8_t* skip_pointer(const uint8_t* at) {
  if (*at != '[') return nullptr;
  const uint8_t* const start = ++at;
  if (*at == '?') {
    while (at - start < 16 && *at == '?') at++;
  } else {
    while (at - start < 16 && (is_digit(*at) || static_cast<uint8_t>(*at - 'a') < 6)) at++;
  }
  if (at - start != 8 && at - start != 16) return nullptr;
  return skip_byte(skip_byte(at, ']'), ' ');
}

// The first byte after the prefix of the line at `line`, or null when the prefix is not of this form. `tid` is 0 where
// the line says none.
inline const uint8_t* skip_prefix(const uint8_t* line, const Prefix& prefix, uint32_t* tid) {
  const uint8_t* at = skip_pid(line, prefix.pid, tid);
  if (at != nullptr) at = skip_time(at, prefix.time);
  if (at != nullptr && prefix.has_delta) at = skip_delta(at, prefix.time != TimeForm::kNone);
  if (at != nullptr && prefix.has_pointer) at = skip_pointer(at);
  return at;
}

}  // namespace tracefp
