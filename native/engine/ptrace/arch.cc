#include "engine/ptrace/arch.h"

#include <cerrno>
#include <cstring>

#include "engine/ptrace/ptrace_ops.h"

#if defined(__x86_64__)
#include <sys/user.h>
#elif defined(__aarch64__)
#include <asm/ptrace.h>
#else
#error "tracefp knows x86_64 and aarch64"
#endif

namespace tracefp {

namespace {

// include/linux/errno.h: never seen by programs, so not in <errno.h>.
constexpr int64_t kRestartSys = 512;
constexpr int64_t kRestartNoIntr = 513;
constexpr int64_t kRestartNoHand = 514;
constexpr int64_t kRestartBlock = 516;

bool is_restart_code(int64_t result) {
  const int64_t code = -result;
  return code == kRestartSys || code == kRestartNoIntr || code == kRestartNoHand || code == kRestartBlock;
}

}  // namespace

#if defined(__x86_64__)

// 32-bit tracees have another, smaller register set: 17 words of 32 bits.
constexpr size_t kI386Words = 17;
constexpr size_t kI386Ax = 6;
constexpr size_t kI386OrigAx = 11;
constexpr size_t kI386Ip = 12;

union Registers {
  user_regs_struct native;
  int32_t i386[kI386Words];
};

bool is_same_call(const user_regs_struct& now, const Entry& last) {
  if (last.call.abi != Abi::kX86_64) return true;
  const uint64_t arguments[] = {now.rdi, now.rsi, now.rdx, now.r10, now.r8, now.r9};
  return static_cast<int32_t>(now.orig_rax) == last.call.nr && memcmp(arguments, last.args, sizeof arguments) == 0;
}

Interrupted interrupted_call(pid_t tid, const Entry& last) {
  Registers registers;
  size_t size = sizeof registers;
  if (get_registers(tid, &registers, &size) != Outcome::kOk) return {false, false, false};
  // orig_ax is negative when the tracee was not in a call (an interrupt or fault brought the signal).
  if (size == sizeof registers.i386) {
    const int32_t nr = registers.i386[kI386OrigAx];
    const int32_t result = registers.i386[kI386Ax];
    const auto ip = static_cast<uint32_t>(registers.i386[kI386Ip]);
    return {nr >= 0 && is_restart_code(result), -result == kRestartSys, ip == last.ip};
  }
  const auto nr = static_cast<int64_t>(registers.native.orig_rax);
  auto result = static_cast<int64_t>(registers.native.rax);
  // int 0x80 from a 64-bit program leaves a zero-extended 32-bit result.
  if (is_restart_code(static_cast<int32_t>(result))) result = static_cast<int32_t>(result);
  const bool is_last = registers.native.rip == last.ip && is_same_call(registers.native, last);
  return {nr >= 0 && is_restart_code(result), -result == kRestartSys, is_last};
}

void repeat_for_certain(pid_t tid) {
  Registers registers;
  size_t size = sizeof registers;
  if (get_registers(tid, &registers, &size) != Outcome::kOk) return;
  if (size == sizeof registers.i386) {
    registers.i386[kI386Ax] = -static_cast<int32_t>(kRestartNoIntr);
  } else {
    registers.native.rax = static_cast<uint64_t>(-kRestartNoIntr);
  }
  (void)set_registers(tid, &registers, size);
}

Outcome refuse_call(pid_t tid, int64_t result) {
  Registers registers;
  size_t size = sizeof registers;
  const Outcome outcome = get_registers(tid, &registers, &size);
  if (outcome != Outcome::kOk) return outcome;
  if (size == sizeof registers.i386) {
    registers.i386[kI386OrigAx] = -1;
    registers.i386[kI386Ax] = static_cast<int32_t>(result);
  } else {
    registers.native.orig_rax = static_cast<uint64_t>(-1);
    registers.native.rax = static_cast<uint64_t>(result);
  }
  return set_registers(tid, &registers, size);
}

#else

// arm64 sets pc back before it asks for the signal (do_signal), so pc already tells.
Interrupted interrupted_call(pid_t tid, const Entry& last) {
  user_pt_regs registers;
  size_t size = sizeof registers;
  if (get_registers(tid, &registers, &size) != Outcome::kOk) return {false, false, false};
  const bool is_restarting = registers.pc == last.ip - kSyscallInsnBytes;
  const bool is_last = static_cast<int32_t>(registers.regs[8]) == last.call.nr &&
                       memcmp(registers.regs, last.args, sizeof last.args) == 0;
  // The result was replaced by the first argument: which code it was cannot be told any more.
  return {is_restarting, true, is_last};
}

void repeat_for_certain(pid_t) {}

Outcome refuse_call(pid_t tid, int64_t result) {
  user_pt_regs registers;
  size_t size = sizeof registers;
  Outcome outcome = get_registers(tid, &registers, &size);
  if (outcome != Outcome::kOk) return outcome;
  registers.regs[0] = static_cast<uint64_t>(result);
  outcome = set_registers(tid, &registers, size);
  return outcome == Outcome::kOk ? set_syscall_number(tid, -1) : outcome;
}

#endif

}  // namespace tracefp
