// A fault with a handler is a frame, and the handler may repair and return.
//= main: getppid [SIGSEGV mprotect rt_sigreturn] getpid
#include <sys/mman.h>
#include "tracee.h"

static char* page;

static void on_fault(int signal) {
  (void)signal;
  sys(mprotect, page, 4096, PROT_READ | PROT_WRITE);
}

int main(void) {
  page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  handle(SIGSEGV, on_fault, 0);
  mark(1);
  sys(getppid);
  *(volatile char*)page = 1;
  sys(getpid);
  mark(2);
  return 0;
}
