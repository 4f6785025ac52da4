// An rt_sigreturn with rubbish on the stack is a record, and the kernel kills by SIGSEGV.
//= arch x86_64
//= main: clone wait4
//= fork: getppid rt_sigreturn killed(SIGSEGV)
#include "tracee.h"

static char rubbish[65536];

int main(void) {
  int status = 0;
  no_core();
  memset(rubbish, 0xa5, sizeof rubbish);
  mark(1);
  pid_t child = raw_fork();
  if (child == 0) {
    sys(getppid);
    __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" : : "r"(rubbish + 32768) : "memory");
  }
  wait_for(child, &status);
  mark(2);
  return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
