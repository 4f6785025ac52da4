#include "engine/ebpf/notebook.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "engine/ebpf/pin_folder.h"
#include "ring/layout.h"
#include "syscall/abi.h"

namespace tracefp {

namespace {

static_assert(offsetof(NotebookPages, tracks) == kPinnedPageBytes);

bool ends_frame(Abi abi, int32_t nr) {
  const KnownCalls& known = known_calls(abi);
  return nr == known.rt_sigreturn || (nr == known.sigreturn && nr >= 0);
}

// Whoever wrote it need not have ended it.
template <size_t size>
std::string text_of(const char (&text)[size]) {
  return {text, strnlen(text, size)};
}

}  // namespace

std::optional<PinnedFacts> read_pinned(const std::string& folder) {
  alignas(NotebookPages) char page[kPinnedPageBytes];
  if (!read_pinned_page(folder + "/" + kPinnedLast, page)) return std::nullopt;
  const auto* const pages = reinterpret_cast<const NotebookPages*>(page);
  return PinnedFacts{text_of(pages->stamp), text_of(pages->session), text_of(pages->name), pages->read_at};
}

Notebook::~Notebook() {
  if (pages_ != nullptr) munmap(pages_, sizeof *pages_);
  if (map_ >= 0) close(map_);
}

Status Notebook::make() {
  map_ = make_memory_map(sizeof(NotebookPages), "notebook");
  if (map_ < 0) return {"bpf(BPF_MAP_CREATE)", errno};
  return map_memory();
}

Status Notebook::adopt(int map) {
  map_ = map;
  return map_memory();
}

Status Notebook::map_memory() {
  void* const memory = mmap(nullptr, sizeof(NotebookPages), PROT_READ | PROT_WRITE, MAP_SHARED, map_, 0);
  if (memory == MAP_FAILED) return {"mmap", errno};
  pages_ = static_cast<NotebookPages*>(memory);
  read();
  return {};
}

// Who was killed may have been about to count, or to name: users are counted anew, and nothing points anywhere else.
void Notebook::read() {
  for (KeptImage& image : pages_->images) {
    image.user_count = 0;
    if (image.size < sizeof(ExecFacts) || image.size > sizeof image.facts) image.size = 0;
  }
  for (uint32_t at = kKeptTracks; at-- > 0;) {
    KeptTrack& track = pages_->tracks[at];
    if (track.tid == 0 || !places_.emplace(track.tid, at).second) {
      track = {};
      free_tracks_.push_back(at);
      continue;
    }
    if (track.image > kKeptImages || (track.image != 0 && pages_->images[track.image - 1].size == 0)) track.image = 0;
    if (track.image != 0) pages_->images[track.image - 1].user_count++;
  }
  for (uint32_t at = kKeptImages; at-- > 0;) {
    if (pages_->images[at].user_count == 0) free_images_.push_back(at);
  }
}

void Notebook::begin_at(uint64_t position) {
  begun_at_ = position;
  KeptTrack* const track = find(pages_->before.tid);
  if (pages_->after_before != position + 1 || track == nullptr) return;
  const uint32_t image = track->image;
  *track = pages_->before;
  track->image = image;
}

KeptTrack* Notebook::find(uint32_t tid) {
  const auto found = places_.find(tid);
  return found == places_.end() ? nullptr : &pages_->tracks[found->second];
}

KeptTrack* Notebook::add(uint32_t tid) {
  (void)forget(tid);
  if (free_tracks_.empty()) {
    pages_->unkept_count++;
    return nullptr;
  }
  const uint32_t at = free_tracks_.back();
  free_tracks_.pop_back();
  places_.emplace(tid, at);
  KeptTrack& track = pages_->tracks[at];
  track = {};
  track.tid = tid;
  track.tgid = tid;
  return &track;
}

// False: it is not here.
bool Notebook::forget(uint32_t tid) {
  const auto found = places_.find(tid);
  if (found == places_.end()) return false;
  KeptTrack& track = pages_->tracks[found->second];
  name(track, 0);
  track.tid = 0;
  free_tracks_.push_back(found->second);
  places_.erase(found);
  return true;
}

// Whose end is the first record may have been here: who was killed had forgotten it already.
void Notebook::end(uint32_t tid, uint64_t position) {
  if (!forget(tid) && pages_->unkept_count > 0 && position != begun_at_) pages_->unkept_count--;
}

void Notebook::name(KeptTrack& track, uint32_t image) {
  if (image != 0) pages_->images[image - 1].user_count++;
  if (track.image != 0 && --pages_->images[track.image - 1].user_count == 0) free_images_.push_back(track.image - 1);
  track.image = image;
}

// The image as one that nobody uses yet; 0: there is no room, or nothing is known of it.
uint32_t Notebook::keep_image(const KernelRecord& record, uint32_t size) {
  if (size < sizeof record + sizeof(ExecFacts) || free_images_.empty()) return 0;
  const auto* const given = reinterpret_cast<const ExecFacts*>(&record + 1);
  const auto* const filename = reinterpret_cast<const uint8_t*>(given + 1);
  const uint64_t paths = uint64_t{given->exe_bytes} + given->cwd_bytes;
  const uint64_t names = uint64_t{given->filename_bytes} + given->args_bytes;
  KeptImage& image = pages_->images[free_images_.back()];
  ExecFacts facts = *given;
  // The name given to execve is another one than the path only where an interpreter runs.
  if (given->is_script == 0) facts.filename_bytes = 0;
  const uint64_t others = sizeof facts + uint64_t{facts.filename_bytes} + paths;
  if (names + paths > size - sizeof record - sizeof facts || others > sizeof image.facts) return 0;
  facts.args_bytes = std::min<uint32_t>(given->args_bytes, static_cast<uint32_t>(sizeof image.facts - others));
  uint8_t* at = image.facts;
  const auto put = [&at](const void* from, size_t count) {
    memcpy(at, from, count);
    at += count;
  };
  put(&facts, sizeof facts);
  put(filename, facts.filename_bytes);
  put(filename + given->filename_bytes, facts.args_bytes);
  put(filename + names, paths);
  image.size = static_cast<uint32_t>(at - image.facts);
  image.is_met = static_cast<RecordKind>(record.kind) == RecordKind::kBirth;
  const uint32_t number = free_images_.back() + 1;
  free_images_.pop_back();
  return number;
}

void Notebook::apply(const KernelRecord& record, uint32_t size, uint64_t position) {
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::kBirth: {
      KeptTrack* const born = add(record.tid);
      if (born == nullptr) return;
      born->tgid = record.extra;
      const bool is_thread = record.extra != record.tid;
      KeptTrack* const parent = find(is_thread ? record.extra : record.value);
      born->parent = parent == nullptr ? record.value : is_thread ? parent->parent : parent->tgid;
      if (size > sizeof record) {
        name(*born, keep_image(record, size));
      } else if (parent != nullptr) {
        name(*born, parent->image);
        if (!is_thread) born->frame_count = parent->frame_count;
        if (!is_thread) born->signal = parent->signal;
      }
      return;
    }
    case RecordKind::kExec: {
      const KeptTrack* former = find(record.value);
      if (former == nullptr) former = find(record.tid);
      const uint32_t parent = former == nullptr ? 0 : former->parent;
      end(record.value, position);
      KeptTrack* const track = add(record.tid);
      if (track == nullptr) return;
      track->parent = parent;
      name(*track, keep_image(record, size));
      return;
    }
    case RecordKind::kExit:
      return end(record.tid, position);
    default:
      break;
  }
  KeptTrack* const track = find(record.tid);
  if (track == nullptr) return;
  // Of all others what is done twice is as if it were done once.
  pages_->before = *track;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  pages_->after_before = position + 1;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::kCall: {
      const auto nr = static_cast<int32_t>(record.value);
      if ((record.flags & kRecordRestart) != 0) return;
      const auto call = static_cast<uint16_t>(record.abi << 12 | (record.value & 0xfff));
      if ((record.flags & kRecordMaybeRestart) != 0 && track->call_count > 0 &&
          track->calls[(track->call_count - 1) % TRACEFP_KEPT] == call) {
        return;
      }
      if (track->frame_count > 0 && ends_frame(static_cast<Abi>(record.abi), nr)) {
        track->frame_count--;
        track->call_count = 0;
      } else if (record.value < 0x1000) {
        track->calls[track->call_count++ % TRACEFP_KEPT] = call;
      } else {
        track->call_count = 0;
      }
      return;
    }
    case RecordKind::kSignal:
      track->frame_count++;
      track->signal = record.value;
      track->call_count = 0;
      return;
    case RecordKind::kGap:
      track->call_count = 0;
      return;
    default:
      return;
  }
}

std::vector<KeptTrack> Notebook::tracks() const {
  std::vector<KeptTrack> all;
  for (const KeptTrack& track : pages_->tracks) {
    if (track.tid != 0) all.push_back(track);
  }
  std::stable_partition(all.begin(), all.end(), [](const KeptTrack& track) { return track.tid == track.tgid; });
  return all;
}

const KeptImage* Notebook::image_of(const KeptTrack& track) const {
  return track.image == 0 ? nullptr : &pages_->images[track.image - 1];
}

}  // namespace tracefp
