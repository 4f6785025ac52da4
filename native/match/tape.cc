#include "match/tape.h"

#include <cmath>
#include <cstring>

namespace tracefp {

namespace {

// As in src/model/tape.ts.
constexpr uint8_t kOpTrack = 0x03;
constexpr uint8_t kOpTime = 0x04;
constexpr uint8_t kOpRecent = 0x10;
constexpr double kMaxTimeMs = 8.64e15;
// Longer numbers are left to TypeScript: 2^49 ms are 17,000 years.
constexpr int kMaxNumberBytes = 7;

// A zigzag number at `at`, which moves behind it. False: there is none that is whole and short.
bool read_signed(const uint8_t* bytes, size_t size, size_t* at, int64_t* value) {
  // Of one byte or two they are nearly always, and which of both cannot be predicted: no branch.
  if (*at + 2 <= size && (bytes[*at] & bytes[*at + 1]) < 0x80) {
    const uint32_t is_long = bytes[*at] >> 7;
    const uint32_t number = (bytes[*at] & 0x7fU) | (bytes[*at + 1] << 7) * is_long;
    *at += 1 + is_long;
    *value = static_cast<int32_t>(number >> 1) ^ -static_cast<int32_t>(number & 1);
    return true;
  }
  uint64_t number = 0;
  for (int i = 0; i < kMaxNumberBytes && *at + i < size; i++) {
    const uint8_t byte = bytes[*at + i];
    number |= uint64_t{byte & 0x7fU} << 7 * i;
    if (byte >= 0x80) continue;
    *at += i + 1;
    *value = static_cast<int64_t>(number >> 1) ^ -static_cast<int64_t>(number & 1);
    return true;
  }
  return false;
}

// The recent slots, for as long as a player plays: they stand in any order, and their order is a number of 16 digits of
// four bits, the first one lowest. So going back to one moves digits, in a register, and not memory that was just
// written.
class Recent {
 public:
  explicit Recent(const Tape& tape)
      : tape_(tape), count_(tape.head->recent_count), current_(tape.head->current), tid_(tape.slots[current_].tid) {
    const uint32_t turned = 4 * (tape.head->first % kRecentTracks);
    order_ = order_ >> turned | order_ << ((64 - turned) % 64);
    memcpy(slots_, tape.head->recent, sizeof(slots_));
  }

  uint32_t current() const { return current_; }
  // Of the current slot: here, so that the next one can be looked for before this one is loaded.
  uint32_t tid() const { return tid_; }

  bool recall(uint32_t place) {
    if (place >= count_) return false;
    current_ = leave(place);
    tid_ = tape_.slots[current_].tid;
    return true;
  }

  void go_to(uint32_t slot, uint32_t tid) {
    if (count_ < kRecentTracks) count_++;
    leave(count_ - 1);
    current_ = slot;
    tid_ = tid;
  }

  void store(TapeHead* head) const {
    head->recent_count = count_;
    head->current = current_;
    head->first = 0;
    for (uint32_t i = 0; i < kRecentTracks; i++) head->recent[i] = slots_[order_ >> 4 * i & 0xf];
  }

 private:
  // The current slot becomes the first; the one at `place` has gone, and is answered.
  uint32_t leave(uint32_t place) {
    const uint32_t shift = 4 * place;
    const uint64_t digit = order_ >> shift & 0xf;
    const uint64_t before = order_ & ((uint64_t{1} << shift) - 1);
    const uint64_t behind = order_ & ~(((uint64_t{1} << shift) - 1) << 4 | 0xf);
    order_ = behind | before << 4 | digit;
    const uint32_t gone = slots_[digit];
    slots_[digit] = current_;
    return gone;
  }

  const Tape& tape_;
  uint64_t order_ = 0xfedcba9876543210;
  uint32_t count_;
  uint32_t current_;
  uint32_t tid_;
  uint32_t slots_[kRecentTracks];
};

// The slot of a tid; 0: it has none. Sixteen tids in a row are in a row here, and so in one line of the cache.
uint32_t slot_of(const Tape& tape, uint32_t tid) {
  const uint32_t mask = tape.place_count - 1;
  for (uint32_t place = ((tid >> 4) * 0x9e3779b1U << 4 | (tid & 15)) & mask;; place = (place + 1) & mask) {
    const uint32_t found = tape.places[place];
    if (found == 0) return 0;
    if (tape.slots[found - 1].tid == tid) return found - 1;
  }
}

// Before they are counted.
void remember(TapeSlot& slot, const uint8_t* calls, size_t count) {
  constexpr size_t kept = sizeof(slot.history);
  for (size_t i = count > kept ? count - kept : 0; i < count; i++) slot.history[(slot.count + i) % kept] = calls[i];
}

}  // namespace

uint32_t TapePlayer::add_pairs(const uint8_t* memo) {
  memos_.push_back(std::make_unique<Memo>());
  memos_.back()->pairs.pairs = memo;
  return static_cast<uint32_t>(memos_.size());
}

uint32_t TapePlayer::add_steps(const uint16_t* steps, uint32_t limit) {
  memos_.push_back(std::make_unique<Memo>());
  memos_.back()->steps.steps = steps;
  memos_.back()->steps.limit = limit;
  return static_cast<uint32_t>(memos_.size());
}

// One call of a slot that has made some, judged by pairs. False: that is not so, or it is not known.
inline bool TapePlayer::take_one(TapeSlot& slot, uint8_t code) const {
  if (slot.memo == 0 || slot.memo > memos_.size()) return false;
  const uint8_t* const pairs = memos_[slot.memo - 1]->pairs.pairs;
  if (pairs == nullptr || pairs[slot.state | uint32_t{code} << 8] == 0) return false;
  slot.former = slot.state;
  slot.state = code;
  slot.history[slot.count++ % sizeof(slot.history)] = code;
  return true;
}

// How many calls of the slot are known, from `at` on.
size_t TapePlayer::take(TapeSlot& slot, const uint8_t* bytes, size_t at, size_t size) {
  if (slot.memo == 0 || slot.memo > memos_.size()) return 0;
  Memo& memo = *memos_[slot.memo - 1];
  if (memo.pairs.pairs == nullptr) {
    const Walked walked = walk_steps(memo.steps, bytes, at, size, slot.state);
    if (walked.count == 0) return 0;
    slot.former = walked.former;
    slot.state = walked.row;
    return walked.count;
  }
  if (memo.pairs.pairs[slot.state | uint32_t{bytes[at]} << 8] == 0) return 0;
  const size_t end = first_unknown_pair(form_, memo.pairs, bytes, at + 1, size);
  slot.former = end - at == 1 ? slot.state : bytes[end - 2];
  slot.state = bytes[end - 1];
  return end - at;
}

void TapePlayer::play(const Tape& tape, const uint8_t* bytes, size_t size) {
  TapeHead& head = *tape.head;
  Recent recent(tape);
  size_t at = head.at;
  uint32_t taken = 0;
  while (at < size) {
    const uint8_t op = bytes[at];
    if (op >= kFirstCode) {
      TapeSlot& slot = tape.slots[recent.current()];
      if (at + 1 < size && bytes[at + 1] < kFirstCode && take_one(slot, op)) {
        taken++;
        at++;
        continue;
      }
      const size_t count = take(slot, bytes, at, size);
      if (count == 0) break;
      remember(slot, bytes + at, count);
      slot.count += static_cast<uint32_t>(count);
      taken += static_cast<uint32_t>(count);
      at += count;
    } else if (op >= kOpRecent) {
      if (!recent.recall(op - kOpRecent)) break;
      at++;
    } else if (op == kOpTime || op == kOpTrack) {
      size_t next = at + 1;
      int64_t moved;
      if (!read_signed(bytes, size, &next, &moved)) break;
      if (op == kOpTime) {
        const double time = head.time_ms + static_cast<double>(moved);
        if (std::fabs(time) > kMaxTimeMs) break;
        head.time_ms = time;
      } else {
        const int64_t tid = int64_t{recent.tid()} + moved;
        const uint32_t slot = tid <= 0 || tid > UINT32_MAX ? 0 : slot_of(tape, static_cast<uint32_t>(tid));
        if (slot == 0) break;
        recent.go_to(slot, static_cast<uint32_t>(tid));
      }
      at = next;
    } else {
      break;
    }
  }
  recent.store(&head);
  head.at = static_cast<uint32_t>(at);
  head.taken += taken;
}

}  // namespace tracefp
