// io_uring works unseen: its set-up is a record, and the session is inconclusive.
//= main: io_uring_setup getppid
//= maybe io_uring
#include "tracee.h"

int main(void) {
  char parameters[120] = {0};
  mark(1);
  sys(io_uring_setup, 4, parameters);
  sys(getppid);
  mark(2);
  return 0;
}
