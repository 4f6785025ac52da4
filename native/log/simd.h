// The forms of the scanner: which instructions it looks at many bytes with. All forms say the same of every line; a
// test and the fuzzer compare them.
#pragma once

#include <cstdint>

namespace tracefp {

enum class Simd : uint8_t {
  kPortable,  // words of eight bytes
  kSse2,      // every x86-64 has it
  kAvx2,      // with BMI2 and LZCNT, which the same machines have
  kAvx512,    // F and BW, and the same
  kNeon,      // every aarch64 has it
};

// The fastest form that this machine runs.
Simd best_simd();

// True when this machine runs it. kPortable runs everywhere.
bool can_run(Simd simd);

}  // namespace tracefp
