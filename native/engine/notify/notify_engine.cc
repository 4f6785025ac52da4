#include "engine/notify/notify_engine.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "engine/host.h"
#include "engine/notify/filter.h"
#include "engine/ptrace/proc.h"
#include "engine/ptrace/stops.h"

namespace tracefp {

namespace {

constexpr unsigned kStopsPerSigchldCheck = 64;
constexpr unsigned kStopsBeforeMove = 4;

// Since Linux 6.11 a listener whose last task has gone answers at once, again and again, until life has been told.
constexpr useconds_t kNothingPause = 100;
constexpr unsigned kNothingsBeforePause = 16;

}  // namespace

NotifyEngine::NotifyEngine(const LaunchOptions& options, RingWriter& ring)
    : cpu_(options.pin == Pin::kAuto ? Pin::kNever : options.pin),
      life_(ring, cpu_, result_, options, How::kCont, true),
      calls_(life_, cpu_, result_, options.fault),
      launch_(options),
      owns_process_(options.hides_host) {}

void NotifyEngine::run() {
  shield_tracer_thread();
  cpu_.hold_self();
  result_.failure = launch_.start(notify_filter(), FilterKind::kNotify);
  if (!result_.failure.ok()) return;
  life_.begin(launch_.pid());
  const int descriptor = launch_.take_listener();
  if (descriptor < 0) {
    const int error = errno;
    life_.kill_all();
    result_.failure = launch_.failure();
    if (result_.failure.error == ECHILD) result_.failure = {"seccomp(listener)", error};
    return;
  }
  listener_ = std::make_unique<Listener>(descriptor);
  if (!listener_->use_sync_wake_up() && cpu_.is_free()) {
    // Before Linux 6.6 every call would cost two wake-ups across CPUs: the engine `trace` is cheaper then.
    life_.kill_all();
    result_.failure = {"seccomp(listener)", ENOTTY};
    return;
  }
  result_.failure = listening_.start([this] { listen(); });
  if (!result_.failure.ok()) return life_.kill_all();
  follow_life();
  end_listening();
  if (!life_.has_begun() && result_.failure.ok()) result_.failure = launch_.failure();
}

void NotifyEngine::follow_life() {
  Stops stops(life_, calls_, &launch_, result_);
  for (unsigned stop_count = 0;; stop_count++) {
    if (stop_count % kStopsPerSigchldCheck == 0) quiet_sigchld(owns_process_);
    follow_calls();
    int status;
    const pid_t tid = wait_any(&status);
    const std::lock_guard lock(mutex_);
    if (tid < 0 || life_.is_stopping()) break;
    if (tid > 0) {
      const Resumption due = stops.step(tid, classify(status));
      if (due.is_due) (void)resume(tid, due.how == How::kCont ? life_.how(tid) : due.how, due.signal);
    }
    if (life_.is_over() || life_.is_stopping()) break;
  }
  const std::lock_guard lock(mutex_);
  if (!life_.is_over()) life_.kill_all();
}

// A wake-up across CPUs costs several times a stop on a virtual machine, and where a CPU idles the kernel wakes us
// there. So we wait where the calls are made, unless that changes all the time.
void NotifyEngine::follow_calls() {
  const int cpu = calls_cpu_.load(std::memory_order_relaxed);
  if (cpu == life_cpu_) {
    stops_elsewhere_ = 0;
  } else if (++stops_elsewhere_ >= kStopsBeforeMove) {
    stops_elsewhere_ = 0;
    life_cpu_ = cpu;
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(cpu, &mask);
    (void)sched_setaffinity(0, sizeof mask, &mask);
  }
}

void NotifyEngine::end_listening() {
  is_over_.store(true);
  while (!has_ended_.load()) {
    wake_tracer_thread(listening_.handle());
    usleep(200);
  }
  listening_.join();
  listener_.reset();
}

void NotifyEngine::listen() {
  shield_tracer_thread();
  unsigned nothing_count = 0;
  while (!is_over_.load()) {
    Notification notification;
    switch (listener_->receive(&notification)) {
      case Received::kCall:
        nothing_count = 0;
        on_call(notification);
        break;
      case Received::kNothing:
        if (++nothing_count >= kNothingsBeforePause) usleep(kNothingPause);
        break;
      case Received::kOver:
        usleep(kNothingPause);
        break;
    }
  }
  has_ended_.store(true);
}

void NotifyEngine::on_call(const Notification& notification) {
  calls_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
  const Due due = record(notification);
  switch (due.what) {
    case CallDue::kRun:
    case CallDue::kRunAndReturn:  // those few come through ptrace
      listener_->let_run(notification.id);
      break;
    case CallDue::kRefuse:
      listener_->refuse(notification.id, due.result);
      break;
    case CallDue::kNothing:
      break;
  }
}

Due NotifyEngine::record(const Notification& notification) {
  const std::lock_guard lock(mutex_);
  if (!life_.has_begun()) return {CallDue::kRun};  // the launcher's own calls
  Tracee* tracee = life_.find(notification.tid);
  if (tracee == nullptr) {
    // Its birth would have been recorded before it could call: it escaped its tracer (CLONE_UNTRACED), or it has just
    // died.
    if (!listener_->is_waiting(notification.id)) return {CallDue::kNothing};
    ProcStatus status;
    kill(read_proc_status(notification.tid, &status) ? status.tgid : notification.tid, SIGKILL);
    life_.note(notification.tid, NoteKind::kUntracedKilled, 0);
    return {CallDue::kNothing};
  }
  SyscallInfo info{};
  info.audit_arch = notification.audit_arch;
  info.ip = notification.ip;
  info.nr = static_cast<uint64_t>(static_cast<int64_t>(notification.nr));
  for (int i = 0; i < 6; i++) info.args[i] = notification.args[i];
  return calls_.entered(*tracee, info);
}

}  // namespace tracefp
