// What the reader of the kernel's ring knows of the tracks, kept in a map that is pinned beside the ring: who comes
// after us, should we be killed, begins with it and goes on reading. It is a function of the records up to the ring's
// consumer position, so both are moved on together, and only once the records were dealt with. Who is killed between
// the two leaves a record that is gone through once more: what it changes is remembered as it was before.
//
//   ring    |--dealt with--|--told, not yet dealt with--|--unread--|
//                   consumer, notebook          cursor          producer
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/ebpf/kernel/shared.h"
#include "engine/status.h"

namespace tracefp {

// A track as it was at the consumer position.
struct KeptTrack {
  uint32_t tid;  // 0: nobody
  uint32_t tgid;
  uint32_t parent;  // the process that it is a child of
  uint32_t image;   // index in the notebook + 1; 0: not known
  uint32_t frame_count;
  uint32_t signal;      // of the last frame
  uint32_t call_count;  // since its chain began; the last TRACEFP_KEPT of them are in `calls`
  uint16_t calls[TRACEFP_KEPT];
  uint32_t padding;
};
static_assert(sizeof(KeptTrack) == 64);

struct KeptImage {
  uint32_t user_count;
  uint32_t size;
  uint8_t is_met;
  uint8_t padding[7];
  uint8_t facts[2032];  // ExecFacts and what stands behind it; arguments are cut where there is no room
};
static_assert(sizeof(KeptImage) == 2048);

// One more with each change of what stands here, or of what it means.
constexpr uint32_t kNotebookVersion = 3;

constexpr uint32_t kKeptTracks = 65'536;
constexpr uint32_t kKeptImages = 4'096;

// Written by the reader that has the folder locked, but for nothing.
struct NotebookPages {
  char stamp[64];            // who wrote this: only the same may go on
  char session[32];          // of the report that told what was before
  char name[256];            // of what is followed
  uint64_t read_at;          // milliseconds since 1970: when a record was last dealt with, or looked for
  uint64_t lost_miss_count;  // how many of control.lost_miss_count were told
  uint64_t lost_count;       // and of all other losses
  uint64_t io_uring_count;   // and of control.io_uring_count
  uint32_t unkept_count;     // tracks that live and for which there was no room, at least
  uint32_t has_kprobe;
  uint64_t after_before;  // 1 + position of the last record that changed a track in place, which was `before`
  KeptTrack before;
  uint8_t padding[3632];
  KeptTrack tracks[kKeptTracks];
  KeptImage images[kKeptImages];
};
static_assert(sizeof(NotebookPages) % 4096 == 0);

// What stands on the first page, for who only wants to know.
struct PinnedFacts {
  std::string stamp;
  std::string session;
  std::string name;
  uint64_t read_at;
};

// Nothing: no session is pinned in this folder, or it may not be read.
std::optional<PinnedFacts> read_pinned(const std::string& folder);

class Notebook {
 public:
  Notebook() = default;
  ~Notebook();
  Notebook(const Notebook&) = delete;
  Notebook& operator=(const Notebook&) = delete;

  // An empty one, in a map of its own.
  Status make();
  // One that was written by somebody before us, of which nothing is taken on trust. Takes the descriptor.
  Status adopt(int map);
  // After adopt(), before apply(): the record at the consumer position is one that is yet to come.
  void begin_at(uint64_t position);

  bool is_open() const { return pages_ != nullptr; }
  int map() const { return map_; }
  NotebookPages& pages() { return *pages_; }

  // A record was dealt with. `size`: with what stands behind it. `position`: in the kernel's ring.
  void apply(const KernelRecord& record, uint32_t size, uint64_t position);

  // All tracks; those that lead their process first.
  std::vector<KeptTrack> tracks() const;
  // Null: it is not known.
  const KeptImage* image_of(const KeptTrack& track) const;

 private:
  Status map_memory();
  void read();
  KeptTrack* find(uint32_t tid);
  KeptTrack* add(uint32_t tid);
  bool forget(uint32_t tid);
  void end(uint32_t tid, uint64_t position);
  void name(KeptTrack& track, uint32_t image);
  uint32_t keep_image(const KernelRecord& record, uint32_t size);

  int map_ = -1;
  uint64_t begun_at_ = UINT64_MAX;
  NotebookPages* pages_ = nullptr;
  std::unordered_map<uint32_t, uint32_t> places_;  // by tid
  std::vector<uint32_t> free_tracks_;
  std::vector<uint32_t> free_images_;
};

}  // namespace tracefp
