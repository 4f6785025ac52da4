// execveat of an open file is an exec of the file behind it.
//= main: execveat exec:exec_descriptor getppid
#include "tracee.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  int file = open("/proc/self/exe", O_RDONLY);
  mark(1);
  if (count > 1) {
    sys(getppid);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  sys(execveat, file, "", again, 0, AT_EMPTY_PATH);
  return 1;
}
