#include "engine/ptrace/launch.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "engine/ptrace/ptrace_ops.h"

namespace tracefp {

namespace {

constexpr size_t kStackBytes = 64 * 1024;
constexpr int kMaxSignal = 64;
constexpr size_t kKernelSigsetBytes = 8;

// A call that was received is no longer interrupted by signals (Linux 5.19): it is told once.
constexpr long kListenerFlags =
    SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

enum Step : int { kNone, kStdio, kChdir, kHelper, kNoNewPrivs, kFilter, kListenerFilter, kIds, kExec };

const char* name_of(int step) {
  switch (step) {
    case kStdio:
      return "stdio";
    case kChdir:
      return "chdir";
    case kNoNewPrivs:
      return "prctl(PR_SET_NO_NEW_PRIVS)";
    case kHelper:
      return "clone";
    case kFilter:
      return "seccomp";
    case kListenerFilter:
      return "seccomp(listener)";
    case kIds:
      return "setresuid";
    default:
      return "execve";
  }
}

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

[[noreturn]] void give_up(Launch::Shared& shared, Step step, long result) {
  shared.failed_errno.store(static_cast<int>(-result));
  shared.failed_step.store(step);
  for (;;) raw(__NR_exit_group, 127);
}

// struct sigaction as the kernel has it.
struct KernelSigaction {
  unsigned long handler;
  unsigned long flags;
  unsigned long restorer;
  unsigned long mask;
};

void set_up_stdio(Launch::Shared& shared) {
  // First away from 0-2, so that a later dup3 does not overwrite a source.
  int source[3];
  for (int i = 0; i < 3; i++) {
    source[i] = shared.stdio[i] < 0 ? shared.null_fd : shared.stdio[i];
    if (source[i] == i || source[i] > 2) continue;
    const long copy = raw(__NR_fcntl, source[i], F_DUPFD_CLOEXEC, 3);
    if (copy < 0) give_up(shared, kStdio, copy);
    source[i] = static_cast<int>(copy);
  }
  for (int i = 0; i < 3; i++) {
    if (source[i] != i) {
      const long result = raw(__NR_dup3, source[i], i, 0);
      if (result < 0) give_up(shared, kStdio, result);
      continue;
    }
    // Node sets FD_CLOEXEC on its own stdio. A descriptor that tracefp itself does not have stays closed.
    raw(__NR_fcntl, i, F_SETFD, 0);
    const long flags = raw(__NR_fcntl, i, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) raw(__NR_fcntl, i, F_SETFL, flags & ~O_NONBLOCK);
  }
}

// Shares the child's descriptors, but not its filter, so it can send the listener. It ends before the program begins:
// the child's exec gives the program descriptors of its own.
int helper_main(void* argument) {
  Launch::Shared& shared = *static_cast<Launch::Shared*>(argument);
  while (shared.listener.load() < 0 && shared.failed_step.load() == kNone) raw(__NR_sched_yield);
  int listener = shared.listener.load();
  if (listener >= 0) {
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &listener, sizeof listener);
    raw(__NR_sendmsg, shared.helper_socket, as_long(&message), MSG_NOSIGNAL);
  }
  for (;;) raw(__NR_exit, 0);
}

int child_main(void* argument) {
  Launch::Shared& shared = *static_cast<Launch::Shared*>(argument);

  // First of all: a child that gives up is a tracee by then, and its end says why.
  char byte;
  if (raw(__NR_read, shared.gate, as_long(&byte), 1) != 1) give_up(shared, kNone, 0);

  // All signals are still blocked: a handler of the host must not run here, in the host's memory.
  const KernelSigaction by_default{};
  for (int signal = 1; signal <= kMaxSignal; signal++) {
    raw(__NR_rt_sigaction, signal, as_long(&by_default), 0, kKernelSigsetBytes);
  }
  set_up_stdio(shared);
  if (shared.cwd != nullptr) {
    const long result = raw(__NR_chdir, as_long(shared.cwd));
    if (result < 0) give_up(shared, kChdir, result);
  }

  if (shared.helper_socket >= 0) {
    // CLONE_PARENT: it is our tracer's to reap, and no child of the program's.
    char* stack = static_cast<char*>(__builtin_frame_address(0)) - kStackBytes / 2;
    const auto top = reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(stack) & ~static_cast<uintptr_t>(15));
    const long helper = clone(helper_main, top, CLONE_VM | CLONE_FILES | CLONE_PARENT | CLONE_UNTRACED, &shared);
    if (helper < 0) give_up(shared, kHelper, -EAGAIN);
  }

  // SPEC_ALLOW: being watched must not switch on speculation mitigations for the program.
  const long flags = shared.wants_listener ? kListenerFlags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const auto install = [&shared, flags] {
    if (shared.filter == nullptr) return 0L;
    return raw(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, as_long(shared.filter));
  };
  long result = install();
  if (result == -EACCES) {
    result = raw(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1);
    if (result < 0) give_up(shared, kNoNewPrivs, result);
    shared.no_new_privs.store(1);
    result = install();
  }
  if (result < 0) give_up(shared, shared.wants_listener ? kListenerFilter : kFilter, result);
  if (shared.wants_listener) shared.listener.store(static_cast<int>(result));

  if (shared.has_gid) {
    result = raw(__NR_setgroups, 0, 0);
    if (result >= 0) result = raw(__NR_setresgid, shared.gid, shared.gid, shared.gid);
    if (result < 0) give_up(shared, kIds, result);
  }
  if (shared.has_uid) {
    result = raw(__NR_setresuid, shared.uid, shared.uid, shared.uid);
    if (result < 0) give_up(shared, kIds, result);
  }

  const unsigned long none = 0;
  raw(__NR_rt_sigprocmask, SIG_SETMASK, as_long(&none), 0, kKernelSigsetBytes);
  result = raw(__NR_execve, as_long(shared.path), as_long(shared.argv), as_long(shared.env));
  if (result == -ENOEXEC) {
    result = raw(__NR_execve, as_long("/bin/sh"), as_long(shared.sh_argv), as_long(shared.env));
  }
  give_up(shared, kExec, result);
}

// A container's own filter may forbid pidfd_getfd.
bool may_take_descriptors() {
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  if (self < 0) return false;
  const int copy = static_cast<int>(syscall(SYS_pidfd_getfd, self, self, 0));
  close(self);
  if (copy >= 0) close(copy);
  return copy >= 0;
}

int receive_descriptor(int socket) {
  char byte;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

std::vector<const char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<const char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(string.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Launch::Launch(const LaunchOptions& options)
    : options_(options), argv_(pointers_to(options_.argv)), env_(pointers_to(options_.env)) {
  sh_argv_ = {"sh", options_.path.c_str()};
  for (size_t i = 1; i < argv_.size(); i++) sh_argv_.push_back(argv_[i]);
  shared_.path = options_.path.c_str();
  shared_.argv = argv_.data();
  shared_.sh_argv = sh_argv_.data();
  shared_.env = env_.data();
  shared_.cwd = options_.cwd.empty() ? nullptr : options_.cwd.c_str();
  for (int i = 0; i < 3; i++) shared_.stdio[i] = options.stdio[i];
  shared_.has_uid = options.uid.has_value();
  shared_.has_gid = options.gid.has_value();
  shared_.uid = options.uid.value_or(0);
  shared_.gid = options.gid.value_or(0);
}

Launch::~Launch() {
  if (own_socket_ >= 0) close(own_socket_);
  if (stack_ != nullptr) munmap(stack_, kStackBytes);
}

Status Launch::start(const sock_fprog* filter, FilterKind kind) {
  shared_.filter = filter;
  shared_.wants_listener = kind == FilterKind::kNotify;
  shared_.helper_socket = -1;
  int sockets[2] = {-1, -1};
  if (shared_.wants_listener && (options_.sends_listener || !may_take_descriptors())) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return {"socketpair", errno};
    own_socket_ = sockets[0];
    shared_.helper_socket = sockets[1];
  }
  stack_ = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack_ == MAP_FAILED) {
    stack_ = nullptr;
    return {"mmap", errno};
  }
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) return {"pipe2", errno};
  shared_.gate = gate[0];
  shared_.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

  // The child takes our mask: everything blocked until it has default handlers.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // CLONE_VM: no copy of the host's page tables; 14 us instead of 14 ms for a host of 1 GB.
  pid_ = clone(child_main, static_cast<char*>(stack_) + kStackBytes, CLONE_VM | SIGCHLD, &shared_);
  const int clone_errno = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);

  Status status;
  if (pid_ < 0) {
    status = {"clone", clone_errno};
  } else {
    status = seize(pid_, Lifetime::kBound);
    if (status.ok()) {
      const char go = 1;
      if (write(gate[1], &go, 1) != 1) status = {"write", errno};
    }
    if (!status.ok()) {
      kill(pid_, SIGKILL);
      int ignored;
      (void)wait_one(pid_, &ignored, true);
    }
  }
  close(gate[0]);
  close(gate[1]);
  if (shared_.null_fd >= 0) close(shared_.null_fd);
  if (sockets[1] >= 0) close(sockets[1]);
  return status;
}

int Launch::take_listener() {
  while (shared_.listener.load() < 0) {
    if (shared_.failed_step.load() != kNone) return -1;
    if (has_ended(pid_)) return -1;
    usleep(20);
  }
  if (own_socket_ >= 0) return receive_descriptor(own_socket_);
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (process < 0) return -1;
  const int listener = static_cast<int>(syscall(SYS_pidfd_getfd, process, shared_.listener.load(), 0));
  close(process);
  return listener;
}

Status Launch::failure() const {
  const int step = shared_.failed_step.load();
  if (step == kNone) return {"launch", ECHILD};
  return {name_of(step), shared_.failed_errno.load()};
}

}  // namespace tracefp
