// The filter of the trace engine: every call, of every ABI, stops. No number is looked at here, so none can be aliased.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

namespace tracefp {

inline const sock_fprog* trace_filter() {
  static sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)};
  static const sock_fprog program{1, code};
  return &program;
}

// False where a seccomp listener is above this process: it has its answers given before RET_TRACE is looked at, so what
// it lets run would never stop. Also false where no filter can be installed at all.
bool can_filter();

}  // namespace tracefp
