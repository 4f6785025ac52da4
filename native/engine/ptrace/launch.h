// Starts the program as a seized tracee with the filter on, before its first instruction.
//
//   tracer                                child (shares our memory until exec; raw system calls only)
//   clone(CLONE_VM) --------------------> read(gate)
//   SEIZE; open the gate ---------------> default signals, stdio, cwd
//                                         [no_new_privs]; seccomp filter; ids; execve
//   seccomp stops of the child, unrecorded; PTRACE_EVENT_EXEC: the program begins
//
// Without ptrace the child can also be made by who this process is before it begins anew with fewer privileges: hold(),
// and start_untraced() of the one it is then. A child whose gate is never opened ends with us. Where the program is to
// run again and again, a maker is made then, which makes one child after the other.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/ptrace/launch_child.h"

namespace tracefp {

// What the filter is for.
enum class FilterKind {
  kTrace,   // RET_TRACE: calls stop for ptrace
  kNotify,  // RET_USER_NOTIF: calls go to a listener, which is handed to us
};

class Launch {
 public:
  explicit Launch(const LaunchOptions& options);
  ~Launch();
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  // Tracer thread. After ok, `pid()` is a seized tracee on its way to execve. `filter`: null for kTrace = none.
  Status start(const sock_fprog* filter, FilterKind kind);

  // The same without ptrace and without a filter: the child goes on to its execve once `follow` has seen to it that it
  // is followed. With options.held no child is made.
  Status start_untraced(const std::function<Status(pid_t)>& follow);

  // Any thread, which becomes the parent. Only the child: it has our privileges as they are, and waits. The descriptors
  // are the caller's. Until the child executes or ends, our memory must stay as it is, or be replaced by an exec.
  Status hold(HeldChild* held);

  // The same, but who waits is a maker: each order_child() is answered by a child as hold() makes it, of whom we are by
  // then. It ends when `orders`, which is the caller's, is closed.
  Status keep_maker(int* orders);

  // After start(kNotify): waits until the child has the filter and takes its listener. No call is exempt from the
  // filter: the child stores the number of the descriptor in our memory, and its next call already waits for us. The
  // descriptor is then taken by pidfd_getfd(2) or, where that is forbidden, sent by a helper that was born without the
  // filter. Returns the descriptor; -1: see failure(), or the child was killed.
  int take_listener();

  pid_t pid() const { return pid_; }

  // The child is that of a thread that may be gone.
  bool is_held() const { return options_.held.has_value(); }

  // After the child ended without PTRACE_EVENT_EXEC: which step failed.
  Status failure() const;

  // True once the child had to set no_new_privs to be allowed a filter.
  bool used_no_new_privs() const { return plan_.outcome->no_new_privs.load() != 0; }

 private:
  Status start_child(const std::function<Status(pid_t)>& take);
  Status make_child(int* gate);
  Status make_blocked(const std::function<pid_t(char*)>& make);
  Status share_outcome(int* descriptor);
  Status take_over(const std::function<Status(pid_t)>& take);
  Status map_outcome(int descriptor);
  void give_up_child();

  const LaunchOptions options_;  // owns the strings below
  std::vector<const char*> argv_;
  std::vector<const char*> sh_argv_;
  std::vector<const char*> env_;
  ChildOutcome outcome_;
  ChildPlan plan_{};
  MakerPlan maker_{};
  void* stack_ = nullptr;
  int own_socket_ = -1;
  pid_t pid_ = -1;
};

// Waits for the maker at `orders`. The descriptors are the caller's. One child at a time: the one before has executed
// or ended.
Status order_child(int orders, HeldChild* held);

}  // namespace tracefp
