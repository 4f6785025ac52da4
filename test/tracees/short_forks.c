// Two hundred children that end at once are two hundred tracks.
//= main: clone*200 wait4*200
//= fork*200: exit_group exited(0)
//= births fork 200
#include "tracee.h"

int main(void) {
  int reaped = 0;
  mark(1);
  for (int i = 0; i < 200; i++) {
    if (raw_fork() == 0) sys(exit_group, 0);
  }
  for (int i = 0; i < 200; i++) reaped += wait_for(-1, 0) > 0;
  mark(2);
  return reaped != 200;
}
