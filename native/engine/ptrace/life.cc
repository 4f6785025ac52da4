#include "engine/ptrace/life.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "engine/host.h"
#include "engine/ptrace/arch.h"
#include "engine/ptrace/proc.h"

namespace tracefp {

Life::Life(RingWriter& ring, CpuHold& cpu, EngineResult& result, const LaunchOptions& options, How step,
           bool may_withdraw)
    : ring_(ring),
      cpu_(cpu),
      result_(result),
      stops_with_root_(options.stops_with_root),
      hides_host_(options.hides_host),
      step_(step),
      may_withdraw_(may_withdraw),
      guard_(options.is_guarded) {}

void Life::begin(pid_t root) {
  clock_gettime(CLOCK_MONOTONIC_COARSE, &began_at_);
  Tracee tracee;
  tracee.tid = root;
  tracee.tgid = root;
  tracee.is_held = cpu_.lets_go();
  tracees_.emplace(root, tracee);
}

void Life::begin_joined(pid_t root) {
  clock_gettime(CLOCK_MONOTONIC_COARSE, &began_at_);
  has_begun_ = true;
  result_.root_pid = root;
  ring_.set_state(RingState::kRunning);
}

void Life::join(pid_t tid, pid_t tgid) {
  if (!has_tracee_of(tgid)) {
    (void)meet(tid, tgid, BirthKind::kMet);
    return;
  }
  put(tid, tgid, true);
  announce(tid, 0, tgid, BirthKind::kJoin);
}

void Life::put(pid_t tid, pid_t tgid, bool is_met) {
  Tracee tracee;
  tracee.tid = tid;
  tracee.tgid = tgid;
  tracee.is_met = is_met;
  latest_ = nullptr;
  tracees_.insert_or_assign(tid, std::move(tracee));
}

// What runs in a process is asked about at its first task, while that is stopped. False: it does not go on.
bool Life::meet(pid_t tid, pid_t tgid, BirthKind kind) {
  put(tid, tgid, kind == BirthKind::kMet);
  gate_.open_question();
  announce(tid, 0, tgid, kind);
  const std::optional<Answer> answer = ask(tid);
  if (!answer.has_value()) return false;
  guard_.met(tid, answer->table);
  if (answer->decision == Decision::kAllow) return true;
  kill_session();
  return false;
}

uint32_t Life::now_ms() const {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint32_t>((now.tv_sec - began_at_.tv_sec) * 1000 + (now.tv_nsec - began_at_.tv_nsec) / 1'000'000);
}

Tracee* Life::find(pid_t tid) {
  if (latest_ != nullptr && latest_->tid == tid) return latest_;
  const auto found = tracees_.find(tid);
  if (found == tracees_.end()) return nullptr;
  latest_ = &found->second;
  return latest_;
}

How Life::how(pid_t tid) {
  const Tracee* tracee = find(tid);
  return tracee != nullptr && tracee->is_exact ? How::kSyscall : step_;
}

bool Life::record(pid_t tid, RecordKind kind, uint32_t value, uint16_t flags, uint32_t extra, Abi abi) {
  return ring_.push({static_cast<uint32_t>(tid), value, kind, static_cast<uint8_t>(abi), flags, extra});
}

void Life::note(pid_t tid, NoteKind kind, uint32_t argument) {
  record(tid, RecordKind::kNote, static_cast<uint32_t>(kind), 0, argument);
}

std::optional<Decision> Life::record_call(pid_t tid, const Call& call, bool is_restart) {
  if (is_killing_) return std::nullopt;  // nothing of the session happens any more
  const bool is_asked = !is_restart && guard_.is_miss(tid, call);
  if (is_asked) gate_.open_question();
  const uint16_t flags = is_asked ? kRecordAsked : is_restart ? kRecordRestart : 0;
  if (!record(tid, RecordKind::kCall, static_cast<uint32_t>(call.nr), flags, now_ms(), call.abi)) return std::nullopt;
  if (!is_asked) return Decision::kAllow;
  const std::optional<Answer> answer = ask(tid);
  if (!answer.has_value()) return std::nullopt;
  const Decision decision = answer->decision;
  guard_.settle(decision == Decision::kAllow);
  if (decision == Decision::kKill) kill_session();
  return decision;
}

// The record of the question is in the ring. Nothing: stopping, and nobody has decided.
std::optional<Answer> Life::ask(pid_t tid) {
  ring_.ring_doorbell();
  const Answer answer = gate_.wait([tid] { return is_dead(tid); });
  if (is_stopping()) return std::nullopt;
  return answer;
}

Resumption Life::handle(pid_t tid, const Stop& stop) {
  Tracee* tracee = find(tid);
  if (tracee == nullptr) {
    if (stop.kind == StopKind::kExited || stop.kind == StopKind::kKilled) {
      if (early_.erase(tid) != 0) dead_early_.insert(tid);
    } else {
      early_.insert(tid);  // it stays stopped until its birth is announced
      if (!may_be_announced(tid, 0)) adopt(tid);
    }
    return kNothingDue;
  }
  switch (stop.kind) {
    case StopKind::kBirth:
      return on_birth(tid, stop);
    case StopKind::kExec:
      return on_exec(tid);
    case StopKind::kSignalDelivery:
      return on_signal(*tracee, stop.signal);
    case StopKind::kGroupStop:
      return on_group_stop(*tracee, stop.signal);
    case StopKind::kExited:
    case StopKind::kKilled:
      on_end(tid, stop);
      return kNothingDue;
    case StopKind::kTrap:
    case StopKind::kOther:
    case StopKind::kSeccomp:
    case StopKind::kSyscall:
      return kContinue;
  }
  return kContinue;
}

void Life::add(pid_t tid, pid_t tgid, const Tracee* parent, BirthKind kind) {
  Tracee tracee;
  tracee.tid = tid;
  tracee.tgid = tgid;
  const pid_t parent_tid = parent == nullptr ? 0 : parent->tid;
  tracee.is_exact = parent != nullptr && parent->is_exact;
  if (parent != nullptr && kind == BirthKind::kFork) {
    tracee.frames = parent->frames;
    tracee.is_held = parent->is_held;
  }
  latest_ = nullptr;
  tracees_.insert_or_assign(tid, std::move(tracee));
  announce(tid, parent_tid, tgid, kind);
}

void Life::announce(pid_t tid, pid_t parent, pid_t tgid, BirthKind kind) {
  record(tid, RecordKind::kBirth, static_cast<uint32_t>(parent), static_cast<uint16_t>(kind),
         static_cast<uint32_t>(tgid));
  guard_.birth(tid, parent, tgid, kind);
  if (is_killing_) kill(tid, SIGKILL);
}

Resumption Life::on_birth(pid_t parent_tid, const Stop& stop) {
  uint64_t message = 0;
  if (event_message(parent_tid, &message) != Outcome::kOk) return kContinue;
  const auto tid = static_cast<pid_t>(message);
  Tracee* parent = find(parent_tid);
  parent->bore_child = true;
  if (dead_early_.erase(tid) != 0) return kContinue;  // killed before it was announced: it made no call
  if (tracees_.contains(tid)) return kContinue;       // adopted meanwhile

  // CLONE_THREAD is not in the event; the flags of clone3 are in memory that other threads may change.
  const bool is_thread = stop.birth == BirthEvent::kClone && is_thread_of(tid, parent->tgid);
  if (is_thread && parent->is_held) {
    parent->is_held = false;
    cpu_.let_go(parent_tid);
    cpu_.let_go(tid);
  }
  add(tid, is_thread ? parent->tgid : tid, parent, is_thread ? BirthKind::kThread : BirthKind::kFork);
  if (early_.erase(tid) != 0) (void)resume(tid, how(tid), 0);
  return kContinue;
}

bool Life::has_tracee_of(pid_t tgid) const {
  for (const auto& [tid, tracee] : tracees_) {
    if (tracee.tgid == tgid) return true;
  }
  return false;
}

// A parent that is killed between making a child and its event stop never announces the child, which by then may be
// anyone's (it is given to init or to a subreaper). True when a live tracee can still announce `tid`; `gone` cannot any
// more.
bool Life::may_be_announced(pid_t tid, pid_t gone) const {
  ProcStatus status;
  if (!read_proc_status(tid, &status)) return true;  // it is dying: its end comes
  const pid_t maker = status.tgid == tid ? status.ppid : status.tgid;
  // Ours is what a CLONE_PARENT of the root makes: the root announces it while it lives.
  return maker != gone && has_tracee_of(maker == getpid() ? result_.root_pid : maker);
}

void Life::adopt(pid_t tid) {
  ProcStatus status;
  if (!read_proc_status(tid, &status)) return;
  note(tid, NoteKind::kUnknownTracee, 0);
  early_.erase(tid);
  if (has_tracee_of(status.tgid)) {
    add(tid, status.tgid, nullptr, BirthKind::kThread);
  } else if (!meet(tid, status.tgid, BirthKind::kOrphan)) {
    return;
  }
  (void)resume(tid, how(tid), 0);
}

// No thread of `tgid` is left that could announce a child.
void Life::adopt_orphans(pid_t tgid) {
  const std::vector<pid_t> early(early_.begin(), early_.end());
  for (const pid_t tid : early) {
    if (!may_be_announced(tid, tgid)) adopt(tid);
  }
}

Resumption Life::on_exec(pid_t tid) {
  uint64_t message = static_cast<uint64_t>(tid);
  if (event_message(tid, &message) != Outcome::kOk) return kContinue;
  const auto former = static_cast<pid_t>(message);
  // The thread that called exec takes the leader's tid; the leader itself has vanished without a notice.
  latest_ = nullptr;
  const auto maker = tracees_.find(former);
  const bool is_exact = maker != tracees_.end() && maker->second.is_exact;
  if (former != tid) tracees_.erase(former);
  Tracee& tracee = tracees_[tid];
  const bool is_held = tracee.is_held;
  tracee = Tracee{};
  tracee.is_exact = is_exact;
  tracee.is_held = is_held && former == tid;
  tracee.tid = tid;
  tracee.tgid = tid;

  if (!has_begun_) {
    has_begun_ = true;
    if (hides_host_) hide_host(true);
    result_.root_pid = tid;
    record(tid, RecordKind::kBirth, 0, static_cast<uint16_t>(BirthKind::kExec), static_cast<uint32_t>(tid));
    ring_.set_state(RingState::kRunning);
  }
  if (is_killing_) return kNothingDue;
  gate_.open_question();
  if (!record(tid, RecordKind::kExec, static_cast<uint32_t>(former), 0, now_ms())) return kNothingDue;
  const std::optional<Answer> answer = ask(tid);
  if (!answer.has_value()) return kNothingDue;
  guard_.exec(tid, answer->table);
  if (answer->decision != Decision::kAllow) {
    kill_session();
    return kNothingDue;
  }
  // Threads that the exec killed announce nothing any more.
  if (!early_.empty()) adopt_orphans(tid);
  return kContinue;
}

void Life::stop() {
  stopping_.store(true);
  ring_.stop();
  gate_.stop();
}

// Unlike kill_all() the session goes on until all have ended, and their ends are recorded.
void Life::kill_session() {
  is_killing_ = true;
  for (const auto& [tid, tracee] : tracees_) kill(tracee.tgid, SIGKILL);
  for (const pid_t tid : early_) kill(tid, SIGKILL);
}

// Whether the last recorded call was interrupted and will be repeated. A call that was withdrawn from its listener
// looks the same when it is made as the one before was. It is then taken for the repetition: a call that
// follows itself is recorded once instead of twice, which makes no transition that the program did not make. (The other
// way round a repetition could become one.) But a repetition is not judged: where a guard would find it a miss, the
// tracee is exact from then on, for two stops more a call.
bool Life::is_interrupted(Tracee& tracee) {
  const Interrupted interrupted = interrupted_call(tracee.tid, tracee.last);
  if (!interrupted.is_restarting || !may_withdraw_) return interrupted.is_restarting;
  // What we wrote at an earlier stop of the same halt, or what only the call itself can have returned.
  if (!interrupted.is_by_flag) return !tracee.is_withdrawn;
  if (tracee.is_exact) {
    if (tracee.is_received) return true;
  } else if (interrupted.is_last && may_restart_with_handler(tracee.last.call) && !tracee.is_withdrawn) {
    tracee.is_exact = guard_.would_miss(tracee.tid, tracee.last.call);
    return true;
  }
  repeat_for_certain(tracee.tid);
  tracee.is_withdrawn = true;
  return false;
}

// A traced task reports every signal, also ignored ones; only one with a handler starts a handler frame. SigCgt is read
// anew each time: SA_RESETHAND and rt_sigaction of other threads change it without telling.
Resumption Life::on_signal(Tracee& tracee, int signal) {
  ProcStatus status;
  const bool is_read = read_proc_status(tracee.tid, &status);
  if (!is_read && errno != ENOENT && errno != ESRCH) note(tracee.tid, NoteKind::kUnreadable, 0);
  const bool has_handler = is_read && ((status.caught >> (signal - 1)) & 1) != 0;
  const bool restarting = is_interrupted(tracee);
  if (has_handler) {
    if (has_begun_) {
      record(tracee.tid, RecordKind::kSignal, static_cast<uint32_t>(signal), 0, now_ms());
      guard_.signal(tracee.tid, signal);
    }
    push_frame(tracee, restarting);
  } else {
    interrupt(tracee, restarting);
  }
  return {true, How::kCont, signal};
}

Resumption Life::on_group_stop(Tracee& tracee, int signal) {
  interrupt(tracee, is_interrupted(tracee));
  // Not SIGSTOP: it is no job control, and who sent it sends SIGCONT to the program alone.
  if (stops_with_root_ && signal != SIGSTOP && tracee.tid == result_.root_pid) {
    (void)resume(tracee.tid, How::kListen, 0);
    kill(getpid(), SIGSTOP);
    return kNothingDue;
  }
  return {true, How::kListen, 0};
}

void Life::on_end(pid_t tid, const Stop& stop) {
  const pid_t tgid = find(tid)->tgid;
  latest_ = nullptr;
  tracees_.erase(tid);
  guard_.end(tid);
  if (tid == result_.root_pid) {
    result_.exit_code = stop.code;
    result_.exit_signal = stop.signal;
  }
  if (has_begun_) {
    record(tid, RecordKind::kExit, static_cast<uint32_t>(stop.code), static_cast<uint16_t>(stop.signal), now_ms());
  }
  if (!early_.empty() && !has_tracee_of(tgid)) adopt_orphans(tgid);
}

void Life::kill_all() {
  for (const auto& [tid, tracee] : tracees_) kill(tracee.tgid, SIGKILL);
  for (const pid_t tid : early_) kill(tid, SIGKILL);
  early_.clear();
  int status;
  for (;;) {
    const pid_t tid = wait_any(&status);
    if (tid < 0) return;
    if (tid == 0) continue;
    if (WIFSTOPPED(status)) {
      kill(tid, SIGKILL);  // born while we were killing
    } else if (find(tid) != nullptr) {
      on_end(tid, classify(status));
    }
  }
}

}  // namespace tracefp
