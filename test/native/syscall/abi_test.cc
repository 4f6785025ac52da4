#include "syscall/abi.h"

#include <doctest/doctest.h>
#include <linux/audit.h>

using namespace tracefp;

namespace {

void check_call(const Call& call, Abi abi, int32_t nr) {
  CHECK(call.abi == abi);
  CHECK(call.nr == nr);
}

}  // namespace

TEST_CASE("a number means nothing without its ABI") {
  check_call(call_of(AUDIT_ARCH_X86_64, 64), Abi::kX86_64, 64);
  check_call(call_of(AUDIT_ARCH_I386, 64), Abi::kI386, 64);
  check_call(call_of(AUDIT_ARCH_AARCH64, 64), Abi::kAarch64, 64);
  check_call(call_of(0xdeadbeef, 64), Abi::kUnknown, 64);
}

TEST_CASE("numbers are never masked onto legal ones") {
  check_call(call_of(AUDIT_ARCH_X86_64, 0x4000006e), Abi::kX32, 110);
  check_call(call_of(AUDIT_ARCH_X86_64, 548), Abi::kX86_64, 548);
  check_call(call_of(AUDIT_ARCH_X86_64, 9999), Abi::kX86_64, 9999);
  check_call(call_of(AUDIT_ARCH_X86_64, static_cast<uint64_t>(-1)), Abi::kX86_64, -1);
}
