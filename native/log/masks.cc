#include "log/masks.h"

#include <cstring>
#include <initializer_list>

#include "log/words.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace tracefp {

namespace {

// High bits of eight bytes -> eight bits; byte 0 gives bit 0.
inline uint64_t gather(uint64_t high_bits) { return (high_bits >> 7) * 0x0102040810204080 >> 56; }

void portable_block(const uint8_t* block, uint64_t* line_feeds, uint64_t* equals) {
  uint64_t feeds = 0;
  uint64_t signs = 0;
  for (unsigned i = 0; i < kBlockBytes / 8; i++) {
    const uint64_t word = load_word(block + 8 * i);
    feeds |= gather(equal_bytes(word, repeated('\n'))) << 8 * i;
    signs |= gather(equal_bytes(word, repeated('='))) << 8 * i;
  }
  *line_feeds = feeds;
  *equals = signs;
}

// The bytes after the last whole block, as if zeros followed.
void last_block(const uint8_t* data, size_t size, uint64_t* line_feeds, uint64_t* equals) {
  if (size == 0) return;
  uint8_t block[kBlockBytes] = {};
  memcpy(block, data, size);
  portable_block(block, line_feeds, equals);
}

void portable_masks(const uint8_t* data, size_t size, uint64_t* line_feeds, uint64_t* equals) {
  const size_t blocks = size / kBlockBytes;
  for (size_t b = 0; b < blocks; b++) portable_block(data + b * kBlockBytes, line_feeds + b, equals + b);
  last_block(data + blocks * kBlockBytes, size % kBlockBytes, line_feeds + blocks, equals + blocks);
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) uint64_t avx2_equal(__m256i low, __m256i high, __m256i byte) {
  const auto first = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte)));
  const auto second = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte)));
  return first | static_cast<uint64_t>(second) << 32;
}

__attribute__((target("avx2"))) void avx2_masks(const uint8_t* data, size_t size, uint64_t* line_feeds,
                                                uint64_t* equals) {
  const __m256i feed = _mm256_set1_epi8('\n');
  const __m256i equals_sign = _mm256_set1_epi8('=');
  const size_t blocks = size / kBlockBytes;
  for (size_t b = 0; b < blocks; b++) {
    const auto* block = reinterpret_cast<const __m256i*>(data + b * kBlockBytes);
    const __m256i low = _mm256_loadu_si256(block);
    const __m256i high = _mm256_loadu_si256(block + 1);
    line_feeds[b] = avx2_equal(low, high, feed);
    equals[b] = avx2_equal(low, high, equals_sign);
  }
  last_block(data + blocks * kBlockBytes, size % kBlockBytes, line_feeds + blocks, equals + blocks);
}

__attribute__((target("avx512f,avx512bw"))) void avx512_masks(const uint8_t* data, size_t size, uint64_t* line_feeds,
                                                              uint64_t* equals) {
  const __m512i feed = _mm512_set1_epi8('\n');
  const __m512i equals_sign = _mm512_set1_epi8('=');
  const size_t blocks = size / kBlockBytes;
  for (size_t b = 0; b < blocks; b++) {
    const __m512i block = _mm512_loadu_si512(data + b * kBlockBytes);
    line_feeds[b] = _mm512_cmpeq_epi8_mask(block, feed);
    equals[b] = _mm512_cmpeq_epi8_mask(block, equals_sign);
  }
  last_block(data + blocks * kBlockBytes, size % kBlockBytes, line_feeds + blocks, equals + blocks);
}

#elif defined(__aarch64__)

// NEON has no move of a mask: each byte keeps a bit of its own, and neighbours are added three times.
uint64_t neon_equal(uint8x16x4_t block, uint8x16_t byte) {
  const uint8x16_t bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t first =
      vpaddq_u8(vandq_u8(vceqq_u8(block.val[0], byte), bits), vandq_u8(vceqq_u8(block.val[1], byte), bits));
  const uint8x16_t second =
      vpaddq_u8(vandq_u8(vceqq_u8(block.val[2], byte), bits), vandq_u8(vceqq_u8(block.val[3], byte), bits));
  const uint8x16_t both = vpaddq_u8(first, second);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
}

void neon_masks(const uint8_t* data, size_t size, uint64_t* line_feeds, uint64_t* equals) {
  const size_t blocks = size / kBlockBytes;
  for (size_t b = 0; b < blocks; b++) {
    const uint8x16x4_t block = vld1q_u8_x4(data + b * kBlockBytes);
    line_feeds[b] = neon_equal(block, vdupq_n_u8('\n'));
    equals[b] = neon_equal(block, vdupq_n_u8('='));
  }
  last_block(data + blocks * kBlockBytes, size % kBlockBytes, line_feeds + blocks, equals + blocks);
}

#endif

}  // namespace

bool can_run(Simd simd) {
  switch (simd) {
    case Simd::kPortable:
      return true;
#if defined(__x86_64__)
    case Simd::kAvx2:
      return __builtin_cpu_supports("avx2") != 0;
    case Simd::kAvx512:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
    case Simd::kNeon:
      return false;
#else
    case Simd::kAvx2:
    case Simd::kAvx512:
      return false;
#if defined(__aarch64__)
    case Simd::kNeon:
      return true;
#else
    case Simd::kNeon:
      return false;
#endif
#endif
  }
  return false;
}

Simd best_simd() {
  for (const Simd simd : {Simd::kNeon, Simd::kAvx512, Simd::kAvx2})
    if (can_run(simd)) return simd;
  return Simd::kPortable;
}

MaskFunction mask_function(Simd simd) {
#if defined(__x86_64__)
  if (simd == Simd::kAvx512) return avx512_masks;
  if (simd == Simd::kAvx2) return avx2_masks;
#elif defined(__aarch64__)
  if (simd == Simd::kNeon) return neon_masks;
#endif
  (void)simd;
  return portable_masks;
}

}  // namespace tracefp
