// A seccomp listener: the ioctls of seccomp_unotify(2), and nothing else in the project makes them.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "engine/status.h"

namespace tracefp {

// A call that waits for our answer. Everything in it comes from the kernel.
struct Notification {
  uint64_t id;
  pid_t tid;
  uint32_t audit_arch;
  int32_t nr;
  uint64_t ip;
  uint64_t args[6];
};

enum class [[nodiscard]] Received{
    kCall,
    // A signal to this thread, or a call that was withdrawn before it was received.
    kNothing,
    // No task has the filter any more, or the listener is broken.
    kOver,
};

class Listener {
 public:
  explicit Listener(int fd) : fd_(fd) {}
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Linux 6.6: the answer wakes the tracee on our CPU. False = not available, tracer and tracee must be held on one.
  bool use_sync_wake_up();

  Received receive(Notification* notification);

  // The call runs. Safe only because we decide on its number, which the kernel took, never on memory.
  void let_run(uint64_t id);

  // The call does not run and returns `result`: -errno or a value.
  void refuse(uint64_t id, int64_t result);

  // False: its tracee is gone.
  bool is_waiting(uint64_t id);

 private:
  void answer(uint64_t id, int64_t result, uint32_t flags);

  int fd_;
};

}  // namespace tracefp
