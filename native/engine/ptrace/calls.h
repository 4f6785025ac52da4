// What every engine does at the entry of a call, however the call reached it: fold restarts, record, refuse what would
// escape, and say what can no longer be seen. Runs wherever its engine holds the session.
#pragma once

#include <cerrno>
#include <optional>
#include <unordered_map>

#include "engine/ptrace/cpu.h"
#include "engine/ptrace/life.h"
#include "engine/ptrace/ptrace_ops.h"
#include "stop/tracee.h"

namespace tracefp {

// What is due after a call was recorded.
enum class CallDue : uint8_t {
  // The call runs.
  kRun,
  // The call runs, and its return is to be given to Calls::returned().
  kRunAndReturn,
  // The call does not run; it returns Due::result.
  kRefuse,
  // The session is ending: the tracee is left as it is.
  kNothing,
};

struct Due {
  CallDue what;
  int64_t result = -EPERM;
};

class Calls {
 public:
  Calls(Life& life, const CpuHold& cpu, EngineResult& result, std::optional<Fault> fault = std::nullopt)
      : life_(life), cpu_(cpu), result_(result), fault_(fault) {}

  // `info` is of the entry.
  Due entered(Tracee& tracee, const SyscallInfo& info);

  // `info` is of the return of a call for which kRunAndReturn was due.
  void returned(Tracee& tracee, const SyscallInfo& info);

  // A child that nobody traces, made by `tracee`: it and its process are killed.
  void kill_untraced_child(const Tracee& tracee);

 private:
  static bool is_untraced_clone(const Tracee& tracee, const SyscallInfo& info);
  bool allows_filter(const Tracee& tracee, const SyscallInfo& info);
  bool is_faulted(const Call& call);
  void note_tracing(const Tracee& tracee, const SyscallInfo& info);
  void let_go_of_cpu(Tracee& tracee, const SyscallInfo& info);
  void hold_if_busy(Tracee& tracee);

  // Who of a process makes its calls, as far as it is not held.
  struct Busy {
    pid_t caller = 0;
    unsigned calls = 0;  // in a row
    pid_t held = 0;
  };

  Life& life_;
  const CpuHold& cpu_;
  EngineResult& result_;
  const std::optional<Fault> fault_;
  uint32_t fault_calls_ = 0;              // calls that `fault_` is about, so far
  std::unordered_map<pid_t, Busy> busy_;  // by process
};

}  // namespace tracefp
