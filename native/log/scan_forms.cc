// The forms of the scanner: the same text, scan.inc, over blocks of 64 bytes that each set of instructions looks at in
// its way.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "log/line.h"
#include "log/scanner.h"
#include "log/words.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tracefp {

namespace {

constexpr size_t kBlockBytes = 64;

// What most forms have for this; others have instructions.
inline unsigned plain_first_bit(uint64_t mask) { return static_cast<unsigned>(std::countr_zero(mask)); }
inline unsigned plain_last_bit(uint64_t mask) { return static_cast<unsigned>(63 - std::countl_zero(mask)); }

namespace portable {

constexpr auto first_bit = plain_first_bit;

// High bits of eight bytes -> eight bits; byte 0 gives bit 0.
inline uint64_t gather(uint64_t high_bits) { return (high_bits >> 7) * 0x0102040810204080 >> 56; }

class Block {
 public:
  explicit Block(const uint8_t* text) : text_(text) {}

  uint64_t equal(char byte) const {
    const uint64_t pattern = repeated(byte);
    uint64_t bits = 0;
    for (unsigned i = 0; i < kBlockBytes / 8; i++) {
      const uint64_t found = equal_bytes(load_word(text_ + 8 * i), pattern);
      // Most words hold none.
      if (found != 0) bits |= gather(found) << 8 * i;
    }
    return bits;
  }

 private:
  const uint8_t* text_;
};

#define TRACEFP_WORDS
#include "log/scan.inc"
#undef TRACEFP_WORDS

}  // namespace portable

#if defined(__x86_64__)

namespace sse2 {

constexpr auto first_bit = plain_first_bit;
constexpr auto last_bit = plain_last_bit;

class Block {
 public:
  explicit Block(const uint8_t* text) {
    for (int i = 0; i < 4; i++) parts_[i] = load(text + 16 * i);
  }

  uint64_t equal(char byte) const {
    const __m128i wanted = _mm_set1_epi8(byte);
    return mask([&](int i) { return _mm_cmpeq_epi8(parts_[i], wanted); });
  }

  uint64_t between(char low, uint8_t span) const {
    const __m128i lows = _mm_set1_epi8(low);
    const __m128i spans = _mm_set1_epi8(static_cast<char>(span));
    return mask([&](int i) {
      const __m128i above = _mm_sub_epi8(parts_[i], lows);
      return _mm_cmpeq_epi8(_mm_min_epu8(above, spans), above);
    });
  }

  bool fits(const uint8_t* low, const uint8_t* span) const {
    __m128i all = _mm_set1_epi8(-1);
    for (int i = 0; i < 4; i++) {
      const __m128i above = _mm_sub_epi8(parts_[i], load(low + 16 * i));
      all = _mm_and_si128(all, _mm_cmpeq_epi8(_mm_min_epu8(above, load(span + 16 * i)), above));
    }
    return _mm_movemask_epi8(all) == 0xffff;
  }

  static uint32_t equal_32(const uint8_t* text, char byte) {
    const __m128i wanted = _mm_set1_epi8(byte);
    const auto low = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(load(text), wanted)));
    const auto high = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(load(text + 16), wanted)));
    return low | high << 16;
  }

 private:
  static __m128i load(const uint8_t* text) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text)); }

  template <typename Of>
  static uint64_t mask(Of of) {
    uint64_t bits = 0;
    for (int i = 3; i >= 0; i--) bits = bits << 16 | static_cast<uint32_t>(_mm_movemask_epi8(of(i)));
    return bits;
  }

  __m128i parts_[4];
};

#include "log/scan.inc"

}  // namespace sse2

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt")
#endif

namespace avx2 {

inline unsigned first_bit(uint64_t mask) { return static_cast<unsigned>(_tzcnt_u64(mask)); }
inline unsigned last_bit(uint64_t mask) { return 63 - static_cast<unsigned>(_lzcnt_u64(mask)); }

class Block {
 public:
  explicit Block(const uint8_t* text) : low_(load(text)), high_(load(text + 32)) {}

  uint64_t equal(char byte) const {
    const __m256i wanted = _mm256_set1_epi8(byte);
    return mask(_mm256_cmpeq_epi8(low_, wanted), _mm256_cmpeq_epi8(high_, wanted));
  }

  uint64_t between(char low, uint8_t span) const {
    const __m256i lows = _mm256_set1_epi8(low);
    const __m256i spans = _mm256_set1_epi8(static_cast<char>(span));
    return mask(at_most(_mm256_sub_epi8(low_, lows), spans), at_most(_mm256_sub_epi8(high_, lows), spans));
  }

  bool fits(const uint8_t* low, const uint8_t* span) const {
    const __m256i first = at_most(_mm256_sub_epi8(low_, load(low)), load(span));
    const __m256i second = at_most(_mm256_sub_epi8(high_, load(low + 32)), load(span + 32));
    return _mm256_movemask_epi8(_mm256_and_si256(first, second)) == -1;
  }

  static uint32_t equal_32(const uint8_t* text, char byte) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(text), _mm256_set1_epi8(byte))));
  }

 private:
  static __m256i load(const uint8_t* text) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text)); }

  static __m256i at_most(__m256i bytes, __m256i limits) {
    return _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, limits), bytes);
  }

  static uint64_t mask(__m256i low, __m256i high) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(low)) |
           static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(high))) << 32;
  }

  __m256i low_;
  __m256i high_;
};

#include "log/scan.inc"

}  // namespace avx2

#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,bmi,bmi2,lzcnt,popcnt")
#endif

namespace avx512 {

inline unsigned first_bit(uint64_t mask) { return static_cast<unsigned>(_tzcnt_u64(mask)); }
inline unsigned last_bit(uint64_t mask) { return 63 - static_cast<unsigned>(_lzcnt_u64(mask)); }

class Block {
 public:
  explicit Block(const uint8_t* text) : bytes_(_mm512_loadu_si512(text)) {}

  uint64_t equal(char byte) const { return _mm512_cmpeq_epi8_mask(bytes_, _mm512_set1_epi8(byte)); }

  uint64_t between(char low, uint8_t span) const {
    return _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes_, _mm512_set1_epi8(low)),
                                  _mm512_set1_epi8(static_cast<char>(span)));
  }

  bool fits(const uint8_t* low, const uint8_t* span) const {
    const __m512i above = _mm512_sub_epi8(bytes_, _mm512_loadu_si512(low));
    return _mm512_cmpgt_epu8_mask(above, _mm512_loadu_si512(span)) == 0;
  }

  static uint32_t equal_32(const uint8_t* text, char byte) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte))));
  }

 private:
  __m512i bytes_;
};

#include "log/scan.inc"

}  // namespace avx512

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#elif defined(__aarch64__)

namespace neon {

constexpr auto first_bit = plain_first_bit;
constexpr auto last_bit = plain_last_bit;

class Block {
 public:
  explicit Block(const uint8_t* text) : bytes_(vld1q_u8_x4(text)) {}

  uint64_t equal(char byte) const {
    const uint8x16_t wanted = vdupq_n_u8(static_cast<uint8_t>(byte));
    return mask([&](int i) { return vceqq_u8(bytes_.val[i], wanted); });
  }

  uint64_t between(char low, uint8_t span) const {
    const uint8x16_t lows = vdupq_n_u8(static_cast<uint8_t>(low));
    const uint8x16_t spans = vdupq_n_u8(span);
    return mask([&](int i) { return vcleq_u8(vsubq_u8(bytes_.val[i], lows), spans); });
  }

  bool fits(const uint8_t* low, const uint8_t* span) const {
    uint8x16_t all = vdupq_n_u8(0xff);
    for (int i = 0; i < 4; i++)
      all = vandq_u8(all, vcleq_u8(vsubq_u8(bytes_.val[i], vld1q_u8(low + 16 * i)), vld1q_u8(span + 16 * i)));
    return vminvq_u8(all) == 0xff;
  }

  static uint32_t equal_32(const uint8_t* text, char byte) {
    const uint8x16_t bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t wanted = vdupq_n_u8(static_cast<uint8_t>(byte));
    const uint8x16_t low = vandq_u8(vceqq_u8(vld1q_u8(text), wanted), bits);
    const uint8x16_t high = vandq_u8(vceqq_u8(vld1q_u8(text + 16), wanted), bits);
    const uint8x16_t pairs = vpaddq_u8(low, high);
    const uint8x16_t fours = vpaddq_u8(pairs, pairs);
    return vgetq_lane_u32(vreinterpretq_u32_u8(vpaddq_u8(fours, fours)), 0);
  }

 private:
  // NEON has no move of a mask: each byte keeps a bit of its own, and neighbours are added three times.
  template <typename Of>
  static uint64_t mask(Of of) {
    const uint8x16_t bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t first = vpaddq_u8(vandq_u8(of(0), bits), vandq_u8(of(1), bits));
    const uint8x16_t second = vpaddq_u8(vandq_u8(of(2), bits), vandq_u8(of(3), bits));
    const uint8x16_t both = vpaddq_u8(first, second);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
  }

  uint8x16x4_t bytes_;
};

#include "log/scan.inc"

}  // namespace neon

#endif

}  // namespace

ScanFunction scan_function(Simd simd) {
#if defined(__x86_64__)
  if (simd == Simd::kAvx512) return avx512::scan;
  if (simd == Simd::kAvx2) return avx2::scan;
  if (simd == Simd::kSse2) return sse2::scan;
#elif defined(__aarch64__)
  if (simd == Simd::kNeon) return neon::scan;
#endif
  (void)simd;
  return portable::scan;
}

}  // namespace tracefp
