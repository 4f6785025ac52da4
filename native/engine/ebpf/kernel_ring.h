// The reader's end of the ring that the kernel half writes (BPF_MAP_TYPE_RINGBUF): three mappings and two positions, as
// the kernel documents them (Documentation/bpf/ringbuf.rst). One reader, on the tracer thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/ebpf/kernel/shared.h"
#include "engine/status.h"

namespace tracefp {

class KernelRing {
 public:
  KernelRing() = default;
  ~KernelRing();
  KernelRing(const KernelRing&) = delete;
  KernelRing& operator=(const KernelRing&) = delete;

  // `map` outlives the ring and holds `bytes`.
  Status open(int map, uint32_t bytes);

  // Records keep their room until release(): should we die, they are there for who comes after us.
  void hold_back() { holds_back_ = true; }

  // Calls visit(record, size) for up to `limit` records, and gives their room back. `size` is that of the record with
  // what stands behind it. Returns how many there were.
  template <typename Visit>
  size_t drain(size_t limit, Visit visit) {
    size_t count = 0;
    for (; count < limit && at_ != __atomic_load_n(producer_, __ATOMIC_ACQUIRE); count++) {
      const uint32_t size = __atomic_load_n(reinterpret_cast<const uint32_t*>(data_ + (at_ & mask_)), __ATOMIC_ACQUIRE);
      if ((size & kBusy) != 0) break;  // another CPU is still writing it
      at_ = pass(at_, size, visit);
      if (!holds_back_) __atomic_store_n(consumer_, at_, __ATOMIC_RELEASE);
    }
    return count;
  }

  // All that was written so far ends here.
  uint64_t end() const { return __atomic_load_n(producer_, __ATOMIC_ACQUIRE); }

  // What was drained so far ends here.
  uint64_t position() const { return at_; }

  // Calls visit(record, size, where) for what was held back up to a position that was drained, and gives its room back.
  // `where`: the position at which the record stands, which is the consumer's until its room is given back.
  template <typename Visit>
  void release(uint64_t position, Visit visit) {
    uint64_t at = __atomic_load_n(consumer_, __ATOMIC_RELAXED);
    const auto visit_there = [&](const KernelRecord& record, uint32_t size) { visit(record, size, at); };
    while (at != position) {
      at = pass(at, *reinterpret_cast<const uint32_t*>(data_ + (at & mask_)), visit_there);
      __atomic_store_n(consumer_, at, __ATOMIC_RELEASE);
    }
  }

  // Nothing is in the ring that was not drained, not even a record that is being written.
  bool is_empty() const { return at_ == __atomic_load_n(producer_, __ATOMIC_SEQ_CST); }

 private:
  // Returns where the next one begins.
  template <typename Visit>
  uint64_t pass(uint64_t at, uint32_t size, const Visit& visit) {
    const uint32_t length = size & ~kDiscarded;
    if (length == size) visit(*reinterpret_cast<const KernelRecord*>(data_ + (at & mask_) + kEntryBytes), length);
    return at + (kEntryBytes + length + 7) / 8 * 8;
  }

  static constexpr uint32_t kBusy = 1u << 31;
  static constexpr uint32_t kDiscarded = 1u << 30;
  static constexpr uint32_t kEntryBytes = 8;

  uint64_t* consumer_ = nullptr;
  const uint64_t* producer_ = nullptr;
  const uint8_t* data_ = nullptr;  // mapped twice in a row: no record is cut
  uint64_t mask_ = 0;
  uint64_t at_ = 0;
  bool holds_back_ = false;
  size_t page_bytes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace tracefp
