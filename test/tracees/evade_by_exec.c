// A program outside of the exec set is stopped before its first instruction.
//= count mkdir 0
// The stranger is a copy of this program, which whoever attacks puts beside it.
#include "evade.h"

int main(int count, char** arguments) {
  char* again[] = {"again", "again", 0};
  begin_evading(count, arguments);
  if (!strcmp(arguments[0], "again")) {
    char path[4096] = {0};
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return 1;
    if (strstr(path, "stranger") != 0) sys(mkdir, "escaped", 0755);
    return 0;
  }
  if (!is_plain) sys(execve, attacks ? "./stranger" : "/proc/self/exe", again, 0);
  return last_step() < 0;
}
