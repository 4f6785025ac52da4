// The child of a launch, until its exec: it shares our memory, and with it errno, the allocator and what belongs to our
// thread. So it makes raw system calls only, and nothing of it may be instrumented (see CMakeLists.txt).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>

struct sock_fprog;

namespace tracefp {

// The step with which the child gave up.
enum class ChildStep : int { kNone, kStdio, kChdir, kHelper, kNoNewPrivs, kFilter, kListenerFilter, kIds, kExec };

// What the child says of itself.
struct ChildOutcome {
  std::atomic<ChildStep> failed_step{ChildStep::kNone};
  std::atomic<int> failed_errno{0};
  std::atomic<int> no_new_privs{0};
  std::atomic<int> listener{-1};  // its number in the child
};

// What the child reads: it lives in our memory until its exec.
struct ChildPlan {
  const char* path;
  const char* const* argv;
  const char* const* sh_argv;  // for a script without #!
  const char* const* env;
  const char* cwd;
  const sock_fprog* filter;
  int stdio[3];
  int gate;
  int gate_opener;  // ours: with a copy of it the child would never see us die
  int null_fd;
  bool wants_listener;
  int helper_socket;  // -1: no helper
  bool has_uid, has_gid;
  uid_t uid;
  gid_t gid;
  ChildOutcome* outcome;
};

constexpr size_t kChildStackBytes = 64 * 1024;

// Any thread that has blocked every signal: the child takes its mask. `stack_top`: the end of kChildStackBytes that are
// the child's own. `plan` must outlive the child's exec. -1: see errno.
pid_t clone_child(ChildPlan& plan, char* stack_top);

}  // namespace tracefp
