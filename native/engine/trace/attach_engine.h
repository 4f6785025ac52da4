// Engine `trace`, attached: joins a process that already runs, with its threads and all processes below it. There is no
// filter, so every call is two stops (PTRACE_SYSCALL). Nothing is told of what was before: tracks are met mid-stream.
// When the session ends first, the processes go on as before: the kernel lets go of them with the tracer thread.
//
//   seize all tasks, interrupt each; its first stop: joined, recorded, and its siblings and children looked for
#pragma once

#include <deque>
#include <unordered_map>
#include <utility>

#include "engine/engine.h"
#include "engine/ptrace/calls.h"
#include "engine/ptrace/cpu.h"
#include "engine/ptrace/life.h"
#include "engine/ptrace/stops.h"

namespace tracefp {

class AttachEngine final : public Engine {
 public:
  // `ring` must outlive the engine.
  AttachEngine(const AttachOptions& options, RingWriter& ring);

  void run() override;
  // The tracees are let go, not killed.
  void stop() override { life_.stop(); }
  void answer(uint32_t question, const Answer& answer) override { life_.answer(question, answer); }
  const EngineResult& result() const override { return result_; }

 private:
  Status seize_process(pid_t tgid);
  void seize_family(pid_t tgid);
  void on_stop(pid_t tid, int status);
  void step(pid_t tid, int status);

  const pid_t pid_;
  const bool hides_host_;
  EngineResult result_;
  CpuHold cpu_;
  Life life_;
  Calls calls_;
  Stops stops_;
  std::unordered_map<pid_t, pid_t> pending_;     // seized tids, not yet stopped, and their processes
  std::deque<std::pair<pid_t, int>> postponed_;  // stops of children whose parents are pending
};

}  // namespace tracefp
