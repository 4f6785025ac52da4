#include "syscall/abi.h"

#include <linux/audit.h>

namespace tracefp {

namespace {

constexpr uint32_t kX32Bit = 0x40000000;

// The numbers are checked against the generated tables by test/contract/known-calls.test.ts.
constexpr KnownCalls kX86_64Calls{56, 435, 15, -1, 219, 204, 203, 317, 157};
constexpr KnownCalls kI386Calls{120, 435, 173, 119, 0, 242, 241, 354, 172};
constexpr KnownCalls kX32Calls{56, 435, 513, -1, 219, 204, 203, 317, 157};
constexpr KnownCalls kAarch64Calls{220, 435, 139, -1, 128, 123, 122, 277, 167};
constexpr KnownCalls kNoCalls{-1, -1, -1, -1, -1, -1, -1, -1, -1};

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

}  // namespace tracefp
