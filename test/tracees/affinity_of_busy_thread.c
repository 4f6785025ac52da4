// A thread that makes all the calls of its process sees the CPU mask it was started with, and so does who asks for it.
//= main: clone getppid*200 sched_getaffinity getppid*200 clone futex* sched_getaffinity exit_group exited(0)
//= thread*2: nanosleep sched_getaffinity exit exited(0)
#include "tracee.h"

static struct thread threads[2];
static cpu_set_t all;
static pid_t leader;

static int is_whole(pid_t tid) {
  cpu_set_t now;
  CPU_ZERO(&now);
  sys(sched_getaffinity, tid, sizeof now, &now);
  return CPU_EQUAL(&now, &all);
}

// The second one is made by a busy thread, whose mask it inherits.
static int run(void* of_leader) {
  sleep_ms(50);
  return is_whole(of_leader == 0 ? 0 : leader) ? 0 : 1;
}

int main(void) {
  CPU_ZERO(&all);
  if (sched_getaffinity(0, sizeof all, &all) != 0) return 1;
  leader = getpid();
  mark(1);
  start_thread(&threads[0], run, threads);
  repeat_getppid(200);
  int is_right = is_whole(0);
  repeat_getppid(200);
  start_thread(&threads[1], run, 0);
  for (int i = 0; i < 2; i++) join_thread(&threads[i]);
  sys(exit_group, is_right && is_whole(0) ? 0 : 1);
}
