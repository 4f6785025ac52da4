// One call between two that belong together, chosen by the first argument: without one there is nothing between them.
//= main: getppid getuid
// For guard mode: learned without an argument, then a call that was never there must not happen, however often it is tried
// (third argument), and what follows must not be disturbed. Returns the errno of the last one, 0 when it ran.
#include <linux/sched.h>
#include "tracee.h"

static struct thread thread;

static int run_thread(void* file) {
  sys(mkdir, file, 0755);
  return 0;
}

static long call(const char* what, const char* file) {
  unsigned long arguments[8] = {0, 0, 0, 0, SIGCHLD, 0, 0, 0};  // struct clone_args, first version
  char* names[] = {(char*)file, 0};
  int status;
  if (!strcmp(what, "mkdir")) return sys(mkdir, file, 0755);
  if (!strcmp(what, "open")) return sys(openat, AT_FDCWD, file, O_CREAT | O_WRONLY, 0644);
  if (!strcmp(what, "unlink")) return sys(unlinkat, AT_FDCWD, file, 0);
  if (!strcmp(what, "write")) return sys(write, 1, "written", 7);
  if (!strcmp(what, "execve")) return sys(execve, file, names, 0);
  if (!strcmp(what, "thread")) {
    long tid = start_thread(&thread, run_thread, (void*)file);
    while (__atomic_load_n(&thread.alive, __ATOMIC_SEQ_CST) != 0) continue;
    return tid;
  }
  if (!strcmp(what, "wait4")) return sys(wait4, -1, &status, 0, 0);
  if (!strcmp(what, "exit")) return sys(exit, 0);
  if (!strcmp(what, "exit_group")) return sys(exit_group, 0);
  if (!strcmp(what, "sigreturn")) return sys(rt_sigreturn);
  long child = -1;
  if (!strcmp(what, "clone")) child = raw_fork();
  if (!strcmp(what, "clone3")) child = sys(clone3, arguments, sizeof arguments);
#ifdef SYS_fork
  if (!strcmp(what, "fork")) child = sys(fork);
#endif
  if (!strcmp(what, "vfork")) child = vfork();
  if (child == 0) {
    sys(mkdir, file, 0755);
    _exit(0);
  }
  return child;
}

int main(int count, char** arguments) {
  long result = 0;
  int error = 0;
  mark(1);
  sys(getppid);
  for (int i = count > 3 ? atoi(arguments[3]) : count > 2; i > 0; i--) {
    result = call(arguments[1], arguments[2]);
    error = result < 0 ? errno : 0;
  }
  sys(getuid);
  mark(2);
  return error;
}
