#include "engine/host.h"

#include <sys/prctl.h>

#include <csignal>

namespace tracefp {

namespace {

int wake_signal() { return SIGRTMAX - 4; }

// Before the signal can be sent, whichever thread comes first: without a handler it would end the host.
bool handle_wake_signal() {
  struct sigaction wake {};
  wake.sa_handler = [](int) {};  // no SA_RESTART: it is there to end a waitpid
  return sigaction(wake_signal(), &wake, nullptr) == 0;
}

void ensure_wake_handler() { [[maybe_unused]] static const bool is_handled = handle_wake_signal(); }

}  // namespace

void shield_tracer_thread() {
  ensure_wake_handler();
  sigset_t blocked;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGCHLD);
  sigdelset(&blocked, wake_signal());
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

void wake_tracer_thread(pthread_t thread) {
  ensure_wake_handler();
  pthread_kill(thread, wake_signal());
}

void quiet_sigchld(bool owns_process) {
  struct sigaction action;
  if (sigaction(SIGCHLD, nullptr, &action) != 0) return;
  // A default or ignoring disposition is left alone: writing it back could undo a handler that libuv sets just now.
  if (!owns_process && (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)) return;
  if ((action.sa_flags & SA_NOCLDSTOP) != 0) return;
  action.sa_flags |= SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, nullptr);
}

void hide_host(bool is_hidden) { prctl(PR_SET_DUMPABLE, is_hidden ? 0 : 1, 0, 0, 0); }

}  // namespace tracefp
