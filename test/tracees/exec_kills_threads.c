// An exec by the leader ends the tracks of its busy threads and of nothing else.
//= main: clone*4 nanosleep execve exec:exec_kills_threads getppid exited(0)
//= thread*4: getppid+
// strace prints `???`, or the name of another thread's call, for a thread that is killed before it could read its stop.
#include <stdatomic.h>

#include "tracee.h"

static struct thread threads[4];
static atomic_int calling_count;

static int run(void* unused) {
  (void)unused;
  sys(getppid);
  calling_count++;
  while (sys(getppid) >= 0) continue;
  return 0;
}

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  mark(1);
  if (count > 1) {
    sys(getppid);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  for (int i = 0; i < 4; i++) start_thread(&threads[i], run, 0);
  while (calling_count < 4) continue;
  sleep_ms(100);
  return (int)sys(execve, "/proc/self/exe", again, 0);
}
