// Eight bytes of text at a time: byte 0 of the text is the low byte of the word.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace tracefp {

static_assert(std::endian::native == std::endian::little);

inline uint64_t load_word(const uint8_t* text) {
  uint64_t word;
  memcpy(&word, text, sizeof(word));
  return word;
}

// The word of eight characters.
constexpr uint64_t word_of(const char (&text)[9]) {
  uint64_t word = 0;
  for (unsigned i = 0; i < 8; i++) word |= static_cast<uint64_t>(static_cast<uint8_t>(text[i])) << 8 * i;
  return word;
}

inline uint16_t load_half(const uint8_t* text) {
  uint16_t half;
  memcpy(&half, text, sizeof(half));
  return half;
}

constexpr uint16_t half_of(const char (&text)[3]) {
  return static_cast<uint16_t>(static_cast<uint8_t>(text[0]) | static_cast<uint8_t>(text[1]) << 8);
}

constexpr uint64_t repeated(char byte) { return uint64_t{0x0101010101010101} * static_cast<uint8_t>(byte); }

// The high bit of each byte of `word` that equals the byte repeated in `pattern`. Exact: no carry runs from byte to
// byte.
inline uint64_t equal_bytes(uint64_t word, uint64_t pattern) {
  constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  const uint64_t difference = word ^ pattern;
  return ~(((difference & kLow) + kLow) | difference | kLow);
}

// How many of the first characters are digits.
inline unsigned leading_digits(uint64_t word) {
  constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  const uint64_t value = word ^ repeated('0');
  const uint64_t others = (((value & kLow) + repeated(0x80 - 10)) | value) & ~kLow;
  return static_cast<unsigned>(std::countr_zero(others)) / 8;
}

// The number in the first `length` characters, 1 to 8 digits.
inline uint32_t decimal_value(uint64_t word, unsigned length) {
  uint64_t value = (word << (64 - 8 * length)) & 0x0f0f0f0f0f0f0f0f;
  value = (value * 10 + (value >> 8)) & 0x00ff00ff00ff00ff;
  value = (value * 100 + (value >> 16)) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(value * 10000 + (value >> 32));
}

// Which of eight characters are what. `pattern` has '0' where a digit is due, '*' where anything may
// stand, and the character itself elsewhere.
class Shape {
 public:
  explicit constexpr Shape(const char (&pattern)[9]) {
    for (unsigned i = 0; i < 8; i++) {
      const bool is_digit = pattern[i] == '0';
      if (pattern[i] == '*') continue;
      fixed_ |= static_cast<uint64_t>(is_digit ? 0xf0 : 0xff) << 8 * i;
      expected_ |= static_cast<uint64_t>(static_cast<uint8_t>(pattern[i])) << 8 * i;
      if (is_digit) {
        digits_ |= uint64_t{0xf0} << 8 * i;
        six_ |= uint64_t{0x06} << 8 * i;
      }
    }
  }

  bool fits(uint64_t word) const {
    // 0x3a to 0x3f leave the row of the digits when 6 is added; no byte overflows into the next.
    return (word & fixed_) == expected_ && ((word + six_) & digits_) == (expected_ & digits_);
  }

 private:
  uint64_t fixed_ = 0;
  uint64_t expected_ = 0;
  uint64_t digits_ = 0;
  uint64_t six_ = 0;
};

}  // namespace tracefp
