// A tape is what a capture holds of a session: calls as codes, and between them where the clock moved and whose calls
// follow. Here it is played as long as nothing happens that a memo does not know; whatever else comes, and every call
// that is not known, stops it there and is TypeScript's. src/model/tape.ts has the same layout and the plain twin of
// play().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "match/batch.h"

namespace tracefp {

constexpr uint32_t kRecentTracks = 16;

// A track of the tape, as far as it can be played fast. All is the player's between two stops, and TypeScript's at a
// stop.
struct TapeSlot {
  uint32_t tid;
  uint32_t memo;    // index + 1; 0: its calls are not known
  uint32_t state;   // what it did last: a code, or a row of a memo of steps; 0: not known
  uint32_t former;  // the same, one call before
  uint32_t count;   // calls played since TypeScript last put it to 0
  uint32_t unused[3];
  uint8_t history[16];  // call n of them at n % 16
};
static_assert(sizeof(TapeSlot) == 48);

struct TapeHead {
  uint32_t at;  // in the bytes
  uint32_t recent_count;
  uint32_t current;                // slot whose calls follow
  uint32_t recent[kRecentTracks];  // slots that were left, the last one at `first`, and around
  uint32_t taken;                  // calls of all slots, ever; it wraps
  uint32_t first;                  // to be taken modulo kRecentTracks
  uint32_t unused;
  double time_ms;
};
static_assert(sizeof(TapeHead) == 96);

struct Tape {
  TapeHead* head;
  TapeSlot* slots;
  const uint32_t* places;  // slot + 1 by tid: open addressing, place_count is a power of two, 0 = free
  uint32_t place_count;
};

class TapePlayer {
 public:
  explicit TapePlayer(BatchForm form) : form_(form) {}

  // They must stay where they are as long as the player lives. Answers what stands in TapeSlot::memo.
  uint32_t add_pairs(const uint8_t* memo);
  uint32_t add_steps(const uint16_t* steps, uint32_t limit);
  // No memo from here on.
  void clear() { memos_.clear(); }

  // From head.at on, until something is not known; head.at is there then, or `size`.
  void play(const Tape& tape, const uint8_t* bytes, size_t size);

 private:
  struct Memo {
    PairMemo pairs;  // of nothing where it is one of steps
    StepMemo steps;
  };

  bool take_one(TapeSlot& slot, uint8_t code) const;
  size_t take(TapeSlot& slot, const uint8_t* bytes, size_t at, size_t size);

  BatchForm form_;
  std::vector<std::unique_ptr<Memo>> memos_;
};

}  // namespace tracefp
