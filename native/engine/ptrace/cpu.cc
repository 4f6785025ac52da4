#include "engine/ptrace/cpu.h"

namespace tracefp {

void CpuHold::hold_self() {
  if (pin_ == Pin::kNever) return;
  if (sched_getaffinity(0, sizeof all_, &all_) != 0) return;
  const int cpu = sched_getcpu();
  if (cpu < 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  is_held_ = sched_setaffinity(0, sizeof one, &one) == 0;
}

void CpuHold::let_go(pid_t tid) const {
  // The tracee may be gone or have been given another mask by its cgroup: nothing to do then.
  (void)sched_setaffinity(tid, sizeof all_, &all_);
}

}  // namespace tracefp
