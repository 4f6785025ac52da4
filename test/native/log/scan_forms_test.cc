// What each form says of 64 bytes, held against a loop over them: the blocks are known in their own file only.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "log/scanner.h"
#include "log/simd.h"

#define scan_function scan_function_of_blocks
#include "log/scan_forms.cc"
#undef scan_function

using namespace tracefp;

namespace {

using Bytes = std::array<uint8_t, 64>;

// The bit of each byte of which `is` holds.
template <typename Is>
uint64_t bits_where(const Bytes& bytes, Is is) {
  uint64_t bits = 0;
  for (size_t i = 0; i < bytes.size(); i++) bits |= static_cast<uint64_t>(is(bytes[i], i)) << i;
  return bits;
}

uint8_t distance(uint8_t byte, uint8_t low) { return static_cast<uint8_t>(byte - low); }

// Each byte alone at each place, beside bytes that a compare with signs, a carry or a borrow would take for it; and
// any.
std::vector<Bytes> hostile_blocks() {
  std::vector<Bytes> blocks;
  for (const uint8_t around : {0x00, 0x01, 0x7f, 0x80, 0x81, 0xff, 0x0a, 0x20, 0x30, 0x39, 0x3a}) {
    for (unsigned byte = 0; byte < 256; byte++) {
      Bytes& bytes = blocks.emplace_back();
      bytes.fill(around);
      bytes[byte % 64] = static_cast<uint8_t>(byte);
      bytes[(byte + 1) % 64] = static_cast<uint8_t>(byte ^ 0x80);
      bytes[(byte + 9) % 64] = static_cast<uint8_t>(byte + 1);
    }
  }
  std::mt19937 random(5);
  for (int i = 0; i < 2000; i++)
    for (uint8_t& byte : blocks.emplace_back()) byte = static_cast<uint8_t>(random() % (i % 2 == 0 ? 256 : 4));
  return blocks;
}

template <typename Block>
void check_equal() {
  std::mt19937 random(6);
  size_t differences = 0;
  for (const Bytes& bytes : hostile_blocks()) {
    const Block block(bytes.data());
    for (const uint8_t wanted : {uint8_t{'\n'}, uint8_t{' '}, uint8_t{0}, bytes[random() % 64], bytes[random() % 64]}) {
      const uint64_t expected = bits_where(bytes, [&](uint8_t byte, size_t) { return byte == wanted; });
      differences += block.equal(static_cast<char>(wanted)) != expected;
    }
  }
  CHECK(differences == 0);
}

template <typename Block>
void check_ranges() {
  std::mt19937 random(7);
  size_t differences = 0;
  for (const Bytes& bytes : hostile_blocks()) {
    const Block block(bytes.data());
    for (const auto& [low, span] : {std::pair<uint8_t, uint8_t>{'0', 9},
                                    {'a', 5},
                                    {0xf0, 0x20},
                                    {0x80, 0x7f},
                                    {0, 0xff},
                                    {bytes[random() % 64], 0},
                                    {static_cast<uint8_t>(random()), static_cast<uint8_t>(random())}}) {
      const uint64_t expected =
          bits_where(bytes, [low = low, span = span](uint8_t byte, size_t) { return distance(byte, low) <= span; });
      differences += block.between(static_cast<char>(low), span) != expected;
    }
    const auto wanted = static_cast<char>(bytes[random() % 64]);
    for (size_t at = 0; at <= 32; at += 8) {
      const auto expected =
          static_cast<uint32_t>(bits_where(bytes, [&](uint8_t byte, size_t) { return byte == uint8_t(wanted); }) >> at);
      differences += Block::equal_32(bytes.data() + at, wanted) != expected;
    }
  }
  CHECK(differences == 0);
}

// Where all fit, and where one byte is just outside, at each place.
template <typename Block>
void check_fits() {
  std::mt19937 random(8);
  size_t wrong = 0;
  for (int round = 0; round < 200; round++) {
    Bytes low{}, span{}, bytes{};
    for (size_t i = 0; i < bytes.size(); i++) {
      low[i] = static_cast<uint8_t>(random());
      span[i] = static_cast<uint8_t>(round % 4 == 0 ? 9 : random());
      const unsigned above = random() % 3 == 0 ? span[i] : random() % (span[i] + 1u);
      bytes[i] = static_cast<uint8_t>(low[i] + above);
    }
    wrong += !Block(bytes.data()).fits(low.data(), span.data());
    for (size_t i = 0; i < bytes.size(); i++) {
      if (span[i] == 0xff) continue;
      Bytes other = bytes;
      for (const unsigned above : {span[i] + 1u, 0xffu}) {
        other[i] = static_cast<uint8_t>(low[i] + above);
        wrong += Block(other.data()).fits(low.data(), span.data());
      }
    }
  }
  CHECK(wrong == 0);
}

template <typename First, typename Last>
void check_bits(First first_bit, Last last_bit) {
  CHECK(first_bit(0) == 64);
  for (unsigned i = 0; i < 64; i++) {
    for (unsigned j = i; j < 64; j++) {
      const uint64_t mask = uint64_t{1} << i | uint64_t{1} << j;
      if (first_bit(mask) != i || last_bit(mask) != j) FAIL_CHECK(i << " and " << j);
    }
  }
}

}  // namespace

TEST_CASE("words of eight bytes say which of 64 are a byte") {
  check_equal<portable::Block>();
  CHECK(portable::first_bit(0) == 64);
}

#define TRACEFP_TEST_FORM(form, simd)                                                                           \
  TEST_CASE("blocks of " #form " say of 64 bytes what a loop over them does" * doctest::skip(!can_run(simd))) { \
    check_equal<form::Block>();                                                                                 \
    check_ranges<form::Block>();                                                                                \
    check_fits<form::Block>();                                                                                  \
    check_bits([](uint64_t mask) { return form::first_bit(mask); },                                             \
               [](uint64_t mask) { return form::last_bit(mask); });                                             \
  }

#if defined(__x86_64__)
TRACEFP_TEST_FORM(sse2, Simd::kSse2)
TRACEFP_TEST_FORM(avx2, Simd::kAvx2)
TRACEFP_TEST_FORM(avx512, Simd::kAvx512)
#elif defined(__aarch64__)
TRACEFP_TEST_FORM(neon, Simd::kNeon)
#endif
