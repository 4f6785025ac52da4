// An rt_sigreturn on a hand-made frame (SROP) is a record like the calls before and after it.
//= arch x86_64
//= main: getppid rt_sigreturn getpid exit_group
//= exit 7
#include <ucontext.h>
#include "tracee.h"

static _Alignas(64) char stack[65536];
static ucontext_t frame;

static void landed(void) {
  sys(getpid);
  sys(exit_group, 7);
}

int main(void) {
  frame.uc_mcontext.gregs[REG_RIP] = (greg_t)landed;
  frame.uc_mcontext.gregs[REG_RSP] = (greg_t)(stack + 32768 - 8);
  frame.uc_mcontext.gregs[REG_CSGSFS] = 0x33 | 0x2bLL << 48;
  mark(1);
  sys(getppid);
  __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" : : "r"(&frame) : "memory");
  return 1;
}
