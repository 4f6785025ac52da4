// What differs between x86_64 and aarch64 when a tracee is stopped: its registers.
// The aarch64 half is compiled and load-tested, but its engine has not been run on aarch64 hardware.
#pragma once

#include <sys/types.h>

#include "engine/status.h"
#include "stop/tracee.h"

namespace tracefp {

// A call that the kernel is going to repeat, seen at a signal-delivery-stop or group-stop.
struct Interrupted {
  // It returned -ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND or -ERESTART_RESTARTBLOCK. (If a handler runs, what
  // happens in the end is read from where its rt_sigreturn returns to.)
  bool is_restarting;
  // It was -ERESTARTSYS: SA_RESTART decides. Also what a call returns that was withdrawn before its listener received
  // it.
  bool is_by_flag;
  // As far as registers tell it is `last`: from the same address, with the same number and arguments.
  bool is_last;
};

// `last`: the call that was recorded last.
Interrupted interrupted_call(pid_t tid, const Entry& last);

// The interrupted call is repeated for certain, whether or not a handler runs and whatever its flags say.
// For a call that has not begun: the program must not learn that it was interrupted. Not possible on aarch64.
void repeat_for_certain(pid_t tid);

// At the entry of a call: it does not run and returns `result`.
Outcome refuse_call(pid_t tid, int64_t result);

}  // namespace tracefp
