#include "ring/writer.h"

#include <ctime>
#include <utility>

namespace tracefp {

namespace {

// JavaScript cannot wake a native futex, so a full ring is polled. A full ring holds many milliseconds of work for the
// reader; half a millisecond of sleep delays nothing.
void sleep_half_millisecond() {
  const timespec pause{0, 500'000};
  nanosleep(&pause, nullptr);
}

}  // namespace

RingWriter::RingWriter(void* memory, std::function<void()> doorbell)
    : header_(static_cast<RingHeader*>(memory)),
      records_(reinterpret_cast<Record*>(static_cast<char*>(memory) + kRingHeaderBytes)),
      mask_(header_->capacity - 1),
      head_(header_->head.load(std::memory_order_relaxed)),
      known_tail_(header_->tail.load(std::memory_order_relaxed)),
      doorbell_(std::move(doorbell)) {}

bool RingWriter::is_valid(uint64_t bytes) const {
  const uint64_t capacity = header_->capacity;
  return header_->magic == kRingMagic && header_->version == kRingVersion && capacity >= 2 &&
         (capacity & (capacity - 1)) == 0 && bytes >= kRingHeaderBytes + capacity * kRecordBytes;
}

bool RingWriter::push(const Record& record) {
  while (head_ - known_tail_ > mask_) {
    known_tail_ = header_->tail.load(std::memory_order_acquire);
    if (head_ - known_tail_ <= mask_) break;
    if (stopping_.load(std::memory_order_relaxed)) return false;
    if (header_->reader_asleep.exchange(0) != 0) doorbell_();
    sleep_half_millisecond();
  }
  records_[head_ & mask_] = record;
  // seq_cst on both words: either the reader sees this head before it sleeps, or we see that it sleeps.
  header_->head.store(++head_);
  if (header_->reader_asleep.load() != 0 && header_->reader_asleep.exchange(0) != 0) doorbell_();
  return true;
}

void RingWriter::ring_doorbell() {
  header_->reader_asleep.store(0);
  doorbell_();
}

void RingWriter::set_state(RingState state) {
  header_->state.store(static_cast<uint32_t>(state));
  ring_doorbell();
}

}  // namespace tracefp
