// A vfork child that execs is a track that goes on in the new image.
//= arch x86_64
//= main: vfork wait4
//= fork: execve exec:vfork_then_exec getppid*3 exited(0)
#include "tracee.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  int status = 1;
  mark(1);
  if (count > 1) {
    repeat_getppid(3);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  pid_t child = vfork();
  if (child == 0) {
    sys(execve, "/proc/self/exe", again, 0);
    _exit(1);
  }
  wait_for(child, &status);
  mark(2);
  return status;
}
