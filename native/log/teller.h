// The second step: ordinary lines of known threads are put together into calls, so that what is told of most lines is
// eight bytes, or nothing. Which threads are known, and what each has open, stands in a table that the reader shares:
// it puts in only those of which an ordinary line means nothing else (src/source/log/strace-scan.ts), and takes them
// out before it reads a line itself.
//
//   bytes -> LogScanner -> entries of a window -> whose? open? -> calls
//                                                 \-- anything else: stop, the line is the reader's
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "log/scanner.h"

namespace tracefp {

// Threads stand in the table by the last bits of their tid; a log without tids has thread 0.
constexpr uint32_t kThreadSlots = 64;

// What a thread has open, where it is no number of a name.
constexpr uint32_t kNothingOpen = 0xffff;
constexpr uint32_t kOpenElsewhere = 0xfffe;  // the reader knows what

struct LogThread {
  uint32_t tid_plus_1;  // 0: nobody
  uint32_t open;
};
static_assert(sizeof(LogThread) == 8);

struct ToldCall {
  uint32_t slot_and_name;  // the slot of its thread in the upper half
  uint32_t offset;         // of its line, in the told bytes
};
static_assert(sizeof(ToldCall) == 8);

enum class ToldUntil : uint32_t {
  kEnd = 0,     // no whole line is left
  kFull = 1,    // no room for calls is left
  kLine = 2,    // a line that is the reader's to read
  kThread = 3,  // an ordinary line of a thread that is not in the table
};

// As words it crosses the wall: src/addon/log-scanner.ts.
struct Told {
  uint32_t consumed = 0;  // bytes of the lines that were told
  uint32_t calls = 0;
  uint32_t lines = 0;
  ToldUntil until = ToldUntil::kEnd;
  uint32_t tid = 0;        // kThread: whose line it is
  uint32_t last_slot = 0;  // where lines > 0: of the last line
  uint32_t last_offset = 0;
};

class LogTeller {
 public:
  // Both outlive it. `threads` has kThreadSlots.
  LogTeller(const LogScanner& scanner, LogThread* threads);

  // The whole lines in data[0, size), at most kScanBytesLimit bytes, up to one that is not told. `is_new`: these bytes
  // were not there at the call before. Otherwise entries that are left of that call are used where they fit.
  Told tell(const uint8_t* data, size_t size, bool is_new, ToldCall* calls, size_t capacity);

 private:
  bool fill(const uint8_t* data, size_t size);

  const LogScanner& scanner_;
  LogThread* const threads_;
  std::vector<LogEntry> entries_;
  size_t next_ = 0;                // the first entry that was not told
  size_t count_ = 0;               // of entries
  const uint8_t* base_ = nullptr;  // where the scanned bytes begin
  size_t scanned_ = 0;             // bytes from there that the entries are about
};

}  // namespace tracefp
