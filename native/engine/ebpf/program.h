// The kernel half of engine `ebpf` in this process: loads it, attaches it, marks the tasks it follows. The only place
// that calls bpf(2). No libbpf: the loader program that bpftool wrote makes the maps and programs (program.gen.h), so
// what is left are nine system calls. It goes when its descriptors are closed, also by our death; what it followed runs
// on.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/ebpf/kernel/shared.h"
#include "engine/ebpf/pin_folder.h"
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

  // Of the kernel half, as it was compiled: who has the same can go on with what another process pinned.
  static uint64_t hash();

  // Loads everything. Nothing is seen yet. `ring_bytes`: a power of two, at least a page.
  Status load(uint32_t ring_bytes);

  // After attach() and meet_all(): all of it stays when this process dies, until the folder is removed.
  Status pin(const PinFolder& folder) const;

  // In place of load() and attach(): goes on with what was pinned there, by this version of the program.
  Status adopt(const PinFolder& folder);

  // After load(), before attach(): who is to be followed, beside what is marked.
  void follow(FollowRule rule, uint64_t argument);
  // Rule kFollowNames: the last component of the path of an executable.
  Status follow_name(const std::string& name);

  // From now on calls are seen. `guesses_restarts`: where there is no kprobe, a repeated call is told apart only where
  // it would be a miss; else a program at every return of a call does it.
  Status attach(bool guesses_restarts);

  // How restarts are seen: where the kernel has kprobes that costs nothing, else a program at each return of a call.
  bool has_kprobe() const { return kprobe_ >= 0; }

  // The process is followed from its next exec on.
  Status follow_from_exec(pid_t pid);

  // After attach(): a Track for each task that the rule means and that already runs. What it does from now on is seen,
  // and so is what is born of it.
  Status meet_all();

  // Nothing is seen any more; what was only counted so far is told. After this the ring is drained a last time.
  void settle_all();

  // Whether the process is one that is followed. `pidfd` is of its leader.
  bool is_followed(pid_t tgid, int pidfd) const;

  // The image is judged by the table from now on: what is allowed is no longer told each time. False: there is no room
  // for it, and everything is told as before. `flags`: ViewFlags. One thread at a time calls this and the next two.
  bool give_table(uint32_t image, const Table& table, uint32_t flags);

  // Who runs the image is followed no longer.
  void let_go(uint32_t image);

  // Everything is told of who runs the image.
  void judge_by_nothing(uint32_t image);

  // Whether what the image is judged by is this, or nothing: then everything is told.
  bool is_judged_by(uint32_t image, const Table* table, uint32_t flags) const;

  // An exec with this key is of an image that is known: it begins as `known.image`, or another key tells more.
  void make_known(const ImageKey& key, const KnownImage& known);

  // No image is known any more.
  void forget_images();

  // Everything that is judged by `old` is judged by `now` from its next call on, as if nothing of it had been told yet.
  // False: there is no room for it, and all is as before.
  bool replace_table(const Table& old, const Table& now, uint32_t flags);

  // Records that the kernel did not make since a program was interrupted by itself. It has not been seen to.
  uint64_t missed_count() const;

  int ring() const { return ring_; }
  uint32_t ring_bytes() const { return ring_bytes_; }
  Control& control() { return *control_; }

 private:
  struct Published {
    uint32_t at;  // in judged_->tables
    uint32_t bytes;
    uint32_t view;
  };

  Status run_loader();
  bool is_whole() const;
  Status know_maps();
  std::optional<Published> adopted(const Table& table, uint32_t flags);
  Status map_memory(int control, int judged, int slots);
  Status attach_tracepoint(int part, const char* name);
  Status attach_kprobe(int part, const char* function);
  Status walk_tasks(int part);
  void detach();
  std::optional<Published> publish(const Table& table, uint32_t flags);
  std::optional<uint32_t> room_for(uint32_t bytes);
  void free_retired();
  void judge_by(uint32_t image, uint32_t view);

  static constexpr int kMaxParts = 16;
  static constexpr int kMaxMaps = 16;
  int maps_[kMaxMaps];
  int map_count_ = 0;
  int extras_ = -1;  // this and the next two: of `maps_`
  int names_ = -1;
  int known_ = -1;
  int ring_ = -1;
  int kprobe_ = -1;  // perf event
  int programs_[kMaxParts];
  int program_count_ = 0;
  int links_[kMaxParts];
  int link_count_ = 0;
  uint32_t ring_bytes_ = 0;
  Control* control_ = nullptr;
  Judged* judged_ = nullptr;
  const ::Track* slots_ = nullptr;
  std::unordered_map<const void*, Published> tables_;  // by the bytes they were copied from
  std::map<uint32_t, uint32_t> taken_;                 // of judged_->tables: where, how many bytes
  bool is_view_taken_[TRACEFP_VIEWS] = {};
  uint32_t serial_ = 0;
  std::vector<Published> retired_;  // the kernel half may still be reading them
  std::vector<Published> adopted_;  // made by who was before us
};

}  // namespace tracefp
