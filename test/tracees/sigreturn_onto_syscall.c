// A hand-made frame that returns onto a syscall instruction restarts nothing: the call there is a record.
//= arch x86_64
//= main: getppid rt_sigreturn getpid exit_group
//= exit 7
#include <ucontext.h>
#include "tracee.h"

static _Alignas(64) char stack[65536];
static ucontext_t frame;
extern const char call_here[];

// Reached by the frame only, in the middle: with the number of getpid already in rax.
__attribute__((used)) static void landed(void) {
  __asm__ volatile(".globl call_here\ncall_here: syscall");
  sys(exit_group, 7);
}

int main(void) {
  frame.uc_mcontext.gregs[REG_RIP] = (greg_t)call_here;
  frame.uc_mcontext.gregs[REG_RAX] = SYS_getpid;
  frame.uc_mcontext.gregs[REG_RSP] = (greg_t)(stack + 32768 - 8);
  frame.uc_mcontext.gregs[REG_CSGSFS] = 0x33 | 0x2bLL << 48;
  mark(1);
  sys(getppid);
  __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" : : "r"(&frame) : "memory");
  return 1;
}
