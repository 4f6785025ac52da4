// Four pthreads of 100 calls each lose and repeat none, whatever libc adds around them.
//= births thread 4
//= count getppid 400
#include <pthread.h>
#include "tracee.h"

static void* run(void* unused) {
  repeat_getppid(100);
  return unused;
}

int main(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    if (pthread_create(&threads[i], 0, run, 0) != 0) return 1;
  }
  for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
  return 0;
}
