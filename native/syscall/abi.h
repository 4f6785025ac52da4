// ABI codes: the same numbers as src/syscall/abi.ts (a contract test compares them). A syscall number is
// meaningless without its ABI; numbers are never masked, since masking aliases x32 and bad numbers onto legal ones.
#pragma once

#include <cstdint>

namespace tracefp {

enum class Abi : uint8_t {
  kUnknown = 0,
  kX86_64 = 1,
  kI386 = 2,
  kX32 = 3,
  kAarch64 = 4,
};

struct Call {
  Abi abi;
  int32_t nr;
};

// What the kernel reports of a call (audit arch, raw number) as (ABI, number). x32 numbers lose their marker bit
// 0x40000000; a negative number stays negative and stays x86_64, because the kernel never runs it.
Call call_of(uint32_t audit_arch, uint64_t raw_nr);

// Numbers of calls that the engine itself must know, per ABI; -1 where the ABI has none.
struct KnownCalls {
  int32_t clone;
  int32_t clone3;
  int32_t fork;
  int32_t vfork;
  int32_t wait4;
  int32_t waitid;
  int32_t rt_sigreturn;
  int32_t sigreturn;
  int32_t restart_syscall;
  int32_t sched_getaffinity;
  int32_t sched_setaffinity;
  int32_t seccomp;
  int32_t prctl;
  int32_t ptrace;
};

const KnownCalls& known_calls(Abi abi);

// True for calls that can return -ERESTARTSYS: they wait, and a signal's SA_RESTART decides whether they are repeated.
// Of ABIs without a list here: true.
bool may_restart_with_handler(const Call& call);

}  // namespace tracefp
