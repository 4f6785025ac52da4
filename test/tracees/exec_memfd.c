// A program that lives in memory only (memfd) is an exec like any other.
//= main: execveat exec getppid
#include <sys/sendfile.h>
#include "tracee.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  struct stat stat;
  if (count > 1) {
    mark(1);
    sys(getppid);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  int file = open("/proc/self/exe", O_RDONLY), memory = (int)sys(memfd_create, "copy", 0);
  if (fstat(file, &stat) != 0 || sendfile(memory, file, 0, stat.st_size) != stat.st_size) return 1;
  mark(1);
  sys(execveat, memory, "", again, 0, AT_EMPTY_PATH);
  return 1;
}
