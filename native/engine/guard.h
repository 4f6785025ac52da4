// Judges every call before it runs, for sessions that are guarded. It follows the same tracks as the reader does, with
// the table that the reader gave it at each exec. Used wherever its engine holds the session.
#pragma once

#include <sys/types.h>

#include <unordered_map>

#include "match/track.h"
#include "ring/layout.h"

namespace tracefp {

class Guard {
 public:
  // `is_on` false: nothing is followed and nothing is a miss.
  explicit Guard(bool is_on) : is_on_(is_on) {}

  void birth(pid_t tid, pid_t parent, pid_t tgid, BirthKind kind);

  // All other threads of the process are gone. `table` null: the new program is not judged.
  void exec(pid_t tid, const Table* table);

  // A process that already ran, or one whose parent cannot tell: `table` is what its program is judged by.
  void met(pid_t tid, const Table* table);

  void signal(pid_t tid, int signal);
  void end(pid_t tid);

  bool is_on() const { return is_on_; }

  // True: the call is a miss, and the track waits for settle(). False: it happens.
  bool is_miss(pid_t tid, const Call& call);

  // Whether `call` would be a miss now. Nothing changes.
  bool would_miss(pid_t tid, const Call& call);

  // After is_miss(): whether the call happens after all.
  void settle(bool happens);

 private:
  Track* find(pid_t tid);
  const Track* sibling_of(pid_t tgid, pid_t tid) const;

  const bool is_on_;
  std::unordered_map<pid_t, Track> tracks_;
  pid_t latest_tid_ = 0;
  Track* latest_ = nullptr;
  Track* asked_ = nullptr;
  Step asked_step_{};
};

}  // namespace tracefp
