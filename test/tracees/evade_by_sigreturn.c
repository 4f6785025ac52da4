// A hand-made frame of a handler (SROP) leads to no place where more is allowed: its end is a miss by itself.
//= arch x86_64
//= count mkdir 0
#include <ucontext.h>
#include "evade.h"

static _Alignas(64) char stack[65536];
static ucontext_t frame;

static void landed(void) {
  last_step();
  sys(exit_group, 0);
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  frame.uc_mcontext.gregs[REG_RIP] = (greg_t)landed;
  frame.uc_mcontext.gregs[REG_RSP] = (greg_t)(stack + 32768 - 8);
  frame.uc_mcontext.gregs[REG_CSGSFS] = 0x33 | 0x2bL << 48;
  __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" : : "r"(&frame) : "memory");
  return 1;
}
