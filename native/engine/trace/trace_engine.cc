#include "engine/trace/trace_engine.h"

#include "engine/host.h"
#include "engine/ptrace/stops.h"
#include "engine/trace/filter.h"

namespace tracefp {

namespace {

constexpr unsigned kStopsPerSigchldCheck = 64;

}  // namespace

TraceEngine::TraceEngine(const LaunchOptions& options, RingWriter& ring)
    : cpu_(options.pin),
      has_filter_(can_filter()),
      life_(ring, cpu_, result_, options, has_filter_ ? How::kCont : How::kSyscall),
      calls_(life_, cpu_, result_, options.fault),
      launch_(options),
      owns_process_(options.hides_host) {}

void TraceEngine::run() {
  shield_tracer_thread();
  cpu_.hold_self();
  result_.failure = launch_.start(has_filter_ ? trace_filter() : nullptr, FilterKind::kTrace);
  if (!result_.failure.ok()) return;
  life_.begin(launch_.pid());

  Stops stops(life_, calls_, &launch_, result_);
  for (unsigned stop_count = 0; !life_.is_over() && !life_.is_stopping(); stop_count++) {
    if (stop_count % kStopsPerSigchldCheck == 0) quiet_sigchld(owns_process_);
    int status;
    const pid_t tid = wait_any(&status);
    if (tid < 0) break;
    if (tid == 0) continue;
    const Resumption due = stops.step(tid, classify(status));
    const bool steps = !has_filter_ && due.how == How::kCont;
    if (due.is_due) (void)resume(tid, steps ? How::kSyscall : due.how, due.signal);
  }
  if (!life_.is_over()) life_.kill_all();
  if (!life_.has_begun() && result_.failure.ok()) result_.failure = launch_.failure();
}

}  // namespace tracefp
