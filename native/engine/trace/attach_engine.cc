#include "engine/trace/attach_engine.h"

#include <unistd.h>

#include <cerrno>
#include <vector>

#include "engine/host.h"
#include "engine/ptrace/proc.h"
#include "engine/ptrace/ptrace_ops.h"

namespace tracefp {

namespace {

constexpr unsigned kStopsPerSigchldCheck = 64;

LaunchOptions launch_options_of(const AttachOptions& options) {
  LaunchOptions launch;
  launch.is_guarded = options.is_guarded;
  return launch;
}

}  // namespace

AttachEngine::AttachEngine(const AttachOptions& options, RingWriter& ring)
    : pid_(options.pid),
      hides_host_(options.hides_host),
      cpu_(Pin::kNever),
      life_(ring, cpu_, result_, launch_options_of(options), How::kSyscall),
      calls_(life_, cpu_, result_),
      stops_(life_, calls_, nullptr, result_) {}

void AttachEngine::run() {
  shield_tracer_thread();
  // A child of this process is waited for by the host too: libuv would take its stops for its end.
  ProcStatus status;
  if (read_proc_status(pid_, &status) && status.ppid == getpid()) {
    result_.failure = {"attach(own child)", EBUSY};
    return;
  }
  if (hides_host_) hide_host(true);
  result_.failure = seize_process(pid_);
  if (!result_.failure.ok()) return;
  life_.begin_joined(pid_);
  for (unsigned stop_count = 0; !life_.is_stopping(); stop_count++) {
    if (life_.is_over() && pending_.empty() && postponed_.empty()) return;
    if (stop_count % kStopsPerSigchldCheck == 0) quiet_sigchld(hides_host_);
    int status;
    const pid_t tid = wait_any(&status);
    if (tid < 0) return;
    if (tid > 0) on_stop(tid, status);
  }
}

// Seizes every thread of a process that is not ours yet. Fails when there is none that can be.
Status AttachEngine::seize_process(pid_t tgid) {
  Status first;
  bool has_any = false;
  for (bool is_new = true; is_new;) {
    is_new = false;
    for (const pid_t tid : threads_of(tgid)) {
      if (pending_.contains(tid) || life_.find(tid) != nullptr) {
        has_any = true;
        continue;
      }
      const Status seized = seize(tid, Lifetime::kIndependent);
      if (seized.ok()) {
        has_any = is_new = true;
        pending_.emplace(tid, tgid);
        (void)interrupt_tracee(tid);
      } else if (is_traced_by_us(tid)) {
        has_any = true;  // born of one that is ours: its first stop comes
      } else if (!is_dead(tid)) {
        if (first.ok()) first = seized;
        if (has_any) life_.note(tid, NoteKind::kNotAttached, static_cast<uint32_t>(seized.error));
      }
    }
  }
  if (has_any) return {};
  return first.ok() ? Status{"ptrace(PTRACE_SEIZE)", ESRCH} : first;
}

// Threads and children that were there before, and those that came while others were being seized. (What is below the
// process is looked for once that is met, so the first that is met is the root.)
void AttachEngine::seize_family(pid_t tgid) {
  (void)seize_process(tgid);
  for (const pid_t child : children_of(tgid)) {
    if (life_.find(child) != nullptr || pending_.contains(child) || is_traced_by_us(child)) continue;
    const Status seized = seize_process(child);
    if (seized.ok()) {
      seize_family(child);
    } else if (!is_dead(child)) {
      life_.note(child, NoteKind::kNotAttached, static_cast<uint32_t>(seized.error));
    }
  }
}

void AttachEngine::on_stop(pid_t tid, int status) {
  const auto found = pending_.find(tid);
  if (found == pending_.end()) {
    const bool is_known = life_.find(tid) != nullptr;
    if (is_known || pending_.empty()) return step(tid, status);
    postponed_.emplace_back(tid, status);  // who made it may be pending
    return;
  }
  const pid_t tgid = found->second;
  pending_.erase(found);
  const StopKind kind = classify(status).kind;
  if (kind != StopKind::kExited && kind != StopKind::kKilled) {
    life_.join(tid, tgid);
    seize_family(tgid);
    step(tid, status);
  }
  while (pending_.empty() && !postponed_.empty()) {
    const auto [waiting, its_status] = postponed_.front();
    postponed_.pop_front();
    step(waiting, its_status);
  }
}

void AttachEngine::step(pid_t tid, int status) {
  const Resumption due = stops_.step(tid, classify(status));
  if (due.is_due) (void)resume(tid, due.how == How::kCont ? How::kSyscall : due.how, due.signal);
}

}  // namespace tracefp
