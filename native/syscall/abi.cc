#include "syscall/abi.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>

namespace tracefp {

namespace {

constexpr uint32_t kX32Bit = 0x40000000;

// The numbers are checked against the generated tables by test/contract/known-calls.test.ts.
constexpr KnownCalls kX86_64Calls{56, 435, 57, 58, 61, 247, 15, -1, 219, 204, 203, 317, 157, 101};
constexpr KnownCalls kI386Calls{120, 435, 2, 190, 114, 284, 173, 119, 0, 242, 241, 354, 172, 26};
constexpr KnownCalls kX32Calls{56, 435, 57, 58, 61, 529, 513, -1, 219, 204, 203, 317, 157, 521};
constexpr KnownCalls kAarch64Calls{220, 435, -1, -1, 260, 95, 139, -1, 128, 123, 122, 277, 167, 117};
constexpr KnownCalls kNoCalls{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

// read, write, open, close, ioctl, connect, accept, send, recv, wait, futex and lock calls. Sorted. What is missing
// costs nothing but the repetition of a call that could have been interrupted.
constexpr std::array<int32_t, 46> kWaitingX86_64{
    0,   1,   2,   3,   16,  17,  18,  19,  20,  40,  42,  43,  44,  45,  46,  47,  61,  72,  73,  74,  75,  85,  202,
    242, 243, 247, 249, 250, 257, 275, 276, 278, 285, 288, 295, 296, 299, 307, 318, 326, 327, 328, 426, 437, 449, 455};
constexpr std::array<int32_t, 44> kWaitingAarch64{
    25,  29,  32,  47,  56,  57,  63,  64,  65,  66,  67,  68,  69,  70,  71,  75,  76,  77,  82,  83,  95,  98,
    182, 183, 202, 203, 206, 207, 211, 212, 218, 219, 242, 243, 260, 269, 278, 285, 286, 287, 426, 437, 449, 455};

}  // namespace

Call call_of(uint32_t audit_arch, uint64_t raw_nr) {
  const auto nr = static_cast<int32_t>(static_cast<uint32_t>(raw_nr));
  switch (audit_arch) {
    case AUDIT_ARCH_X86_64:
      if (nr >= 0 && (static_cast<uint32_t>(nr) & kX32Bit) != 0) {
        return {Abi::kX32, static_cast<int32_t>(static_cast<uint32_t>(nr) & ~kX32Bit)};
      }
      return {Abi::kX86_64, nr};
    case AUDIT_ARCH_I386:
      return {Abi::kI386, nr};
    case AUDIT_ARCH_AARCH64:
      return {Abi::kAarch64, nr};
    default:
      return {Abi::kUnknown, nr};
  }
}

const KnownCalls& known_calls(Abi abi) {
  switch (abi) {
    case Abi::kX86_64:
      return kX86_64Calls;
    case Abi::kI386:
      return kI386Calls;
    case Abi::kX32:
      return kX32Calls;
    case Abi::kAarch64:
      return kAarch64Calls;
    case Abi::kUnknown:
      return kNoCalls;
  }
  return kNoCalls;
}

bool may_restart_with_handler(const Call& call) {
  switch (call.abi) {
    case Abi::kX86_64:
      return std::binary_search(kWaitingX86_64.begin(), kWaitingX86_64.end(), call.nr);
    case Abi::kAarch64:
      return std::binary_search(kWaitingAarch64.begin(), kWaitingAarch64.end(), call.nr);
    case Abi::kI386:
    case Abi::kX32:
    case Abi::kUnknown:
      return true;
  }
  return true;
}

}  // namespace tracefp
