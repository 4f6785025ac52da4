// An exec in a handler ends all frames: the new image begins on none.
//= main: kill SIGUSR1 execve exec:handler_execs getppid kill getpid
#include "tracee.h"

static void on_signal(int signal) {
  char* arguments[] = {"again", "again", 0};
  (void)signal;
  sys(execve, "/proc/self/exe", arguments, 0);
}

int main(int count, char** arguments) {
  pid_t self = getpid();
  if (count > 1) {
    mark(1);
    sys(getppid);
    // The mask is inherited and SIGUSR1 still blocked; the handler is not inherited.
    sys(kill, self, SIGUSR1);
    sys(getpid);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  handle(SIGUSR1, on_signal, 0);
  mark(1);
  sys(kill, self, SIGUSR1);
  return 1;
}
