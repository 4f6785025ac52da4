// A program that makes itself undumpable is followed through its calls, its fork and its exec.
//= main: prctl getppid clone wait4 execve exec:not_dumpable getppid
//= fork: getppid exit_group exited(0)
#include "tracee.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  mark(1);
  if (count > 1) {
    sys(getppid);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  sys(prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  sys(getppid);
  pid_t child = raw_fork();
  if (child == 0) {
    sys(getppid);
    sys(exit_group, 0);
  }
  wait_for(child, 0);
  // Its own /proc entry belongs to root now, so the way is the path of the file.
  sys(execve, arguments[0], again, 0);
  return 1;
}
