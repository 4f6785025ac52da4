// Runs a program below a seccomp listener that lets every call run, as some containers do for some calls. The process that
// answers shares its descriptors with the one that installs the listener, until that one executes the program.
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int *listener;

static int run_below(void *arguments) {
  struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
  struct sock_fprog program = {1, code};
  char **words = arguments;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  *listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  execv(words[0], words);
  _exit(127);
}

static void answer(void) {
  struct seccomp_notif call;
  struct seccomp_notif_resp reply;
  memset(&call, 0, sizeof call);
  memset(&reply, 0, sizeof reply);
  if (ioctl(*listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return;
  reply.id = call.id;
  reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ioctl(*listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

int main(int count, char **arguments) {
  static _Alignas(64) char stack[65536];
  int status = 1;
  if (count < 2) return 2;
  listener = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  *listener = -1;
  pid_t child = clone(run_below, stack + sizeof stack, CLONE_FILES | SIGCHLD, arguments + 1);
  while (*listener < 0) usleep(1000);
  for (;;) {
    struct pollfd ready = {*listener, POLLIN, 0};
    if (poll(&ready, 1, -1) < 0 || (ready.revents & POLLIN) == 0) break;
    answer();
  }
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
