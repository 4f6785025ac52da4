// The prefix of one line as a pattern: lines of one log differ in their digits and in little else, so that most
// prefixes fit the one before. A line that fits has the prefix that the pattern was made of, with other digits; nothing
// in a prefix depends on which digits they are, but that a pid begins with no 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/prefix.h"

namespace tracefp {

constexpr size_t kShapeBytes = 64;

struct alignas(64) PrefixShape {
  // Byte i fits where byte - low[i] is at most span[i]; past the prefix every byte does.
  uint8_t low[kShapeBytes] = {};
  uint8_t span[kShapeBytes] = {};
  uint32_t length = 0;      // 0: there is none. It fits zeros, which begin no name
  uint32_t tid_at = 0;      // where the tid stands
  uint32_t tid_digits = 1;  // how long it is
  uint32_t tid_mask = 0;    // 0: there is no tid; else all bits
};

// Of the prefix of `length` bytes at `line`, which skip_prefix() read.
inline PrefixShape shape_of(const uint8_t* line, size_t length, PidForm form) {
  PrefixShape shape;
  if (length == 0 || length > kShapeBytes) return shape;
  const bool is_bracket = line[0] == '[' && line[1] == 'p';
  if (form == PidForm::kColumn || is_bracket) {
    const uint8_t* const tid = is_bracket ? skip_spaces(line + 5) : line;
    shape.tid_at = static_cast<uint32_t>(tid - line);
    shape.tid_digits = leading_digits(load_word(tid));
    shape.tid_mask = ~uint32_t{0};
  }
  for (size_t i = 0; i < kShapeBytes; i++) {
    const bool is_first = i == 0 || i == shape.tid_at;
    if (i >= length) {
      shape.span[i] = 0xff;
    } else if (is_digit(line[i]) && !(is_first && line[i] == '0')) {
      shape.low[i] = is_first ? '1' : '0';
      shape.span[i] = is_first ? 8 : 9;
    } else {
      shape.low[i] = line[i];
    }
  }
  shape.length = static_cast<uint32_t>(length);
  return shape;
}

}  // namespace tracefp
