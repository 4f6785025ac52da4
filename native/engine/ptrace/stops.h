// One ptrace stop, from what happened to what is due: calls go to Calls, everything else to Life.
#pragma once

#include "engine/ptrace/calls.h"
#include "engine/ptrace/launch.h"
#include "engine/ptrace/life.h"

namespace tracefp {

class Stops {
 public:
  // `launch` null: what runs was not launched.
  Stops(Life& life, Calls& calls, const Launch* launch, EngineResult& result)
      : life_(life), calls_(calls), launch_(launch), result_(result) {}

  Resumption step(pid_t tid, const Stop& stop);

 private:
  Resumption on_entry(Tracee& tracee, const SyscallInfo& info);
  Resumption on_seccomp(Tracee& tracee);
  Resumption on_syscall(Tracee& tracee);

  Life& life_;
  Calls& calls_;
  const Launch* launch_;
  EngineResult& result_;
};

}  // namespace tracefp
