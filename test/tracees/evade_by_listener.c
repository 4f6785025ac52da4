// A program that answers its own calls through a listener: under guard none of its own is answered so.
//= note listener
// Its answer would be "continue" without the tracer having heard of the call. With the argument "attack" that call is mkdir.
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

int main(int count, char** arguments) {
  int attacks = count > 1 && !strcmp(arguments[1], "attack");
  listener = set_filter(attacks ? SYS_mkdir : SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  if (listener < 0) return 0;
  start_thread(&thread, answer, 0);
  if (attacks) sys(mkdir, "escaped", 0755);
  else sys(getppid);
  join_thread(&thread);
  return 0;
}
