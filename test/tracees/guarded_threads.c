// Four threads make the same calls side by side; with an argument one of them makes another between any two.
//= main: clone*4 futex*
//= thread*4: (getppid getuid)*100 exit exited(0)
//= births thread 4
// For guard mode: what is denied to one thread is no matter to the others. Returns how often the other call ran.
#include "tracee.h"

static struct thread threads[4];
static const char* file;
static int ran;

static int run(void* is_odd) {
  for (int i = 0; i < 100; i++) {
    sys(getppid);
    if (is_odd != 0 && sys(mkdir, file, 0755) == 0) ran++;
    sys(getuid);
  }
  return 0;
}

int main(int count, char** arguments) {
  if (count > 1) file = arguments[1];
  mark(1);
  for (int i = 0; i < 4; i++) start_thread(&threads[i], run, i == 2 && count > 1 ? threads : 0);
  for (int i = 0; i < 4; i++) join_thread(&threads[i]);
  mark(2);
  return ran;
}
