// Eight threads that make calls at the same time, each its own mix of three.
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static const long kCalls[] = {SYS_getppid, SYS_getuid, SYS_gettid, SYS_getpgrp};

static void* run(void* number) {
  for (int i = 0; i < 20000; i++) syscall(kCalls[((intptr_t)number + i % 3) % 4]);
  return 0;
}

int main(void) {
  pthread_t threads[8];
  for (intptr_t i = 0; i < 8; i++) pthread_create(&threads[i], 0, run, (void*)i);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
  return 0;
}
