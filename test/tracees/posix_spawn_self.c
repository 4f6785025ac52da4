// A program started by posix_spawn is one forked track with one exec.
//= fork: getppid*3 exited(0)
//= births fork 1
//= count execve 1..2
#include <spawn.h>
#include "tracee.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  int status = 1;
  pid_t child;
  if (count > 1) {
    mark(1);
    repeat_getppid(3);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  if (posix_spawn(&child, "/proc/self/exe", 0, 0, again, 0) != 0) return 1;
  wait_for(child, &status);
  return status;
}
