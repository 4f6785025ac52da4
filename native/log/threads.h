// What the scanner remembers of threads: whether the next call of one is to be handed on as a line, and its mode. A
// thread that was forgotten is one whose next call is handed on, so a small table is enough for logs with any number of
// threads.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace tracefp {

class ThreadTable {
 public:
  ThreadTable() : slots_(kSlots) {}

  // True when nothing is pending for this thread.
  bool is_plain(uint32_t tid) const {
    const Slot& slot = slots_[tid % kSlots];
    return slot.tid == tid && slot.round == round_;
  }

  // Its next call is a call like any other.
  void set_plain(uint32_t tid) { slots_[tid % kSlots] = {tid, round_}; }

  // Something depends on its next call.
  void set_pending(uint32_t tid) {
    Slot& slot = slots_[tid % kSlots];
    if (slot.tid == tid) slot.round = 0;
  }

  // The same for all threads.
  void set_all_pending() {
    if (++round_ != 0) return;
    slots_.assign(kSlots, Slot{});
    round_ = 1;
  }

  uint8_t mode_of(uint32_t tid) const {
    if (modes_.empty()) return 0;
    const auto found = modes_.find(tid);
    return found == modes_.end() ? 0 : found->second;
  }

  // A mode other than 0 is kept until it is set to 0. Whoever sets it bounds their number.
  void set_mode(uint32_t tid, uint8_t mode) {
    set_pending(tid);
    if (mode == 0) {
      modes_.erase(tid);
    } else {
      modes_[tid] = mode;
    }
  }

  bool has_modes() const { return !modes_.empty(); }

 private:
  static constexpr uint32_t kSlots = 4096;

  struct Slot {
    uint32_t tid = 0;
    uint32_t round = 0;  // plain when it is that of the table
  };

  std::vector<Slot> slots_;
  uint32_t round_ = 1;
  std::unordered_map<uint32_t, uint8_t> modes_;
};

}  // namespace tracefp
