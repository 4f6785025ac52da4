// The filter of the notify engine: every call of every ABI goes to the listener, but for a few that stop for ptrace:
// those whose return is wanted too (the ends of handlers, clones), and wait4 and waitid, which SIGCHLD interrupts all
// the time. No number is masked, so none can be aliased.
#pragma once

#include <linux/filter.h>

namespace tracefp {

const sock_fprog* notify_filter();

}  // namespace tracefp
