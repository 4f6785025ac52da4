// A walk through six calls in an order that looks random and is always the same; with an argument another walk.
//= count mkdir 0
//= births fork 1
// For guard mode: at every depth the walks differ at other places, and it finds what is found without it.
#include "tracee.h"

static unsigned state;

static void on_signal(int signal) {
  (void)signal;
  sys(getppid);
}

static void step(void) {
  static const int calls[] = {SYS_getppid, SYS_getuid, SYS_getgid, SYS_geteuid, SYS_getegid, SYS_gettid};
  state = state * 1103515245 + 12345;
  syscall(calls[(state >> 16) % 6]);
  if ((state >> 16) % 50 == 7) sys(tgkill, getpid(), gettid(), SIGUSR1);
}

int main(int count, char** arguments) {
  state = count > 1 ? (unsigned)atoi(arguments[1]) : 1;
  handle(SIGUSR1, on_signal, 0);
  for (int i = 0; i < 150; i++) step();
  pid_t child = raw_fork();
  for (int i = 0; i < 50; i++) step();
  if (child == 0) sys(exit_group, 0);
  return wait_for(child, 0) != child;
}
