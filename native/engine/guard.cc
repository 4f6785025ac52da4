#include "engine/guard.h"

#include <utility>

namespace tracefp {

Track* Guard::find(pid_t tid) {
  if (latest_ != nullptr && latest_tid_ == tid) return latest_;
  const auto found = tracks_.find(tid);
  if (found == tracks_.end()) return nullptr;
  latest_tid_ = tid;
  latest_ = &found->second;
  return latest_;
}

const Track* Guard::sibling_of(pid_t tgid, pid_t tid) const {
  for (const auto& [other, track] : tracks_) {
    if (track.tgid == tgid && other != tid) return &track;
  }
  return nullptr;
}

void Guard::birth(pid_t tid, pid_t parent, pid_t tgid, BirthKind kind) {
  if (!is_on_) return;
  latest_ = nullptr;
  const Track* from = nullptr;
  if (kind == BirthKind::kThread || kind == BirthKind::kFork) {
    const auto found = tracks_.find(parent);
    if (found != tracks_.end()) from = &found->second;
  }
  const bool is_joined = kind == BirthKind::kJoin || kind == BirthKind::kMet;
  if (from == nullptr && (kind == BirthKind::kThread || is_joined)) from = sibling_of(tgid, tid);
  const bool is_born = from != nullptr && !is_joined;
  const bool begins_later = kind == BirthKind::kExec || kind == BirthKind::kOrphan;

  Track track;
  track.tgid = tgid;
  if (from != nullptr) track.table = from->table;
  if (is_born && kind == BirthKind::kFork) {
    track.frames = from->frames;
    track.stray_allowance = from->stray_allowance;
  }
  if (!is_born && !begins_later) {
    track.stray_allowance = 1;
    track.state = kJoined;
  } else if (track.table != nullptr) {
    track.state = track.table->start_of(kind == BirthKind::kFork ? Start::kFork : Start::kThread);
  }
  tracks_.insert_or_assign(tid, std::move(track));
}

void Guard::exec(pid_t tid, const Table* table) {
  if (!is_on_) return;
  latest_ = nullptr;
  std::erase_if(tracks_, [tid](const auto& entry) { return entry.first == tid || entry.second.tgid == tid; });
  Track track;
  track.tgid = tid;
  track.table = table;
  if (table != nullptr) track.state = table->start_of(Start::kExec);
  tracks_.emplace(tid, std::move(track));
}

void Guard::met(pid_t tid, const Table* table) {
  if (!is_on_) return;
  Track* track = find(tid);
  if (track == nullptr) return;
  track->table = table;
  // An orphan is new: what it does first comes after its fork.
  if (table != nullptr && track->state != kJoined) track->state = table->start_of(Start::kFork);
}

void Guard::signal(pid_t tid, int signal) {
  if (!is_on_) return;
  if (Track* track = find(tid)) push_frame(*track, signal);
}

void Guard::end(pid_t tid) {
  if (!is_on_) return;
  latest_ = nullptr;
  tracks_.erase(tid);
}

bool Guard::is_miss(pid_t tid, const Call& call) {
  if (!is_on_) return false;
  Track* track = find(tid);
  if (track == nullptr) return false;
  const Step due = step(*track, call);
  if (due.is_miss) {
    asked_ = track;
    asked_step_ = due;
    return true;
  }
  take(*track, due);
  return false;
}

bool Guard::would_miss(pid_t tid, const Call& call) {
  if (!is_on_) return false;
  const Track* track = find(tid);
  return track != nullptr && step(*track, call).is_miss;
}

void Guard::settle(bool happens) {
  if (happens) take(*asked_, asked_step_);
  asked_ = nullptr;
}

}  // namespace tracefp
