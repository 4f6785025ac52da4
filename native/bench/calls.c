// Makes so many getppid calls, spread over so many processes with so many threads each: calls COUNT [PROCESSES
// [THREADS]]
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long calls;

static void* make_calls(void* nothing) {
  for (long i = 0; i < calls; i++) syscall(SYS_getppid);
  return nothing;
}

static int run(long threads) {
  pthread_t others[1024];
  for (long i = 1; i < threads; i++) {
    if (pthread_create(&others[i], 0, make_calls, 0) != 0) return 1;
  }
  make_calls(0);
  for (long i = 1; i < threads; i++) pthread_join(others[i], 0);
  return 0;
}

int main(int count, char** arguments) {
  const long processes = count > 2 ? atol(arguments[2]) : 1;
  const long threads = count > 3 ? atol(arguments[3]) : 1;
  if (threads > 1024) return 2;
  calls = (count > 1 ? atol(arguments[1]) : 0) / (processes * threads);
  for (long i = 1; i < processes; i++) {
    const pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) _exit(run(threads));
  }
  int status = run(threads);
  for (long i = 1; i < processes; i++) {
    int ended = 0;
    if (wait(&ended) < 0 || ended != 0) status = 1;
  }
  return status;
}
