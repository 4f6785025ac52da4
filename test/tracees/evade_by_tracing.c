// A program can neither trace its tracer, nor read or write its memory, nor take its descriptors, nor have itself traced.
//= count mkdir 0
// Where the program is root it can: nothing is kept from root.
#include <sys/ptrace.h>
#include <sys/uio.h>
#include "evade.h"

int main(int count, char** arguments) {
  char path[64], byte = 0;
  struct iovec own = {&byte, 1}, other = {&own, 1};
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  pid_t tracer = tracer_to_attack();
  int won = 0;
  won += sys(ptrace, PTRACE_TRACEME, 0, 0, 0) == 0;
  won += sys(ptrace, PTRACE_SEIZE, tracer, 0, 0) == 0;
  won += sys(process_vm_writev, tracer, &own, 1L, &other, 1L, 0L) == 1;
  snprintf(path, sizeof path, "/proc/%d/mem", tracer);
  won += sys(openat, AT_FDCWD, path, O_RDWR) >= 0;
  int process = (int)sys(pidfd_open, tracer, 0);
  for (int fd = 0; fd < 64; fd++) won += sys(pidfd_getfd, process, fd, 0) >= 0;
  last_step();
  return won != 0 && getuid() != 0;
}
