// An execve that fails (ENOENT, EACCES, ENOEXEC) is a record and no exec.
//= main: execve*3 getppid
#include "tracee.h"

static int fails_with(const char* path, int error) {
  char* arguments[] = {"none", 0};
  return sys(execve, path, arguments, 0) == -1 && errno == error;
}

int main(void) {
  close(open("plain", O_CREAT | O_WRONLY, 0644));
  int file = open("garbage", O_CREAT | O_WRONLY, 0755);
  if (write(file, "no program\n", 11) != 11) return 1;
  close(file);
  mark(1);
  int right = fails_with("missing", ENOENT) + fails_with("plain", EACCES) + fails_with("garbage", ENOEXEC);
  sys(getppid);
  mark(2);
  return right != 3;
}
