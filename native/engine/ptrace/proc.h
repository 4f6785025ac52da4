// What only /proc can tell of a tracee.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tracefp {

// The first `limit` bytes, or fewer where there are no more; empty when it cannot be read. Pseudo files come in pieces,
// whatever is asked for.
std::string read_pieces(int fd, size_t limit);
std::string read_proc_file(const char* path, size_t limit);

struct ProcStatus {
  pid_t tgid = 0;
  pid_t ppid = 0;
  pid_t tracer = 0;     // thread; 0 = none
  uint64_t caught = 0;  // SigCgt: bit n-1 = a handler is installed for signal n
};

// False when the tracee is gone.
bool read_proc_status(pid_t tid, ProcStatus* status);

// The threads of a process, and the processes that are children of any of them. Empty when it is gone.
std::vector<pid_t> threads_of(pid_t tgid);
std::vector<pid_t> children_of(pid_t tgid);

// True when this thread is its tracer.
bool is_traced_by_us(pid_t tid);

// True when the tracee has ended, though nobody may have reaped it.
bool is_dead(pid_t tid);

// True when `tid` is a thread of `tgid`.
bool is_thread_of(pid_t tid, pid_t tgid);

}  // namespace tracefp
