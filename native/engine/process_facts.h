// What identity needs to know of a process, read in one go: each of these costs JavaScript ten times as much, and they
// are read at every exec, while the program waits.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tracefp {

struct ProcessFacts {
  // Where the links in its /proc entry lead; empty: they could not be read.
  std::string root;
  std::string exe;
  std::string cwd;
  // At most 64 KiB of them.
  std::vector<std::string> argv;
  // AT_EXECFN: the file name given to execve(2). None: it could not be read.
  std::optional<std::string> executed;
  // Its executable, opened with O_PATH, which waits for nobody; -1: it could not be opened. The caller closes it.
  int place = -1;
  // Of the mount that `place` is on; empty: not known.
  std::string mount_id;
  // The text of its mountinfo; none: it is the known one.
  std::optional<std::string> mounts;
  // Of that table, where the process is in our own mount namespace and root; 0: it is elsewhere.
  uint32_t mounts_version = 0;
};

// `known_mounts`: the version of our own table that the caller has; 0: none.
ProcessFacts read_process_facts(pid_t tid, uint32_t known_mounts);

}  // namespace tracefp
