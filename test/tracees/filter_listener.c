// A program that answers its own calls through a listener cannot be watched to the end: it is inconclusive.
//= note listener
// Whether the kernel grants a second listener depends on the engine (EBUSY under one that holds its own).
#include <sys/ioctl.h>
#include "filter.h"
#include "tracee.h"

static struct thread thread;
static int listener;

static int answer(void* unused) {
  static struct seccomp_notif call;
  static struct seccomp_notif_resp reply;
  (void)unused;
  if (sys(ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return 1;
  reply.id = call.id;
  reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  return (int)sys(ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

int main(void) {
  listener = set_filter(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  if (listener < 0) return errno != EBUSY;
  start_thread(&thread, answer, 0);
  long parent = sys(getppid);
  join_thread(&thread);
  return parent <= 0;
}
