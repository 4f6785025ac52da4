// The tracer's end of the ring. One writer thread; it allocates nothing and never touches Node.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "ring/layout.h"

namespace tracefp {

class RingWriter {
 public:
  // `memory` is kRingHeaderBytes + capacity * kRecordBytes bytes, header filled in by the reader; it must outlive the
  // writer. `doorbell` wakes the reader and may be called from the writer's thread at any time.
  RingWriter(void* memory, std::function<void()> doorbell);

  // True when the header is one this writer understands and `bytes` is enough for it.
  [[nodiscard]] bool is_valid(uint64_t bytes) const;

  // Appends one record; waits while the ring is full, so nothing is ever dropped. False when `stopping` became true
  // while it waited: the record is not in the ring. Wakes the reader if it sleeps.
  bool push(const Record& record);

  // How many records were pushed, modulo 2^32; and whether the reader has dealt with the first `count` of them.
  uint32_t count() const { return head_; }
  bool is_read(uint32_t count) const {
    return static_cast<int32_t>(header_->tail.load(std::memory_order_acquire) - count) >= 0;
  }

  // Wakes the reader even if it does not say that it sleeps: for records that somebody waits for.
  void ring_doorbell();

  void set_state(RingState state);

  // Any thread: makes a waiting push give up.
  void stop() { stopping_.store(true, std::memory_order_relaxed); }

 private:
  RingHeader* header_;
  Record* records_;
  uint32_t mask_;
  uint32_t head_;        // our copy of header_->head
  uint32_t known_tail_;  // the last tail read: asked again only when the ring looks full
  std::function<void()> doorbell_;
  std::atomic<bool> stopping_{false};
};

}  // namespace tracefp
