// A thread made by clone3 is a thread track, although its flags are in memory and not in a register.
//= arch x86_64
//= main: clone3 futex*
//= thread: getppid exit exited(0)
#include "tracee.h"

static _Alignas(64) char stack[32768];
static int alive = 1;

int main(void) {
  // struct clone_args, first version: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls
  unsigned long arguments[8] = {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID,
                                0,
                                (unsigned long)&alive,
                                0,
                                0,
                                (unsigned long)stack,
                                sizeof stack,
                                0};
  long result = SYS_clone3;
  mark(1);
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "mov %[getppid], %%eax; syscall\n\t"
      "xor %%edi, %%edi; mov %[exit], %%eax; syscall\n\t"
      "1:"
      : "+a"(result)
      : "D"(arguments), "S"(sizeof arguments), [getppid] "i"(SYS_getppid), [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory");
  while (__atomic_load_n(&alive, __ATOMIC_SEQ_CST) != 0) sys(futex, &alive, FUTEX_WAIT, 1, 0, 0, 0);
  mark(2);
  return result <= 0;
}
