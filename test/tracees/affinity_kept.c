// The CPUs that a program chose for itself stay its own, and its threads', however often it asks and whatever it starts.
//= main: sched_setaffinity getppid*200 sched_getaffinity clone futex* sched_getaffinity
//= thread: sched_getaffinity exit exited(0)
#include "tracee.h"

static struct thread thread;
static int chosen;

static int is_kept(void) {
  cpu_set_t now;
  CPU_ZERO(&now);
  sys(sched_getaffinity, 0, sizeof now, &now);
  return CPU_COUNT(&now) == 1 && CPU_ISSET(chosen, &now);
}

static int run(void* unused) {
  (void)unused;
  return !is_kept();
}

int main(void) {
  cpu_set_t all, one;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return 1;
  for (chosen = CPU_SETSIZE - 1; !CPU_ISSET(chosen, &all);) chosen--;
  CPU_ZERO(&one);
  CPU_SET(chosen, &one);
  mark(1);
  sys(sched_setaffinity, 0, sizeof one, &one);
  repeat_getppid(200);
  int good = is_kept();
  start_thread(&thread, run, 0);
  join_thread(&thread);
  good = is_kept() && good;
  mark(2);
  return !good;
}
