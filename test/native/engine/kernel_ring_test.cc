#include "engine/ebpf/kernel_ring.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using namespace tracefp;

namespace {

constexpr uint32_t kBytes = 4096;
constexpr uint32_t kBusy = 1U << 31;
constexpr uint32_t kDiscarded = 1U << 30;

// The kernel's end of a ring, in a file: consumer page, producer page, the data, and the data once more.
class KernelEnd {
 public:
  explicit KernelEnd(uint64_t start) {
    file = memfd_create("ring", MFD_CLOEXEC);
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t size = 2 * page + 2 * kBytes;
    REQUIRE(ftruncate(file, static_cast<off_t>(size)) == 0);
    memory_ = static_cast<uint8_t*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    size_ = size;
    consumer = reinterpret_cast<uint64_t*>(memory_);
    producer = reinterpret_cast<uint64_t*>(memory_ + page);
    data_ = memory_ + 2 * page;
    *consumer = *producer = start;
  }
  KernelEnd(const KernelEnd&) = delete;
  KernelEnd& operator=(const KernelEnd&) = delete;
  ~KernelEnd() {
    munmap(memory_, size_);
    close(file);
  }

  uint64_t room() const { return kBytes - (*producer - *consumer); }

  // Where the record stands. `flags`: of its header.
  uint64_t put(uint32_t tid, uint32_t behind = 0, uint32_t flags = 0) {
    const KernelRecord record{tid, 0, 3, 0, 0, 0};
    const uint32_t length = sizeof record + behind;
    const uint64_t at = *producer;
    std::vector<uint8_t> bytes(8 + (length + 7) / 8 * 8, static_cast<uint8_t>(tid));
    const uint32_t header = length | flags;
    memcpy(bytes.data(), &header, sizeof header);
    memcpy(bytes.data() + 8, &record, sizeof record);
    write(at, bytes);
    *producer = at + bytes.size();
    return at;
  }

  void set_header(uint64_t at, uint32_t header) {
    std::vector<uint8_t> bytes(sizeof header);
    memcpy(bytes.data(), &header, sizeof header);
    write(at, bytes);
  }

  int file;
  uint64_t* consumer;
  uint64_t* producer;

 private:
  void write(uint64_t at, const std::vector<uint8_t>& bytes) {
    for (size_t i = 0; i < bytes.size(); i++) {
      const uint64_t place = (at + i) & (kBytes - 1);
      data_[place] = data_[place + kBytes] = bytes[i];
    }
  }

  uint8_t* memory_;
  size_t size_;
  uint8_t* data_;
};

struct Seen {
  std::vector<uint32_t> tids;
  bool is_whole = true;

  void operator()(const KernelRecord& record, uint32_t size) {
    tids.push_back(record.tid);
    const auto* behind = reinterpret_cast<const uint8_t*>(&record + 1);
    for (uint32_t i = 0; i < size - sizeof record; i++) {
      is_whole = is_whole && behind[i] == static_cast<uint8_t>(record.tid);
    }
  }
};

std::vector<uint32_t> numbers(uint32_t from, uint32_t to) {
  std::vector<uint32_t> all;
  for (uint32_t i = from; i < to; i++) all.push_back(i);
  return all;
}

// The last bytes before the end of the data, and before the positions themselves begin anew.
constexpr uint64_t kStarts[] = {0, kBytes - 8, kBytes - 24, kBytes - 32, 0xffffffff - 39, 0 - uint64_t{40}};

}  // namespace

TEST_CASE("every record of the kernel's ring is visited once, whole and in order, wherever the ring begins anew") {
  for (const uint64_t start : kStarts) {
    KernelEnd kernel(start);
    KernelRing ring;
    REQUIRE(ring.open(kernel.file, kBytes).ok());
    Seen seen;
    uint32_t put = 0;
    for (uint32_t round = 0; round < 300; round++) {
      while (kernel.room() >= 200) {
        kernel.put(put, put % 7 * 23);
        put++;
      }
      CHECK_FALSE(ring.is_empty());
      ring.drain(round % 5 + 1, [&](const KernelRecord& record, uint32_t size) { seen(record, size); });
      CHECK(*kernel.consumer == ring.position());
    }
    ring.drain(10'000, [&](const KernelRecord& record, uint32_t size) { seen(record, size); });
    CHECK(ring.is_empty());
    CHECK(ring.position() == ring.end());
    CHECK(seen.is_whole);
    CHECK(seen.tids == numbers(0, put));
  }
}

TEST_CASE("a record that is being written holds back those behind it, and one that was discarded is passed over") {
  for (const uint64_t start : kStarts) {
    KernelEnd kernel(start);
    KernelRing ring;
    REQUIRE(ring.open(kernel.file, kBytes).ok());
    Seen seen;
    const auto drain = [&] {
      return ring.drain(100, [&](const KernelRecord& record, uint32_t size) { seen(record, size); });
    };
    kernel.put(1);
    kernel.put(2, 40, kDiscarded);
    const uint64_t busy = kernel.put(3, 8, kBusy);
    kernel.put(4);
    CHECK(drain() == 2);
    CHECK(drain() == 0);
    CHECK_FALSE(ring.is_empty());
    CHECK(ring.position() == busy);
    kernel.set_header(busy, (sizeof(KernelRecord) + 8) | kDiscarded);
    CHECK(drain() == 2);
    CHECK(seen.tids == std::vector<uint32_t>{1, 4});
    CHECK(ring.is_empty());
  }
}

TEST_CASE("records that are held back keep their room, and are visited once more as it is given back") {
  for (const uint64_t start : kStarts) {
    KernelEnd kernel(start);
    KernelRing ring;
    REQUIRE(ring.open(kernel.file, kBytes).ok());
    ring.hold_back();
    Seen first;
    Seen again;
    std::vector<uint64_t> places;
    uint32_t put = 0;
    uint64_t former = start;
    for (int round = 0; round < 100; round++) {
      const uint64_t before = *kernel.consumer;
      while (kernel.room() >= 160) {
        kernel.put(put, put % 5 * 31);
        put++;
      }
      ring.drain(1'000, [&](const KernelRecord& record, uint32_t size) { first(record, size); });
      CHECK(*kernel.consumer == before);
      // What was drained before this round's records.
      ring.release(former, [&](const KernelRecord& record, uint32_t size, uint64_t where) {
        again(record, size);
        CHECK(where == *kernel.consumer);
      });
      CHECK(*kernel.consumer == former);
      former = ring.position();
    }
    ring.release(ring.position(), [&](const KernelRecord& record, uint32_t size, uint64_t) { again(record, size); });
    CHECK(first.is_whole);
    CHECK(again.is_whole);
    CHECK(first.tids == numbers(0, put));
    CHECK(again.tids == first.tids);
    CHECK(kernel.room() == kBytes);
  }
}

TEST_CASE("who opens a ring that was read before begins with what was held back there") {
  KernelEnd kernel(kBytes - 24);
  Seen seen;
  {
    KernelRing ring;
    REQUIRE(ring.open(kernel.file, kBytes).ok());
    ring.hold_back();
    for (uint32_t i = 0; i < 10; i++) kernel.put(i, 60);
    uint64_t third = 0;
    ring.drain(3, [](const KernelRecord&, uint32_t) {});
    third = ring.position();
    ring.drain(100, [](const KernelRecord&, uint32_t) {});
    ring.release(third, [](const KernelRecord&, uint32_t, uint64_t) {});
  }
  KernelRing ring;
  REQUIRE(ring.open(kernel.file, kBytes).ok());
  ring.drain(100, [&](const KernelRecord& record, uint32_t size) { seen(record, size); });
  CHECK(seen.tids == numbers(3, 10));
}

TEST_CASE("a ring is opened of nothing that is none") {
  KernelRing ring;
  CHECK_FALSE(ring.open(-1, kBytes).ok());
}
