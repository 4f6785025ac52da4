// A program that answers its own calls through a listener: under guard none of its own is answered so.
//= note listener
// Its answer would be "continue" without the tracer having heard of the call.
#include <sys/ioctl.h>
#include "evade.h"
#include "filter.h"

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

int main(int count, char** arguments) {
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  listener = set_filter(attacks ? SYS_mkdir : SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  if (listener < 0) return 0;
  start_thread(&thread, answer, 0);
  last_step();
  join_thread(&thread);
  return 0;
}
