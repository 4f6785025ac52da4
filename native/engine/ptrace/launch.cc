#include "engine/ptrace/launch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>

#include "engine/ptrace/ptrace_ops.h"

namespace tracefp {

namespace {

const char* name_of(ChildStep step) {
  switch (step) {
    case ChildStep::kStdio:
      return "stdio";
    case ChildStep::kChdir:
      return "chdir";
    case ChildStep::kNoNewPrivs:
      return "prctl(PR_SET_NO_NEW_PRIVS)";
    case ChildStep::kHelper:
      return "clone";
    case ChildStep::kFilter:
      return "seccomp";
    case ChildStep::kListenerFilter:
      return "seccomp(listener)";
    case ChildStep::kIds:
      return "setresuid";
    default:
      return "execve";
  }
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

// Of one message. False: no descriptors came with it.
template <size_t kCount>
bool receive_descriptors(int socket, iovec data, int (&descriptors)[kCount]) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptors)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t count;
  do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  if (count <= 0) return false;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof descriptors))
    return false;
  memcpy(descriptors, CMSG_DATA(header), sizeof descriptors);
  return true;
}

int receive_descriptor(int socket) {
  char byte;
  int descriptor[1];
  return receive_descriptors(socket, {&byte, 1}, descriptor) ? descriptor[0] : -1;
}

void* new_stack() {
  return mmap(nullptr, kChildStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
}

Status open_gate(int gate) {
  const char go = 1;
  if (write(gate, &go, 1) == 1) return {};
  // It was killed meanwhile: its end says so.
  if (errno == EPIPE) return {};
  return {"write", errno};
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
  plan_.outcome = &outcome_;
  plan_.path = options_.path.c_str();
  plan_.argv = argv_.data();
  plan_.sh_argv = sh_argv_.data();
  plan_.env = env_.data();
  plan_.cwd = options_.cwd.empty() ? nullptr : options_.cwd.c_str();
  for (int i = 0; i < 3; i++) plan_.stdio[i] = options.stdio[i];
  plan_.has_uid = options.uid.has_value();
  plan_.has_gid = options.gid.has_value();
  plan_.uid = options.uid.value_or(0);
  plan_.gid = options.gid.value_or(0);
}

Launch::~Launch() {
  if (own_socket_ >= 0) close(own_socket_);
  if (stack_ != nullptr) munmap(stack_, kChildStackBytes);
  if (plan_.outcome != &outcome_) munmap(plan_.outcome, sizeof(ChildOutcome));
}

Status Launch::start(const sock_fprog* filter, FilterKind kind) {
  plan_.filter = filter;
  plan_.wants_listener = kind == FilterKind::kNotify;
  plan_.helper_socket = -1;
  int sockets[2] = {-1, -1};
  if (plan_.wants_listener && (options_.sends_listener || !may_take_descriptors())) {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return {"socketpair", errno};
    own_socket_ = sockets[0];
    plan_.helper_socket = sockets[1];
  }
  const Status status = start_child([](pid_t pid) { return seize(pid, Lifetime::kBound); });
  if (sockets[1] >= 0) close(sockets[1]);
  return status;
}

Status Launch::start_untraced(const std::function<Status(pid_t)>& follow) {
  plan_.filter = nullptr;
  plan_.wants_listener = false;
  plan_.helper_socket = -1;
  return is_held() ? take_over(follow) : start_child(follow);
}

Status Launch::hold(HeldChild* held) {
  plan_.helper_socket = -1;
  int outcome = -1;
  int gate = -1;
  Status status = share_outcome(&outcome);
  if (status.ok()) status = make_child(&gate);
  if (!status.ok() && outcome >= 0) close(outcome);
  *held = {pid_, gate, outcome};
  return status;
}

Status Launch::keep_maker(int* orders) {
  plan_.helper_socket = -1;
  // Both are the maker's: they are not unmapped where we go on without an exec.
  void* const child_stack = new_stack();
  if (child_stack == MAP_FAILED) return {"mmap", errno};
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return {"socketpair", errno};
  int outcome = -1;
  Status status = share_outcome(&outcome);
  if (status.ok()) {
    status = make_blocked([&](char* stack_top) {
      maker_ = {plan_, outcome, ends[0], ends[1], static_cast<char*>(child_stack) + kChildStackBytes};
      return clone_maker(maker_, stack_top);
    });
  }
  close(ends[0]);
  if (outcome >= 0) close(outcome);
  if (!status.ok()) close(ends[1]);
  *orders = ends[1];
  return status;
}

Status order_child(int orders, HeldChild* held) {
  const char order = 1;
  if (send(orders, &order, 1, MSG_NOSIGNAL) != 1) return {"send", errno};
  MakerAnswer answer{-EPIPE};
  int descriptors[2];
  if (!receive_descriptors(orders, {&answer, sizeof answer}, descriptors)) return {"clone", -answer.pid};
  *held = {answer.pid, descriptors[0], descriptors[1]};
  return {};
}

// Memory that is ours and the child's, also once we have another image.
Status Launch::share_outcome(int* descriptor) {
  *descriptor = memfd_create("tracefp-launch", MFD_CLOEXEC);
  if (*descriptor < 0) return {"memfd_create", errno};
  if (ftruncate(*descriptor, sizeof(ChildOutcome)) != 0) return {"ftruncate", errno};
  const Status status = map_outcome(*descriptor);
  if (status.ok()) new (plan_.outcome) ChildOutcome;
  return status;
}

Status Launch::map_outcome(int descriptor) {
  void* const memory = mmap(nullptr, sizeof(ChildOutcome), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return {"mmap", errno};
  plan_.outcome = static_cast<ChildOutcome*>(memory);
  return {};
}

Status Launch::take_over(const std::function<Status(pid_t)>& take) {
  const HeldChild& held = *options_.held;
  pid_ = held.pid;
  Status status = map_outcome(held.outcome);
  close(held.outcome);
  if (status.ok()) status = take(pid_);
  if (status.ok()) status = open_gate(held.gate);
  close(held.gate);
  if (!status.ok()) give_up_child();
  return status;
}

void Launch::give_up_child() {
  kill(pid_, SIGKILL);
  int ignored;
  (void)(is_held() ? wait_untraced(pid_, &ignored, true) : wait_one(pid_, &ignored, true));
}

Status Launch::start_child(const std::function<Status(pid_t)>& take) {
  int gate;
  Status status = make_child(&gate);
  if (!status.ok()) return status;
  status = take(pid_);
  if (status.ok()) status = open_gate(gate);
  if (!status.ok()) give_up_child();
  close(gate);
  return status;
}

// `gate`: where it is opened, the caller's.
Status Launch::make_child(int* gate) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {"pipe2", errno};
  plan_.gate = ends[0];
  plan_.gate_opener = ends[1];
  const Status status = make_blocked([this](char* stack_top) { return clone_child(plan_, stack_top); });
  close(ends[0]);
  if (!status.ok()) close(ends[1]);
  *gate = ends[1];
  return status;
}

// Who is made takes our mask: everything blocked until it has default handlers.
Status Launch::make_blocked(const std::function<pid_t(char*)>& make) {
  void* const stack = new_stack();
  if (stack == MAP_FAILED) return {"mmap", errno};
  stack_ = stack;
  plan_.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_ = make(static_cast<char*>(stack_) + kChildStackBytes);
  const int clone_errno = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (plan_.null_fd >= 0) close(plan_.null_fd);
  return pid_ < 0 ? Status{"clone", clone_errno} : Status{};
}

int Launch::take_listener() {
  while (plan_.outcome->listener.load() < 0) {
    if (plan_.outcome->failed_step.load() != ChildStep::kNone) return -1;
    if (has_ended(pid_)) return -1;
    usleep(20);
  }
  if (own_socket_ >= 0) return receive_descriptor(own_socket_);
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (process < 0) return -1;
  const int listener = static_cast<int>(syscall(SYS_pidfd_getfd, process, plan_.outcome->listener.load(), 0));
  close(process);
  return listener;
}

Status Launch::failure() const {
  const ChildStep step = plan_.outcome->failed_step.load();
  if (step == ChildStep::kNone) return {"launch", ECHILD};
  return {name_of(step), plan_.outcome->failed_errno.load()};
}

}  // namespace tracefp
