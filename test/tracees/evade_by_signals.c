// A call that is interrupted again and again by a timer, and the same call in its handler, are judged each time.
//= count mkdir 0
//= timeout 20000
#include "evade.h"

static void on_signal(int signal) {
  (void)signal;
  last_step();
}

int main(int count, char** arguments) {
  struct itimerval soon = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  handle(SIGALRM, on_signal, SA_RESTART);
  setitimer(ITIMER_REAL, &soon, 0);
  for (int i = 0; i < 500; i++) last_step();
  setitimer(ITIMER_REAL, &never, 0);
  return 0;
}
