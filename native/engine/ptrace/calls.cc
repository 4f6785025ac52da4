#include "engine/ptrace/calls.h"

#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include <csignal>
#include <cstring>
#include <optional>

#include "engine/ptrace/proc.h"

namespace tracefp {

namespace {

constexpr unsigned kBusyCalls = 32;
constexpr size_t kMaxBusy = 1024;  // forgetting costs at most a second thread that is held

}  // namespace

Due Calls::entered(Tracee& tracee, const SyscallInfo& info) {
  const Call call = call_of(info.audit_arch, info.nr);
  Entry entry{call, info.ip};
  memcpy(entry.args, info.args, sizeof entry.args);
  const Entered entered = enter(tracee, entry);
  const std::optional<Decision> decision = life_.record_call(tracee.tid, call, entered.is_restart);
  if (!decision.has_value() || *decision == Decision::kKill) return {CallDue::kNothing};
  if (*decision == Decision::kDeny) {
    tracee.last = {};  // it is over: when it comes again it is a new call, never a repetition that nobody judges
    return {CallDue::kRefuse};
  }

  if (fault_.has_value() && !entered.is_restart && is_faulted(call)) return {CallDue::kRefuse, fault_->result};

  const KnownCalls& known = known_calls(call.abi);
  if (call.nr == known.clone || call.nr == known.clone3) {
    if (is_untraced_clone(tracee, info)) {
      life_.note(tracee.tid, NoteKind::kUntracedRefused, 0);
      return {CallDue::kRefuse};
    }
  } else if (call.nr == known.seccomp || call.nr == known.prctl) {
    if (!allows_filter(tracee, info)) return {CallDue::kRefuse};
  } else if (call.nr == known.sched_getaffinity || call.nr == known.sched_setaffinity) {
    let_go_of_cpu(tracee, info);
  } else if (call.nr == known.ptrace) {
    note_tracing(tracee, info);
  } else if (!tracee.is_held && cpu_.lets_go()) {
    hold_if_busy(tracee);
  }
  tracee.awaited = entered.awaited;
  return {entered.awaited == Awaited::kNothing ? CallDue::kRun : CallDue::kRunAndReturn};
}

bool Calls::is_faulted(const Call& call) {
  if (call.abi != fault_->call.abi || call.nr != fault_->call.nr) return false;
  fault_calls_++;
  if (fault_->is_lasting ? fault_calls_ < fault_->first : fault_calls_ != fault_->first) return false;
  result_.fault_count++;
  return true;
}

void Calls::returned(Tracee& tracee, const SyscallInfo& info) {
  const Awaited awaited = tracee.awaited;
  tracee.awaited = Awaited::kNothing;
  switch (awaited) {
    case Awaited::kNothing:
      break;
    case Awaited::kSigreturn:
      pop_frame(tracee, info.ip);
      break;
    case Awaited::kClone:
      return_from_clone(tracee, info.rval);
      // The flags of clone3 are in memory: another thread may have set CLONE_UNTRACED after we looked.
      if (info.rval > 0 && !tracee.bore_child) kill_untraced_child(tracee);
      break;
  }
}

// A child made with CLONE_UNTRACED would run without its tracer.
bool Calls::is_untraced_clone(const Tracee& tracee, const SyscallInfo& info) {
  const Call& call = tracee.last.call;
  if (call.nr == known_calls(call.abi).clone) return (info.args[0] & CLONE_UNTRACED) != 0;
  uint64_t flags = 0;
  return read_memory(tracee.tid, info.args[0], &flags, sizeof flags) && (flags & CLONE_UNTRACED) != 0;
}

void Calls::kill_untraced_child(const Tracee& tracee) {
  for (const pid_t child : children_of(tracee.tgid)) {
    if (life_.find(child) == nullptr) kill(child, SIGKILL);
  }
  kill(tracee.tgid, SIGKILL);
  life_.note(tracee.tid, NoteKind::kUntracedKilled, 0);
}

// A filter of the program's own outranks ours where it refuses a call, and a listener of its own may even let the call
// run (USER_NOTIF outranks TRACE, and its answer can be "continue"): such calls are not seen here. So where calls are
// judged before they run there is no listener.
bool Calls::allows_filter(const Tracee& tracee, const SyscallInfo& info) {
  const Call& call = tracee.last.call;
  if (call.nr == known_calls(call.abi).prctl) {
    if (static_cast<int>(info.args[0]) == PR_SET_SECCOMP) life_.note(tracee.tid, NoteKind::kOwnFilter, 0);
    return true;
  }
  // The kernel reads 32 bits of each; what stands in the upper halves is of no account.
  if (static_cast<uint32_t>(info.args[0]) != SECCOMP_SET_MODE_FILTER) return true;
  const bool listens = (static_cast<uint32_t>(info.args[1]) & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  const bool is_refused = listens && life_.is_guarded();
  life_.note(tracee.tid,
             is_refused ? NoteKind::kListenerRefused
             : listens  ? NoteKind::kListener
                        : NoteKind::kOwnFilter,
             0);
  return !is_refused;
}

// Refused by the kernel: a task has one tracer. We only say so, for those who wonder why their debugger fails.
void Calls::note_tracing(const Tracee& tracee, const SyscallInfo& info) {
  const uint64_t request = info.args[0];
  const bool seizes = request == PTRACE_ATTACH || request == PTRACE_SEIZE;
  if (request == PTRACE_TRACEME || (seizes && life_.find(static_cast<pid_t>(info.args[1])) != nullptr)) {
    life_.note(tracee.tid, NoteKind::kTracing, 0);
  }
}

void Calls::let_go_of_cpu(Tracee& tracee, const SyscallInfo& info) {
  Tracee* target = info.args[0] == 0 ? &tracee : life_.find(static_cast<pid_t>(info.args[0]));
  if (target == nullptr || !target->is_held) return;
  target->is_held = false;
  cpu_.let_go(target->tid);
}

void Calls::hold_if_busy(Tracee& tracee) {
  if (busy_.size() > kMaxBusy) busy_.clear();
  Busy& busy = busy_[tracee.tgid];
  if (busy.caller != tracee.tid) {
    busy.caller = tracee.tid;
    busy.calls = 0;
  }
  if (++busy.calls < kBusyCalls) return;
  busy.calls = 0;
  Tracee* former = busy.held == 0 ? nullptr : life_.find(busy.held);
  if (former != nullptr && former->tgid == tracee.tgid && former->is_held) {
    former->is_held = false;
    cpu_.let_go(former->tid);
  }
  tracee.is_held = cpu_.hold(tracee.tid);
  busy.held = tracee.is_held ? tracee.tid : 0;
}

}  // namespace tracefp
