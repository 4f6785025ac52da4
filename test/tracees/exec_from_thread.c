// An exec by a thread that is not the leader: the thread's track goes on under the tid of the leader.
//= main: clone read
//= thread: nanosleep execve exec:exec_from_thread getppid*2 exited(0)
#include "tracee.h"

static struct thread thread;

static int run(void* unused) {
  char* again[] = {"again", "again", 0};
  (void)unused;
  sleep_ms(100);
  return (int)sys(execve, "/proc/self/exe", again, 0);
}

int main(int count, char** arguments) {
  int ends[2];
  char byte;
  if (count > 1) {
    mark(1);
    repeat_getppid(2);
    mark(2);
    return strcmp(arguments[1], "again") || getpid() != (pid_t)sys(gettid);
  }
  if (pipe(ends) != 0) return 1;
  mark(1);
  start_thread(&thread, run, 0);
  return (int)sys(read, ends[0], &byte, 1);
}
