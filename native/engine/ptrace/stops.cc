#include "engine/ptrace/stops.h"

#include <cerrno>
#include <csignal>

#include "engine/ptrace/arch.h"

namespace tracefp {

Resumption Stops::step(pid_t tid, const Stop& stop) {
  if (stop.kind != StopKind::kSeccomp && stop.kind != StopKind::kSyscall) {
    const bool begins = stop.kind == StopKind::kExec && !life_.has_begun();
    if (begins && launch_ != nullptr && launch_->used_no_new_privs()) life_.note(tid, NoteKind::kNoNewPrivs, 0);
    return life_.handle(tid, stop);
  }
  Tracee* tracee = life_.find(tid);
  if (tracee == nullptr) return life_.handle(tid, stop);
  return stop.kind == StopKind::kSeccomp ? on_seccomp(*tracee) : on_syscall(*tracee);
}

Resumption Stops::on_seccomp(Tracee& tracee) {
  SyscallInfo info;
  switch (syscall_info(tracee.tid, &info)) {
    case Outcome::kOk:
      break;
    case Outcome::kGone:
      return kContinue;
    case Outcome::kFailed:
      result_.failure = {"ptrace(PTRACE_GET_SYSCALL_INFO)", errno};
      life_.stop();
      return kNothingDue;
  }
  return on_entry(tracee, info);
}

Resumption Stops::on_entry(Tracee& tracee, const SyscallInfo& info) {
  if (!life_.has_begun()) return kContinue;  // the launcher's own calls
  const Due due = calls_.entered(tracee, info);
  switch (due.what) {
    case CallDue::kRun:
      return kContinue;
    case CallDue::kRunAndReturn:
      return {true, How::kSyscall, 0};
    case CallDue::kRefuse:
      if (refuse_call(tracee.tid, due.result) != Outcome::kFailed) return kContinue;
      kill(tracee.tgid, SIGKILL);  // whoever cannot be refused does not go on
      return kNothingDue;
    case CallDue::kNothing:
      return kNothingDue;
  }
  return kContinue;
}

Resumption Stops::on_syscall(Tracee& tracee) {
  SyscallInfo info;
  if (syscall_info(tracee.tid, &info) != Outcome::kOk) return kContinue;
  if (!info.is_return && tracee.is_exact) {
    tracee.is_received = false;  // its record comes another way
    return kContinue;
  }
  if (!info.is_return) return on_entry(tracee, info);
  calls_.returned(tracee, info);
  return kContinue;
}

}  // namespace tracefp
