// Handlers start in a process of a thousand groups as in any other: its status in /proc is merely long.
//= main: (getppid tgkill [SIGUSR1 getuid rt_sigreturn])*3
// Only root can have the groups; for others it is one more program with a handler.
#include <grp.h>
#include "tracee.h"

static void on_signal(int signal) {
  (void)signal;
  sys(getuid);
}

int main(void) {
  static gid_t groups[1000];
  for (int i = 0; i < 1000; i++) groups[i] = 1000000000u + (gid_t)i;
  if (setgroups(1000, groups) != 0 && errno != EPERM) return 1;
  pid_t self = getpid();
  handle(SIGUSR1, on_signal, 0);
  mark(1);
  for (int i = 0; i < 3; i++) {
    sys(getppid);
    sys(tgkill, self, self, SIGUSR1);
  }
  mark(2);
  return 0;
}
