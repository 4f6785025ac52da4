// A thread that exits takes nothing from its siblings: whoever forks meanwhile announces the child itself.
//= births fork 300
//= births join 0
//= count getppid 300
// Not compared track by track: how many threads come and go in that time varies.
#include <pthread.h>
#include "tracee.h"

static int is_over;

static void* leave(void* unused) { return unused; }

static void* churn(void* unused) {
  pthread_t thread;
  while (!__atomic_load_n(&is_over, __ATOMIC_SEQ_CST)) {
    if (pthread_create(&thread, 0, leave, 0) == 0) pthread_join(thread, 0);
  }
  return unused;
}

int main(void) {
  pthread_t threads[3];
  int status, bad = 0;
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, churn, 0);
  for (int i = 0; i < 300; i++) {
    pid_t child = raw_fork();
    if (child == 0) {
      sys(getppid);
      sys(exit_group, 7);
    }
    if (wait_for(child, &status) != child || WEXITSTATUS(status) != 7) bad++;
  }
  __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
  return bad != 0;
}
