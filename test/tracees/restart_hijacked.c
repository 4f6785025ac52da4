// A handler that puts another number in place of the call to be restarted makes a new call, which is a record.
//= arch x86_64
//= main: write read [SIGUSR1 rt_sigreturn] getppid getpid
#include <ucontext.h>
#include "tracee.h"

static void on_signal(int signal, siginfo_t* info, void* context) {
  ucontext_t* frame = context;
  (void)signal;
  (void)info;
  frame->uc_mcontext.gregs[REG_RAX] = SYS_getppid;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  int data[2], ready[2];
  char byte;
  pid_t parent = getpid();
  if (pipe(data) != 0 || pipe(ready) != 0 || sigaction(SIGUSR1, &action, 0) != 0) return 1;
  if (fork_helper() == 0) {
    if (read(ready[0], &byte, 1) != 1) _exit(1);
    sleep_ms(150);
    kill(parent, SIGUSR1);
    _exit(0);
  }
  mark(1);
  sys(write, ready[1], "x", 1);
  long result = sys(read, data[0], &byte, 1);
  sys(getpid);
  mark(2);
  return result <= 1;  // the pid of the parent, not a count of bytes
}
