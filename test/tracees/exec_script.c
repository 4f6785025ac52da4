// A script is an exec of its interpreter, and the image names the script.
//= main: execve exec:exec_script+hello.sh getppid*2
#include "tracee.h"

int main(int count, char** arguments) {
  char self[4096] = {0}, line[5000], *script[] = {"hello.sh", 0};
  if (count > 1) {
    mark(1);
    repeat_getppid(2);
    mark(2);
    return strcmp(arguments[1], "again");
  }
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
  int length = snprintf(line, sizeof line, "#!%s again\n", self);
  int file = open("hello.sh", O_CREAT | O_WRONLY, 0755);
  if (write(file, line, length) != length) return 1;
  close(file);
  mark(1);
  sys(execve, "./hello.sh", script, 0);
  return 1;
}
