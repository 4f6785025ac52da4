#include "engine/host.h"

#include <csignal>

namespace tracefp {

namespace {

int wake_signal() { return SIGRTMAX - 4; }

}  // namespace

void shield_tracer_thread() {
  struct sigaction wake {};
  wake.sa_handler = [](int) {};  // no SA_RESTART: it is there to end a waitpid
  sigaction(wake_signal(), &wake, nullptr);

  sigset_t blocked;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGCHLD);
  sigdelset(&blocked, wake_signal());
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

void wake_tracer_thread(pthread_t thread) { pthread_kill(thread, wake_signal()); }

void quiet_sigchld() {
  struct sigaction action;
  if (sigaction(SIGCHLD, nullptr, &action) != 0) return;
  // A default or ignoring disposition is left alone: writing it back could undo a handler that libuv sets just now.
  if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) return;
  if ((action.sa_flags & SA_NOCLDSTOP) != 0) return;
  action.sa_flags |= SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, nullptr);
}

}  // namespace tracefp
