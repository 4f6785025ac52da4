#include "engine/trace/filter.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/host.h"
#include "engine/thread.h"

namespace tracefp {

// The kernel says EBUSY to a second listener. Filters belong to threads, so one that ends at once may try.
bool can_filter() {
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0) return true;  // no filter is above us
  bool is_granted = false;
  Thread trial;
  const Status started = trial.start([&is_granted] {
    shield_tracer_thread();
    sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{1, allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    constexpr long kFlags = SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER;
    const long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, &program);
    is_granted = listener >= 0;
    if (is_granted) close(static_cast<int>(listener));
  });
  if (!started.ok()) return false;
  trial.join();
  return is_granted;
}

}  // namespace tracefp
