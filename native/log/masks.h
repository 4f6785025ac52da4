// Where line feeds and equals signs stand, 64 bytes to a word: the part of the scanner that looks at every byte, and
// the only one that has a form per instruction set. All forms give the same words; a test compares them bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tracefp {

enum class Simd : uint8_t {
  kPortable,
  kAvx2,
  kAvx512,
  kNeon,
};

// The fastest form that this machine runs.
Simd best_simd();

// True when this machine runs it. kPortable runs everywhere.
bool can_run(Simd simd);

constexpr size_t kBlockBytes = 64;

// Bit i of word b tells of byte 64 * b + i. `size` need not be whole blocks: bits past it are 0. Both arrays have room
// for size / 64 words, rounded up. Nothing past data + size is read.
using MaskFunction = void (*)(const uint8_t* data, size_t size, uint64_t* line_feeds, uint64_t* equals);

// `simd` must be one that can_run().
MaskFunction mask_function(Simd simd);

}  // namespace tracefp
