// Engine `notify`: calls reach us through a seccomp listener, life through ptrace. Needs Linux 5.19; on 6.6 and newer
// no CPU has to be shared. Two thirds of the cost of `trace`, and it loses nothing either: the tracee waits for the
// answer.
//
//   life thread (ptrace)                      listener thread
//   birth, exec, signal, exit: lock,          call: lock, record, unlock,
//   record, unlock, resume                    answer "continue"
//
// Each thread records before it lets the tracee go on, so the order per tracee is that of the kernel: a birth before
// the first call, a signal before the calls of its handler. Two threads are needed: a tracee in a signal-delivery-stop
// while the only thread waits for a call would be a deadlock.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "engine/engine.h"
#include "engine/notify/listener.h"
#include "engine/ptrace/calls.h"
#include "engine/ptrace/cpu.h"
#include "engine/ptrace/launch.h"
#include "engine/ptrace/life.h"
#include "engine/thread.h"

namespace tracefp {

class NotifyEngine final : public Engine {
 public:
  // `ring` must outlive the engine.
  NotifyEngine(const LaunchOptions& options, RingWriter& ring);

  void run() override;
  void stop() override { life_.stop(); }
  void answer(uint32_t question, const Answer& answer) override { life_.answer(question, answer); }
  const EngineResult& result() const override { return result_; }

 private:
  void follow_life();
  void listen();
  void on_call(const Notification& notification);
  Due record(const Notification& notification);
  void follow_calls();
  void end_listening();

  EngineResult result_;
  CpuHold cpu_;
  Life life_;
  Calls calls_;
  Launch launch_;
  const bool owns_process_;
  std::mutex mutex_;  // guards life_ and the ring between the two threads
  std::unique_ptr<Listener> listener_;
  Thread listening_;
  std::atomic<bool> is_over_{false};
  std::atomic<int> calls_cpu_{-1};
  int life_cpu_ = -1;
  unsigned stops_elsewhere_ = 0;
  std::atomic<bool> has_ended_{false};
};

}  // namespace tracefp
