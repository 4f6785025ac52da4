// What the tracer remembers of one tracee, and how it advances. Pure: facts go in, decisions come out; the kernel is
// asked elsewhere. All it is for: a call that the kernel repeats by itself is told from one that the program makes
// twice.
//
//   read = -ERESTARTSYS, no handler:   stop(interrupted) ........................ read again, same ip  -> restart
//   read = -ERESTARTSYS, SA_RESTART:   stop(handler) push .. rt_sigreturn pop, ip on the insn .. read -> restart
//   read = -EINTR:                     stop(handler) push .. rt_sigreturn pop, ip after it ..... read -> two calls
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "syscall/abi.h"

namespace tracefp {

// Length of the instruction that enters the kernel: a restarted call has its instruction pointer set back by this.
#if defined(__aarch64__)
constexpr uint64_t kSyscallInsnBytes = 4;
#else
constexpr uint64_t kSyscallInsnBytes = 2;
#endif

// A call at its entry. `ip` is the address after the syscall instruction.
struct Entry {
  Call call{Abi::kUnknown, -1};
  uint64_t ip = 0;
  uint64_t args[6] = {};
};

// What a handler interrupted.
struct Frame {
  Entry entry;       // the last call entered before it
  bool may_restart;  // that call was interrupted, and SA_RESTART decides
};

// A handler left by siglongjmp never returns: the stack is bounded and the oldest frame goes first.
constexpr size_t kMaxHandlerFrames = 4096;

// Whose return the tracer asked for, if any.
enum class Awaited : uint8_t { kNothing, kSigreturn, kClone };

struct Tracee {
  pid_t tid = 0;
  pid_t tgid = 0;
  Entry last;                 // the last call entered, as the program made it (never restart_syscall)
  bool restart_due = false;   // the kernel will repeat `last`
  bool is_withdrawn = false;  // a call of which nothing is recorded yet was interrupted; it comes again
  bool is_exact = false;      // its calls stop at entry and return as well: what was withdrawn is known
  bool is_received = false;   // exact: the call entered last was recorded
  bool is_met = false;        // it already ran, and may be in a call that began before; no call of it was seen
  bool is_held = false;       // on the tracer's CPU, by us
  bool bore_child = false;    // a birth was announced since `last` was entered
  Awaited awaited = Awaited::kNothing;
  std::vector<Frame> frames;  // handlers that run, innermost last
};

struct Entered {
  bool is_restart;  // the kernel repeats `last`; the program did nothing
  Awaited awaited;  // resume with PTRACE_SYSCALL when not kNothing
};

// The tracee enters `entry`.
Entered enter(Tracee& tracee, const Entry& entry);

// A signal without a handler or a group-stop; `is_restarting`: the call underway will be repeated by the kernel.
void interrupt(Tracee& tracee, bool is_restarting);

// A handler starts; `is_restarting` as above.
void push_frame(Tracee& tracee, bool is_restarting);

// A call of the clone family returned `rval`. It may be repeated with no stop in between: a signal for the whole
// process is pending, and another thread takes it. (Other calls that wait would need a second stop each to be told so:
// too dear.)
void return_from_clone(Tracee& tracee, int64_t rval);

// rt_sigreturn returned to `ip`. The address alone would not do: a timer may interrupt the program right before the
// syscall instruction, and then it returns there too.
void pop_frame(Tracee& tracee, uint64_t ip);

}  // namespace tracefp
