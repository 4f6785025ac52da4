// ptrace(2) and waitpid(2), and nothing else in the project calls them. All functions run on the tracer thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "engine/status.h"

namespace tracefp {

// A system call as the kernel itself reports it (PTRACE_GET_SYSCALL_INFO, Linux 5.3). The number is never taken from
// the filter's data: the newest filter chooses that, and the tracee may install one.
struct SyscallInfo {
  bool is_return;  // false: at its entry
  uint32_t audit_arch;
  uint64_t ip;
  uint64_t nr;       // not of a return
  uint64_t args[6];  // not of a return
  int64_t rval;      // of a return
};

enum class How { kCont, kSyscall, kListen };

enum class Lifetime {
  kBound,        // a tracee never outlives its tracer: EXITKILL
  kIndependent,  // it was there before, and goes on when its tracer ends
};

// Seizes `tid` with every option that the engines use.
Status seize(pid_t tid, Lifetime lifetime);

// Makes a running tracee stop soon: PTRACE_EVENT_STOP.
Outcome interrupt_tracee(pid_t tid);

// The one way to let a tracee go on. `signal` is delivered with kCont and kSyscall.
Outcome resume(pid_t tid, How how, int signal);

// Waits for the next stop or end of a tracee of this thread, never of the host's other children.
// Returns its tid and status, 0 when interrupted, -1 when there is none left.
pid_t wait_any(int* status);

// The same for one tracee; `block` false = 0 at once when nothing is there.
pid_t wait_one(pid_t tid, int* status, bool block);

// A child of the calling thread that is not traced: its end, or that the terminal stopped it. As wait_one() with any
// tid. `held` > 0: this child, whichever thread made it.
pid_t wait_untraced(pid_t held, int* status, bool block);

// True once `pid`, a child of this thread, has ended; its status stays to be waited for.
bool has_ended(pid_t pid);

Outcome event_message(pid_t tid, uint64_t* message);
Outcome syscall_info(pid_t tid, SyscallInfo* info);

// NT_PRSTATUS registers; `size` is the room given and becomes what the kernel wrote (it differs for 32-bit tracees).
Outcome get_registers(pid_t tid, void* registers, size_t* size);
Outcome set_registers(pid_t tid, const void* registers, size_t size);
#if defined(__aarch64__)
Outcome set_syscall_number(pid_t tid, int nr);
#endif

// Copies `size` bytes from the tracee's memory. False when it is not readable or the tracee is gone.
bool read_memory(pid_t tid, uint64_t address, void* to, size_t size);

}  // namespace tracefp
