// A program outside of the exec set is stopped before its first instruction when a thread executes it, too.
//= count mkdir 0
#include "evade.h"

static struct thread thread;

static int execute(void* unused) {
  char* again[] = {"again", "again", 0};
  (void)unused;
  sleep_ms(50);  // the leader waits by then, in every run
  sys(execve, attacks ? "./stranger" : "/proc/self/exe", again, 0);
  return 1;
}

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (!strcmp(arguments[0], "again")) {
    char path[4096] = {0};
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return 1;
    if (strstr(path, "stranger") != 0) sys(mkdir, "escaped", 0755);
    return 0;
  }
  if (is_plain) return last_step() < 0;
  start_thread(&thread, execute, 0);
  join_thread(&thread);
  return 1;
}
