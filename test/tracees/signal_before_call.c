// A signal that arrives right before a syscall instruction interrupts no call: the call after the frame is a record.
//= arch x86_64
//= main: kill [SIGUSR1 getppid rt_sigreturn] read getpid
#include "tracee.h"

static void on_signal(int signal) {
  (void)signal;
  sys(getppid);
}

int main(void) {
  long result, self = getpid();
  handle(SIGUSR1, on_signal, SA_RESTART);
  mark(1);
  // kill returns 0, which is the number of read: the frame saves an ip that is on the second syscall instruction, and
  // the descriptor, our pid, is not open.
  __asm__ volatile("syscall; syscall"
                   : "=a"(result)
                   : "a"(SYS_kill), "D"(self), "S"(SIGUSR1), "d"(1)
                   : "rcx", "r11", "memory");
  sys(getpid);
  mark(2);
  return result != -EBADF;
}
