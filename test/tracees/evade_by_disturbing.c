// The signals that its tracer has a use for, sent to it by the program, change nothing.
//= count mkdir 0
// SIGUSR1 starts a debugger in Node, SIGRTMAX-4 is tracefp's own, the others it passes on or handles.
#include "evade.h"

int main(int count, char** arguments) {
  static const int signals[] = {SIGUSR1, SIGCHLD, SIGCONT, SIGWINCH, SIGPIPE, SIGTSTP};
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  signal(SIGUSR1, SIG_IGN);
  pid_t tracer = tracer_to_attack();
  for (int i = 0; i < 50; i++) {
    for (unsigned s = 0; s < sizeof signals / sizeof *signals; s++) sys(kill, tracer, signals[s]);
    sys(kill, tracer, SIGRTMAX - 4);
    last_step();
  }
  return 0;
}
