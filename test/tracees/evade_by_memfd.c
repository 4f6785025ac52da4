// A program that was written into memory only is outside of the exec set.
//= count mkdir 0
#include <sys/sendfile.h>
#include "evade.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  struct stat stat;
  begin_evading(count, arguments);
  if (!strcmp(arguments[0], "again")) {
    char path[4096] = {0};
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return 1;
    if (strstr(path, "memfd:") != 0) sys(mkdir, "escaped", 0755);
    return 0;
  }
  if (is_plain) return last_step() < 0;
  int file = open("/proc/self/exe", O_RDONLY), memory = (int)sys(memfd_create, "copy", 0);
  if (fstat(file, &stat) != 0 || sendfile(memory, file, 0, stat.st_size) != stat.st_size) return 1;
  sys(execveat, attacks ? memory : file, "", again, 0, AT_EMPTY_PATH);
  return 1;
}
