// Engine `trace`: ptrace and SECCOMP_RET_TRACE, one stop per call. Needs Linux 5.3. It can lose nothing: the tracee
// waits. Below somebody else's listener RET_TRACE would not see all: there it is PTRACE_SYSCALL, two stops per call.
#pragma once

#include "engine/engine.h"
#include "engine/ptrace/calls.h"
#include "engine/ptrace/cpu.h"
#include "engine/ptrace/launch.h"
#include "engine/ptrace/life.h"

namespace tracefp {

class TraceEngine final : public Engine {
 public:
  // `ring` must outlive the engine.
  TraceEngine(const LaunchOptions& options, RingWriter& ring);

  void run() override;
  void stop() override { life_.stop(); }
  void answer(uint32_t question, const Answer& answer) override { life_.answer(question, answer); }
  const EngineResult& result() const override { return result_; }

 private:
  EngineResult result_;
  CpuHold cpu_;
  const bool has_filter_;
  Life life_;
  Calls calls_;
  Launch launch_;
  const bool owns_process_;
};

}  // namespace tracefp
