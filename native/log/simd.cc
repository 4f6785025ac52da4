#include "log/simd.h"

#include <initializer_list>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tracefp {

namespace {

#if defined(__x86_64__)

// Where it is missing its instruction is another one, and no error.
bool has_lzcnt() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_ABM) != 0;
}

bool has_avx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
         __builtin_cpu_supports("bmi2") != 0 && has_lzcnt();
}

#endif

}  // namespace

bool can_run(Simd simd) {
  switch (simd) {
    case Simd::kPortable:
      return true;
#if defined(__x86_64__)
    case Simd::kSse2:
      return true;
    case Simd::kAvx2:
      return has_avx2();
    case Simd::kAvx512:
      return has_avx2() && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
    case Simd::kNeon:
      return false;
#else
    case Simd::kSse2:
    case Simd::kAvx2:
    case Simd::kAvx512:
      return false;
    case Simd::kNeon:
#if defined(__aarch64__)
      return true;
#else
      return false;
#endif
#endif
  }
  return false;
}

Simd best_simd() {
  for (const Simd simd : {Simd::kNeon, Simd::kAvx512, Simd::kAvx2, Simd::kSse2})
    if (can_run(simd)) return simd;
  return Simd::kPortable;
}

}  // namespace tracefp
