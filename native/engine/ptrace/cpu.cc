#include "engine/ptrace/cpu.h"

namespace tracefp {

void CpuHold::hold_self() {
  if (pin_ == Pin::kNever) return;
  if (sched_getaffinity(0, sizeof all_, &all_) != 0) return;
  const int cpu = sched_getcpu();
  if (cpu < 0) return;
  CPU_ZERO(&one_);
  CPU_SET(cpu, &one_);
  is_held_ = sched_setaffinity(0, sizeof one_, &one_) == 0;
}

void CpuHold::let_go(pid_t tid) const {
  // The tracee may be gone or have been given another mask by its cgroup: nothing to do then.
  (void)sched_setaffinity(tid, sizeof all_, &all_);
}

bool CpuHold::hold(pid_t tid) const {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(tid, sizeof mask, &mask) != 0 || !CPU_EQUAL(&mask, &all_)) return false;
  return sched_setaffinity(tid, sizeof one_, &one_) == 0;
}

}  // namespace tracefp
