// The child of a launch, until its exec: it shares our memory, and with it errno, the allocator and what belongs to our
// thread. So it makes raw system calls only, and nothing of it may be instrumented (see CMakeLists.txt). The same holds
// for a maker, who makes such children.
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

// What a maker reads.
struct MakerPlan {
  ChildPlan child;        // of everyone that it makes, one after the other
  int outcome;            // the descriptor of child.outcome
  int orders;             // a stream socket: each byte is an order, answered by MakerAnswer
  int orders_sender;      // ours: with a copy of it the maker would never see us die
  char* child_stack_top;  // the end of kChildStackBytes
};

// With it come two descriptors: where the child's gate is opened, and its outcome.
struct MakerAnswer {
  pid_t pid;  // negative: an errno, and no descriptors
};

// As clone_child. Whenever it is ordered to, the maker makes a child of ours, which waits. It ends when nobody can
// order it any more.
pid_t clone_maker(MakerPlan& plan, char* stack_top);

}  // namespace tracefp
