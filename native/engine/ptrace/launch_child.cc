#include "engine/ptrace/launch_child.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace tracefp {

namespace {

constexpr int kMaxSignal = 64;
constexpr size_t kKernelSigsetBytes = 8;

// A call that was received is no longer interrupted by signals (Linux 5.19): it is told once.
constexpr long kListenerFlags =
    SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

// The child shares our thread's errno and allocator: it may call nothing of libc.
long raw(long nr, long a = 0, long b = 0, long c = 0, long d = 0) {
  // prctl checks that its unused fifth argument is 0.
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#else
  register long x8 __asm__("x8") = nr;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = 0;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#endif
}

template <typename T>
long as_long(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

[[noreturn]] void give_up(ChildPlan& plan, ChildStep step, long result) {
  plan.outcome->failed_errno.store(static_cast<int>(-result));
  plan.outcome->failed_step.store(step);
  for (;;) raw(__NR_exit_group, 127);
}

// struct sigaction as the kernel has it.
struct KernelSigaction {
  unsigned long handler;
  unsigned long flags;
  unsigned long restorer;
  unsigned long mask;
};

void set_up_stdio(ChildPlan& plan) {
  // First away from 0-2, so that a later dup3 does not overwrite a source.
  int source[3];
  for (int i = 0; i < 3; i++) {
    source[i] = plan.stdio[i] < 0 ? plan.null_fd : plan.stdio[i];
    if (source[i] == i || source[i] > 2) continue;
    const long copy = raw(__NR_fcntl, source[i], F_DUPFD_CLOEXEC, 3);
    if (copy < 0) give_up(plan, ChildStep::kStdio, copy);
    source[i] = static_cast<int>(copy);
  }
  for (int i = 0; i < 3; i++) {
    if (source[i] != i) {
      const long result = raw(__NR_dup3, source[i], i, 0);
      if (result < 0) give_up(plan, ChildStep::kStdio, result);
      continue;
    }
    // Node sets FD_CLOEXEC on its own stdio. A descriptor that tracefp itself does not have stays closed.
    raw(__NR_fcntl, i, F_SETFD, 0);
    const long flags = raw(__NR_fcntl, i, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) raw(__NR_fcntl, i, F_SETFL, flags & ~O_NONBLOCK);
  }
}

// `descriptors` go with what `data` says.
template <size_t kCount>
void send_descriptors(int socket, iovec data, const int (&descriptors)[kCount]) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptors)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptors);
  memcpy(CMSG_DATA(header), descriptors, sizeof descriptors);
  raw(__NR_sendmsg, socket, as_long(&message), MSG_NOSIGNAL);
}

// Shares the child's descriptors, but not its filter, so it can send the listener. It ends before the program begins:
// the child's exec gives the program descriptors of its own.
int helper_main(void* argument) {
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);
  while (plan.outcome->listener.load() < 0 && plan.outcome->failed_step.load() == ChildStep::kNone)
    raw(__NR_sched_yield);
  const int listener = plan.outcome->listener.load();
  if (listener >= 0) {
    char byte = 0;
    send_descriptors(plan.helper_socket, {&byte, 1}, {listener});
  }
  for (;;) raw(__NR_exit, 0);
}

int child_main(void* argument) {
  ChildPlan& plan = *static_cast<ChildPlan*>(argument);

  // First of all: a child that gives up is a tracee by then, and its end says why. Where we die meanwhile, so does it.
  raw(__NR_close, plan.gate_opener);
  char byte;
  if (raw(__NR_read, plan.gate, as_long(&byte), 1) != 1) give_up(plan, ChildStep::kNone, 0);

  // All signals are still blocked: a handler of the host must not run here, in the host's memory.
  const KernelSigaction by_default{};
  for (int signal = 1; signal <= kMaxSignal; signal++) {
    raw(__NR_rt_sigaction, signal, as_long(&by_default), 0, kKernelSigsetBytes);
  }
  set_up_stdio(plan);
  if (plan.cwd != nullptr) {
    const long result = raw(__NR_chdir, as_long(plan.cwd));
    if (result < 0) give_up(plan, ChildStep::kChdir, result);
  }

  if (plan.helper_socket >= 0) {
    // CLONE_PARENT: it is our tracer's to reap, and no child of the program's.
    char* stack = static_cast<char*>(__builtin_frame_address(0)) - kChildStackBytes / 2;
    const auto top = reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(stack) & ~static_cast<uintptr_t>(15));
    const long helper = clone(helper_main, top, CLONE_VM | CLONE_FILES | CLONE_PARENT | CLONE_UNTRACED, &plan);
    if (helper < 0) give_up(plan, ChildStep::kHelper, -EAGAIN);
  }

  // SPEC_ALLOW: being watched must not switch on speculation mitigations for the program.
  const long flags = plan.wants_listener ? kListenerFlags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const auto install = [&plan, flags] {
    if (plan.filter == nullptr) return 0L;
    return raw(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, as_long(plan.filter));
  };
  long result = install();
  if (result == -EACCES) {
    result = raw(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1);
    if (result < 0) give_up(plan, ChildStep::kNoNewPrivs, result);
    plan.outcome->no_new_privs.store(1);
    result = install();
  }
  if (result < 0) give_up(plan, plan.wants_listener ? ChildStep::kListenerFilter : ChildStep::kFilter, result);
  if (plan.wants_listener) plan.outcome->listener.store(static_cast<int>(result));

  if (plan.has_gid) {
    result = raw(__NR_setgroups, 0, 0);
    if (result >= 0) result = raw(__NR_setresgid, plan.gid, plan.gid, plan.gid);
    if (result < 0) give_up(plan, ChildStep::kIds, result);
  }
  if (plan.has_uid) {
    result = raw(__NR_setresuid, plan.uid, plan.uid, plan.uid);
    if (result < 0) give_up(plan, ChildStep::kIds, result);
  }

  const unsigned long none = 0;
  raw(__NR_rt_sigprocmask, SIG_SETMASK, as_long(&none), 0, kKernelSigsetBytes);
  result = raw(__NR_execve, as_long(plan.path), as_long(plan.argv), as_long(plan.env));
  if (result == -ENOEXEC) {
    result = raw(__NR_execve, as_long("/bin/sh"), as_long(plan.sh_argv), as_long(plan.env));
  }
  give_up(plan, ChildStep::kExec, result);
}

// CLONE_PARENT: the child is ours, as one that we made.
long make_child(MakerPlan& plan) {
  plan.child.outcome->failed_step.store(ChildStep::kNone);
  plan.child.outcome->failed_errno.store(0);
  int gate[2];
  const long opened = raw(__NR_pipe2, as_long(gate), O_CLOEXEC);
  if (opened < 0) return opened;
  plan.child.gate = gate[0];
  plan.child.gate_opener = gate[1];
  MakerAnswer answer{clone(child_main, plan.child_stack_top, CLONE_VM | CLONE_PARENT | SIGCHLD, &plan.child)};
  if (answer.pid > 0) send_descriptors(plan.orders, {&answer, sizeof answer}, {gate[1], plan.outcome});
  for (const int end : gate) raw(__NR_close, end);
  return answer.pid > 0 ? 0 : -EAGAIN;
}

int maker_main(void* argument) {
  MakerPlan& plan = *static_cast<MakerPlan*>(argument);
  raw(__NR_close, plan.orders_sender);
  raw(__NR_prctl, PR_SET_NAME, as_long("tracefp-maker"));
  char order;
  while (raw(__NR_read, plan.orders, as_long(&order), 1) == 1) {
    MakerAnswer failed{static_cast<pid_t>(make_child(plan))};
    if (failed.pid < 0) raw(__NR_write, plan.orders, as_long(&failed), sizeof failed);
  }
  for (;;) raw(__NR_exit_group, 0);
}

}  // namespace

pid_t clone_child(ChildPlan& plan, char* stack_top) {
  // CLONE_VM: no copy of the host's page tables; 14 us instead of 14 ms for a host of 1 GB.
  return clone(child_main, stack_top, CLONE_VM | SIGCHLD, &plan);
}

pid_t clone_maker(MakerPlan& plan, char* stack_top) { return clone(maker_main, stack_top, CLONE_VM | SIGCHLD, &plan); }

}  // namespace tracefp
