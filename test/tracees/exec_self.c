// A program that execs itself goes on in the same track, with the execve before the new image.
//= main: getppid execve exec:exec_self getppid*2
#include "tracee.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  mark(1);
  sys(getppid);
  if (count == 1) sys(execve, "/proc/self/exe", again, 0);
  sys(getppid);
  mark(2);
  return count != 2 || strcmp(arguments[1], "again");
}
