// A call that is allowed once is not allowed once more where signals make it look like the repetition of itself.
//= timeout 60000
//= count getppid 2000
// Signals that come before a listener has received the call withdraw it: what is made then must not pass for the first
// one.
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
  for (int i = 0; i < 2000; i++) {
    int fd = (int)sys(openat, AT_FDCWD, ".", O_RDONLY);
    if (attacks && sys(openat, AT_FDCWD, "escaped", O_CREAT | O_WRONLY, 0644) >= 0) result = 1;
    sys(close, fd);
    sys(getppid);
  }
  for (int i = 0; i < 2; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < 2; i++) wait_for(children[i], 0);
  return result;
}
