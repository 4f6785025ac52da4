// What a wait status of a seized tracee means. Pure: no kernel call is made here.
#pragma once

#include <cstdint>

namespace tracefp {

enum class StopKind : uint8_t {
  // The tracee is about to run a system call and our filter returned RET_TRACE.
  // Resume due: PTRACE_CONT, or PTRACE_SYSCALL when its return is wanted.
  kSeccomp,
  // The entry of a system call, or the return from it; only after PTRACE_SYSCALL.
  // Resume due: PTRACE_CONT; PTRACE_SYSCALL when the next one is wanted.
  kSyscall,
  // A signal is about to be delivered, ignored ones too.
  // Resume due: PTRACE_CONT with the signal.
  kSignalDelivery,
  // The whole thread group stops (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU).
  // Resume due: PTRACE_LISTEN, so that it stays stopped and SIGCONT still reaches it.
  kGroupStop,
  // PTRACE_EVENT_STOP with SIGTRAP: the first stop of a new tracee, or a group-stop has ended.
  // Resume due: PTRACE_CONT.
  kTrap,
  // The tracee made a child by clone, fork or vfork; the child has its own first stop.
  // Resume due: PTRACE_CONT after the birth is recorded, then the child.
  kBirth,
  // An exec succeeded; reported under the thread group leader's tid, whoever called it.
  // Resume due: PTRACE_CONT once the new image is judged.
  kExec,
  // The tracee exited by itself. Nothing to resume.
  kExited,
  // The tracee was killed by a signal. Nothing to resume.
  kKilled,
  // A stop this engine never asked for. Resume due: PTRACE_CONT.
  kOther,
};

// How a child was announced. A clone event may be a thread or a process: the thread group tells.
enum class BirthEvent : uint8_t { kNone, kFork, kVfork, kClone };

struct Stop {
  StopKind kind;
  BirthEvent birth;
  int signal;  // kSignalDelivery, kGroupStop, kKilled
  int code;    // kExited
};

// `status` as waitpid(2) gives it for a tracee seized with PTRACE_O_TRACESYSGOOD.
Stop classify(int status);

}  // namespace tracefp
