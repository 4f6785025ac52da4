// A program that makes a directory named `target` and ends.
//= main: mkdir
#include "tracee.h"

int main(void) {
  mark(1);
  sys(mkdir, "target", 0755);
  mark(2);
  return 0;
}
