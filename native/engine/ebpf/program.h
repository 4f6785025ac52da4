// The kernel half of engine `ebpf` in this process: loads it, attaches it, marks the tasks it follows. The only place
// that calls bpf(2). No libbpf: the loader program that bpftool wrote makes the maps and programs (program.gen.h), so
// what is left are nine system calls. It goes when its descriptors are closed, also by our death; what it followed runs
// on.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "engine/ebpf/kernel/shared.h"
#include "engine/status.h"
#include "match/table.h"

namespace tracefp {

class Program {
 public:
  Program() = default;
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // False where the addon was built without a kernel half (another architecture).
  static bool is_built();

  // Loads and attaches everything. Nothing is followed yet. `ring_bytes`: a power of two, at least a page.
  Status load(uint32_t ring_bytes);

  // The process is followed from its next exec on.
  Status follow_from_exec(pid_t pid);

  // Whether the process is one that is followed. `pidfd` is of its leader.
  bool is_followed(int pidfd) const;

  // The image is judged by the table from now on: what is allowed is no longer told each time. False: there is no room
  // for it, and everything is told as before. One thread at a time.
  bool give_table(uint32_t image, const Table& table);

  // Records that the kernel did not make since a program was interrupted by itself. It has not been seen to.
  uint64_t missed_count() const;

  int ring() const { return ring_; }
  uint32_t ring_bytes() const { return ring_bytes_; }
  Control& control() { return *control_; }

 private:
  Status run_loader();
  Status map_memory(int control, int judged);

  static constexpr int kMaxParts = 16;
  int tracks_ = -1;
  int ring_ = -1;
  int programs_[kMaxParts];
  int program_count_ = 0;
  int links_[kMaxParts];
  int link_count_ = 0;
  uint32_t ring_bytes_ = 0;
  Control* control_ = nullptr;
  Judged* judged_ = nullptr;
  uint32_t table_end_ = 0;                            // of what is taken of judged_->tables
  std::unordered_map<const void*, uint32_t> tables_;  // where each stands
};

}  // namespace tracefp
