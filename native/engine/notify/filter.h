// The filter of the notify engine: every call of every ABI goes to the listener, but for those few whose return (or
// stack) is wanted too; they stop for ptrace. No number is masked, so none can be aliased.
#pragma once

#include <linux/filter.h>

namespace tracefp {

const sock_fprog* notify_filter();

}  // namespace tracefp
