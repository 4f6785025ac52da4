#include "ring/writer.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace tracefp;

namespace {

constexpr uint32_t kCapacity = 8;

struct Ring {
  explicit Ring(uint32_t start) : memory(kRingHeaderBytes + kCapacity * kRecordBytes + 64) {
    const auto at = reinterpret_cast<uintptr_t>(memory.data());
    base = memory.data() + (64 - at % 64) % 64;
    header = new (base) RingHeader{};
    header->magic = kRingMagic;
    header->version = kRingVersion;
    header->capacity = kCapacity;
    header->head.store(start);
    header->tail.store(start);
  }

  // As src/ring/reader.ts does.
  uint32_t drain(std::vector<uint32_t>& into) {
    const uint32_t head = header->head.load();
    const uint32_t tail = header->tail.load();
    for (uint32_t at = tail; at != head; at++) {
      const auto* records = reinterpret_cast<const Record*>(base + kRingHeaderBytes);
      into.push_back(records[at & (kCapacity - 1)].value);
    }
    header->tail.store(head);
    return head - tail;
  }

  std::vector<char> memory;
  char* base;
  RingHeader* header;
};

Record call(uint32_t value) { return {1, value, RecordKind::kCall, 1, 0, 0}; }

}  // namespace

TEST_CASE("a ring of another layout or too small is refused") {
  Ring ring(0);
  const uint64_t bytes = kRingHeaderBytes + kCapacity * kRecordBytes;
  CHECK(RingWriter(ring.base, [] {}).is_valid(bytes));
  CHECK_FALSE(RingWriter(ring.base, [] {}).is_valid(bytes - 1));
  ring.header->version = kRingVersion + 1;
  CHECK_FALSE(RingWriter(ring.base, [] {}).is_valid(bytes));
  ring.header->version = kRingVersion;
  ring.header->capacity = 7;
  CHECK_FALSE(RingWriter(ring.base, [] {}).is_valid(bytes));
}

TEST_CASE("every record arrives once and in order, through a full ring and through wrap-around of head and tail") {
  constexpr uint32_t kCount = 20'000;
  for (const uint32_t start : {0U, 0xfffffff0U}) {
    Ring ring(start);
    RingWriter writer(ring.base, [] {});
    std::vector<uint32_t> seen;
    std::thread producer([&] {
      for (uint32_t i = 0; i < kCount; i++) CHECK(writer.push(call(i)));
    });
    while (seen.size() < kCount) {
      if (ring.drain(seen) == 0) std::this_thread::yield();
    }
    producer.join();
    bool in_order = true;
    for (uint32_t i = 0; i < kCount; i++) in_order = in_order && seen[i] == i;
    CHECK(in_order);
  }
}

TEST_CASE("the doorbell rings once for a sleeping reader and not for one that is awake") {
  Ring ring(0);
  int rings = 0;
  RingWriter writer(ring.base, [&] { rings++; });
  CHECK(writer.push(call(0)));
  CHECK(rings == 0);
  ring.header->reader_asleep.store(1);
  CHECK(writer.push(call(1)));
  CHECK(writer.push(call(2)));
  CHECK(rings == 1);
  CHECK(ring.header->reader_asleep.load() == 0);
}

TEST_CASE("a change of state rings, whether the reader sleeps or not") {
  Ring ring(0);
  int rings = 0;
  RingWriter writer(ring.base, [&] { rings++; });
  writer.set_state(RingState::kEnded);
  CHECK(rings == 1);
  CHECK(ring.header->state.load() == static_cast<uint32_t>(RingState::kEnded));
}

TEST_CASE("a push that waits for room gives up when it is told to stop") {
  Ring ring(0);
  RingWriter writer(ring.base, [] {});
  for (uint32_t i = 0; i < kCapacity; i++) CHECK(writer.push(call(i)));
  std::atomic<int> pushed{-1};
  std::thread producer([&] { pushed.store(writer.push(call(99)) ? 1 : 0); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(pushed.load() == -1);
  writer.stop();
  producer.join();
  CHECK(pushed.load() == 0);
  std::vector<uint32_t> seen;
  CHECK(ring.drain(seen) == kCapacity);
}
