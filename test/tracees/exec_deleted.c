// A program whose file was removed after it started still execs itself.
//= main: execve exec getppid
#include <sys/sendfile.h>
#include "tracee.h"

int main(int count, char** arguments) {
  char *copy[] = {"copy", "copy", 0}, *last[] = {"last", "last", "last", 0};
  struct stat stat;
  if (count == 1) {
    int file = open("/proc/self/exe", O_RDONLY), other = open("copy", O_CREAT | O_WRONLY, 0755);
    if (fstat(file, &stat) != 0 || sendfile(other, file, 0, stat.st_size) != stat.st_size) return 1;
    close(other);
    return (int)sys(execve, "./copy", copy, 0);
  }
  if (count == 2) {
    if (unlink("copy") != 0) return 1;
    mark(1);
    return (int)sys(execve, "/proc/self/exe", last, 0);
  }
  mark(1);
  sys(getppid);
  mark(2);
  return strcmp(arguments[1], "last");
}
