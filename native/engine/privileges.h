// Giving up privileges for good, in all threads: a thread can only change its own capabilities, so the process begins
// anew. The program image is the same, with the same arguments, and no thread of it ever has what was given up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/status.h"

namespace tracefp {

// Replaces this process by itself, with the capabilities of `kept` (a bit each) that it has, and no others, ever:
// bounding set and no_new_privs see to that. It has these descriptors beside 0-2 then, and its children stay its own.
// Returns only when that failed; this thread may have lost some by then.
Status begin_anew_with(uint64_t kept, const std::vector<int>& descriptors);

// 0, or the errno with which access(2) of `path` would fail if this process had no other capabilities than `kept`.
int access_with(uint64_t kept, const std::string& path, int mode);

}  // namespace tracefp
