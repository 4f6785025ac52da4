// Does in masses what wears a tracer out: hard-life.live.test.ts says which by the first argument, and how often by the
// second. Every call must have done for it what it should, or it ends with 1.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t barrier;

// At most 64 at once, each makes one call more than it must.
static int forks(int count) {
  int alive = 0;
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
      syscall(SYS_getppid);
      _exit(0);
    }
    if (++alive == 64 && wait(0) > 0) alive--;
  }
  while (alive > 0 && wait(0) > 0) alive--;
  return alive;
}

static void* run_thread(void* unused) {
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 100; i++) syscall(SYS_getppid);
  pthread_barrier_wait(&barrier);
  return unused;
}

// All alive at once.
static int threads(int count) {
  pthread_t ids[count];
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  pthread_barrier_init(&barrier, 0, count);
  for (int i = 0; i < count; i++) {
    if (pthread_create(&ids[i], &small, run_thread, 0) != 0) return 1;
  }
  for (int i = 0; i < count; i++) pthread_join(ids[i], 0);
  return 0;
}

static int execs(int count) {
  char text[16];
  if (count == 0) return 0;
  snprintf(text, sizeof text, "%d", count - 1);
  execl("/proc/self/exe", "hard_life", "execs", text, (char*)0);
  return 1;
}

static int vforks(int count) {
  for (int i = 0; i < count; i++) {
    int status = 1;
    pid_t child = vfork();
    if (child == 0) {
      execl("/proc/self/exe", "hard_life", "execs", "0", (char*)0);
      _exit(1);
    }
    if (waitpid(child, &status, 0) != child || status != 0) return 1;
  }
  return 0;
}

// Closes every descriptor, ignores and blocks every signal that it can.
static int closes(int count) {
  sigset_t all;
  int status = 1;
  for (int fd = 0; fd < 1024; fd++) close(fd);
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, 0);
  for (int i = 1; i < 65; i++) {
    if (i != SIGCHLD) signal(i, SIG_IGN);
  }
  for (int i = 0; i < count; i++) syscall(SYS_getppid);
  pid_t child = fork();
  if (child == 0) _exit(0);
  return waitpid(child, &status, 0) != child || status != 0;
}

// Until there is no more memory, which is no reason to end.
static int takes(int megabytes) {
  for (int i = 0; i < megabytes; i++) {
    char* block = malloc(1 << 20);
    if (block == 0) break;
    memset(block, 1, 1 << 20);
  }
  return 0;
}

int main(int count, char** arguments) {
  static const struct {
    const char* name;
    int (*run)(int);
  } kinds[] = {{"forks", forks},   {"threads", threads}, {"execs", execs},
               {"vforks", vforks}, {"closes", closes},   {"takes", takes}};
  for (unsigned i = 0; count > 2 && i < sizeof kinds / sizeof *kinds; i++) {
    if (!strcmp(arguments[1], kinds[i].name)) return kinds[i].run(atoi(arguments[2])) != 0;
  }
  return 2;
}
