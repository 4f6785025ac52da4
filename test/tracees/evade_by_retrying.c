// A call that waits and is made again and again, from one address and under constant signals: each is a call of its own.
//= count openat 0
// Under guard a call that was denied must not pass for the repetition of itself: that would not be asked about. It is tried
// 5,000 times; returns 1 when it ran.
#include "evade.h"

static void on_signal(int signal) { (void)signal; }

int main(int count, char** arguments) {
  int children[2];
  pid_t parent = getpid();
  int result = 0;
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  handle(SIGUSR1, on_signal, SA_RESTART);
  for (int i = 0; i < 2; i++) {
    children[i] = raw_fork();
    while (children[i] == 0) {
      sys(kill, parent, SIGURG);
      sys(kill, parent, SIGUSR1);
      sleep_ms(1);
    }
  }
  for (int i = 0; i < 2000; i++) sys(getppid);
  for (int i = 0; attacks && i < 5000 && result == 0; i++) {
    if (sys(openat, AT_FDCWD, "escaped", O_CREAT | O_WRONLY, 0644) >= 0) result = 1;
  }
  for (int i = 0; i < 2; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < 2; i++) wait_for(children[i], 0);
  return result;
}
