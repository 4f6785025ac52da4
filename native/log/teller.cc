#include "log/teller.h"

#include <algorithm>

namespace tracefp {

namespace {

// Entries are used while they and their lines are in the first cache.
constexpr size_t kWindowBytes = 16384;
constexpr size_t kEntryLimit = 512;

}  // namespace

LogTeller::LogTeller(const LogScanner& scanner, LogThread* threads)
    : scanner_(scanner), threads_(threads), entries_(kEntryLimit) {}

// False: there is no whole line.
bool LogTeller::fill(const uint8_t* data, size_t size) {
  for (size_t window = std::min(kWindowBytes, size);; window = std::min(4 * window, size)) {
    const ScanResult result = scanner_.scan(data, window, entries_.data(), entries_.size());
    base_ = data;
    next_ = 0;
    count_ = result.entries;
    scanned_ = result.consumed;
    if (count_ > 0 || window == size) return count_ > 0;
  }
}

Told LogTeller::tell(const uint8_t* data, size_t size, bool is_new, ToldCall* calls, size_t capacity) {
  Told told;
  // The line that ended the call before was read by the reader.
  if (next_ < count_ && base_ + entries_[next_].offset != data) next_++;
  if (is_new || next_ >= count_ || base_ + entries_[next_].offset != data) count_ = next_ = 0;

  for (;;) {
    if (next_ == count_ && !fill(data + told.consumed, size - told.consumed)) return told;
    const auto base = static_cast<uint32_t>(base_ - data);  // may be before `data`: offsets are sums without sign
    for (; next_ < count_; next_++) {
      const LogEntry& entry = entries_[next_];
      told.consumed = base + entry.offset;
      LogThread& thread = threads_[entry.tid % kThreadSlots];
      if (entry.kind == EntryKind::kLine) {
        told.until = ToldUntil::kLine;
        return told;
      }
      if (thread.tid_plus_1 != entry.tid + 1) {
        told.until = ToldUntil::kThread;
        told.tid = entry.tid;
        return told;
      }
      if (entry.kind != EntryKind::kReturn) {
        // A call within a call: its end is not in the log.
        if (thread.open != kNothingOpen || told.calls == capacity) {
          told.until = thread.open != kNothingOpen ? ToldUntil::kLine : ToldUntil::kFull;
          return told;
        }
        calls[told.calls++] = {entry.tid % kThreadSlots << 16 | entry.name, told.consumed};
      }
      thread.open = entry.kind == EntryKind::kUnfinished ? entry.name : kNothingOpen;
      told.lines++;
      told.last_slot = entry.tid % kThreadSlots;
      told.last_offset = told.consumed;
    }
    told.consumed = base + static_cast<uint32_t>(scanned_);
  }
}

}  // namespace tracefp
