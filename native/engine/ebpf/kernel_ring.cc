#include "engine/ebpf/kernel_ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace tracefp {

Status KernelRing::open(int map, uint32_t bytes) {
  page_bytes_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  bytes_ = bytes;
  mask_ = bytes - 1;
  void* consumer = mmap(nullptr, page_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (consumer == MAP_FAILED) return {"mmap", errno};
  consumer_ = static_cast<uint64_t*>(consumer);
  at_ = __atomic_load_n(consumer_, __ATOMIC_ACQUIRE);
  void* producer = mmap(nullptr, page_bytes_ + 2 * bytes_, PROT_READ, MAP_SHARED, map, static_cast<off_t>(page_bytes_));
  if (producer == MAP_FAILED) return {"mmap", errno};
  producer_ = static_cast<const uint64_t*>(producer);
  data_ = static_cast<const uint8_t*>(producer) + page_bytes_;
  return {};
}

KernelRing::~KernelRing() {
  if (consumer_ != nullptr) munmap(consumer_, page_bytes_);
  if (producer_ != nullptr) munmap(const_cast<uint64_t*>(producer_), page_bytes_ + 2 * bytes_);
}

}  // namespace tracefp
