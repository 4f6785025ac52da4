// What differs between x86_64 and aarch64 when a tracee is stopped: its registers.
// The aarch64 half is compiled and load-tested, but its engine has not been run on aarch64 hardware.
#pragma once

#include <sys/types.h>

#include "engine/status.h"
#include "stop/tracee.h"

namespace tracefp {

// At a signal-delivery-stop or group-stop: will the kernel repeat the call that `last` entered?
// True when the call returned -ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND or -ERESTART_RESTARTBLOCK.
// (If a handler runs, what happens in the end is read from where its rt_sigreturn returns to.)
bool is_restarting(pid_t tid, const Entry& last);

// At a seccomp stop: the call does not run and returns -EPERM.
Outcome refuse_call(pid_t tid);

}  // namespace tracefp
