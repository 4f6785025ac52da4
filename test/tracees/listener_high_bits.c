// The kernel reads 32 bits of seccomp's operation: rubbish in the upper half does not hide that a listener was asked for.
//= arch x86_64
//= note listener
// Whether the kernel grants a second listener depends on the engine, as in filter_listener.
#include "filter.h"
#include "tracee.h"

int main(void) {
  struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {1, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  long listener = sys(seccomp, 0x700000000L + SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  return listener < 0 && errno != EBUSY;
}
