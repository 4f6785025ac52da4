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

void leave(TapeHead& head, uint32_t place) {
  for (uint32_t i = place; i > 0; i--) head.recent[i] = head.recent[i - 1];
  head.recent[0] = head.current;
}

bool recall(TapeHead& head, uint32_t place) {
  if (place >= head.recent_count) return false;
  const uint32_t slot = head.recent[place];
  leave(head, place);
  head.current = slot;
  return true;
}

void go_to(TapeHead& head, uint32_t slot) {
  if (head.recent_count < kRecentTracks) head.recent_count++;
  leave(head, head.recent_count - 1);
  head.current = slot;
}

// The slot of a tid; 0: it has none.
uint32_t slot_of(const Tape& tape, uint32_t tid) {
  const uint32_t mask = tape.place_count - 1;
  for (uint32_t place = (tid * 0x9e3779b1U) & mask;; place = (place + 1) & mask) {
    const uint32_t found = tape.places[place];
    if (found == 0) return 0;
    if (tape.slots[found - 1].tid == tid) return found - 1;
  }
}

void remember(TapeSlot& slot, const uint8_t* calls, size_t count) {
  if (count >= sizeof(slot.history)) {
    memcpy(slot.history, calls + count - sizeof(slot.history), sizeof(slot.history));
    return;
  }
  uint8_t both[2 * sizeof(slot.history)];
  memcpy(both, slot.history, sizeof(slot.history));
  for (size_t i = 0; i < count; i++) both[sizeof(slot.history) + i] = calls[i];
  memcpy(slot.history, both + count, sizeof(slot.history));
}

}  // namespace

uint32_t TapePlayer::add_pairs(const uint8_t* memo) {
  memos_.push_back(std::make_unique<Memo>());
  memos_.back()->pairs = memo;
  return static_cast<uint32_t>(memos_.size());
}

uint32_t TapePlayer::add_steps(const uint16_t* steps, uint32_t limit) {
  memos_.push_back(std::make_unique<Memo>());
  memos_.back()->steps.steps = steps;
  memos_.back()->steps.limit = limit;
  return static_cast<uint32_t>(memos_.size());
}

// How many calls of the slot are known, from `at` on.
size_t TapePlayer::take(TapeSlot& slot, const uint8_t* bytes, size_t at, size_t size) {
  if (slot.memo == 0 || slot.memo > memos_.size()) return 0;
  Memo& memo = *memos_[slot.memo - 1];
  if (memo.pairs == nullptr) {
    const Walked walked = walk_steps(memo.steps, bytes, at, size, slot.state);
    if (walked.count == 0) return 0;
    slot.former = walked.former;
    slot.state = walked.row;
    return walked.count;
  }
  if (memo.pairs[slot.state | uint32_t{bytes[at]} << 8] == 0) return 0;
  const size_t end = first_unknown_pair(form_, memo.pairs, bytes, at + 1, size);
  slot.former = end - at == 1 ? slot.state : bytes[end - 2];
  slot.state = bytes[end - 1];
  return end - at;
}

void TapePlayer::play(const Tape& tape, const uint8_t* bytes, size_t size) {
  TapeHead& head = *tape.head;
  size_t at = head.at;
  while (at < size) {
    const uint8_t op = bytes[at];
    if (op >= kFirstCode) {
      TapeSlot& slot = tape.slots[head.current];
      const size_t count = take(slot, bytes, at, size);
      if (count == 0) break;
      slot.count += static_cast<uint32_t>(count);
      head.taken += static_cast<uint32_t>(count);
      remember(slot, bytes + at, count);
      at += count;
    } else if (op >= kOpRecent) {
      if (!recall(head, op - kOpRecent)) break;
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
        const int64_t tid = int64_t{tape.slots[head.current].tid} + moved;
        const uint32_t slot = tid <= 0 || tid > UINT32_MAX ? 0 : slot_of(tape, static_cast<uint32_t>(tid));
        if (slot == 0) break;
        go_to(head, slot);
      }
      at = next;
    } else {
      break;
    }
  }
  head.at = static_cast<uint32_t>(at);
}

}  // namespace tracefp
