#include "stop/wait_status.h"

#include <linux/ptrace.h>
#include <sys/wait.h>

#include <csignal>

namespace tracefp {

namespace {

bool is_stop_signal(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

Stop of_kind(StopKind kind) { return {kind, BirthEvent::kNone, 0, 0}; }

}  // namespace

Stop classify(int status) {
  if (WIFEXITED(status)) return {StopKind::kExited, BirthEvent::kNone, 0, WEXITSTATUS(status)};
  if (WIFSIGNALED(status)) return {StopKind::kKilled, BirthEvent::kNone, WTERMSIG(status), 0};

  const int signal = WSTOPSIG(status);
  switch (status >> 16) {
    case 0:
      if (signal == (SIGTRAP | 0x80)) return of_kind(StopKind::kSyscall);
      return {StopKind::kSignalDelivery, BirthEvent::kNone, signal, 0};
    case PTRACE_EVENT_SECCOMP:
      return of_kind(StopKind::kSeccomp);
    case PTRACE_EVENT_FORK:
      return {StopKind::kBirth, BirthEvent::kFork, 0, 0};
    case PTRACE_EVENT_VFORK:
      return {StopKind::kBirth, BirthEvent::kVfork, 0, 0};
    case PTRACE_EVENT_CLONE:
      return {StopKind::kBirth, BirthEvent::kClone, 0, 0};
    case PTRACE_EVENT_EXEC:
      return of_kind(StopKind::kExec);
    case PTRACE_EVENT_STOP:
      if (is_stop_signal(signal)) return {StopKind::kGroupStop, BirthEvent::kNone, signal, 0};
      return of_kind(StopKind::kTrap);
    default:
      return of_kind(StopKind::kOther);
  }
}

}  // namespace tracefp
