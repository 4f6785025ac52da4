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

  // Calls visit(record, size) for up to `limit` records, and gives their room back. `size` is that of the record with
  // what stands behind it. Returns how many there were.
  template <typename Visit>
  size_t drain(size_t limit, Visit visit) {
    size_t count = 0;
    uint64_t at = __atomic_load_n(consumer_, __ATOMIC_RELAXED);
    for (; count < limit && at < __atomic_load_n(producer_, __ATOMIC_ACQUIRE); count++) {
      const uint8_t* entry = data_ + (at & mask_);
      const uint32_t size = __atomic_load_n(reinterpret_cast<const uint32_t*>(entry), __ATOMIC_ACQUIRE);
      if ((size & kBusy) != 0) break;  // another CPU is still writing it
      const uint32_t length = size & ~kDiscarded;
      if (length == size) visit(*reinterpret_cast<const KernelRecord*>(entry + kEntryBytes), length);
      at += (kEntryBytes + length + 7) / 8 * 8;
      __atomic_store_n(consumer_, at, __ATOMIC_RELEASE);
    }
    return count;
  }

  // Nothing is in the ring, not even a record that is being written.
  bool is_empty() const {
    return __atomic_load_n(consumer_, __ATOMIC_RELAXED) == __atomic_load_n(producer_, __ATOMIC_SEQ_CST);
  }

 private:
  static constexpr uint32_t kBusy = 1u << 31;
  static constexpr uint32_t kDiscarded = 1u << 30;
  static constexpr uint32_t kEntryBytes = 8;

  uint64_t* consumer_ = nullptr;
  const uint64_t* producer_ = nullptr;
  const uint8_t* data_ = nullptr;  // mapped twice in a row: no record is cut
  uint64_t mask_ = 0;
  size_t page_bytes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace tracefp
