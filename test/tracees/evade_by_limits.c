// Limits that the program sets, for itself and for its tracer, do not let a call through.
//= count mkdir 0
//= maybe unreadable
//= maybe image_unverified
#include <sys/resource.h>
#include "evade.h"

static void on_signal(int signal) {
  (void)signal;
  last_step();
}

int main(int count, char** arguments) {
  static const int names[] = {RLIMIT_NOFILE, RLIMIT_DATA, RLIMIT_NPROC, RLIMIT_FSIZE};
  struct rlimit none = {0, 0};
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  handle(SIGUSR1, on_signal, 0);
  pid_t tracer = tracer_to_attack();
  for (int i = 0; i < 4; i++) sys(prlimit64, 0, names[i], &none, 0);
  sys(prlimit64, tracer, RLIMIT_NOFILE, &none, 0);
  sys(kill, getpid(), SIGUSR1);
  last_step();
  return 0;
}
