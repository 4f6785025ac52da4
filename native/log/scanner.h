// The fast half of reading a log of strace. It tells lines from which no more follows than "this thread entered this
// call" from all others: the former become records, the latter are handed on as lines, in order, to the reader in
// TypeScript, which knows what they mean. Handing a line on is always right; making a record of it is what saves time.
//
//   bytes -> masks (line feeds, question marks) -> prefix -> name -> table -> record | line | nothing
//
// What a line means may depend on the one before it in its thread, or, for a few lines, in the whole log. So after a
// line that was handed on, the next call of its thread is handed on too: see threads.h.
//
// Pure: it owns no descriptor and asks the kernel nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "log/masks.h"
#include "log/names.h"
#include "log/prefix.h"
#include "log/threads.h"

namespace tracefp {

// A call, or a line to be read by others. As four 32-bit words it crosses the wall (src/addon/log-scanner.ts).
struct LogEntry {
  uint32_t
      tid_or_length;      // of a call its thread, 0 where the log says none; of a line its length without the line feed
  int32_t nr;             // of a call
  uint32_t offset;        // of the beginning of the line in the scanned bytes
  uint32_t line_and_abi;  // lines before it in the scanned bytes | ABI code << 24, kLineEntry for a line
};
static_assert(sizeof(LogEntry) == 16);

constexpr uint32_t kLineEntry = 0xff;
// Line numbers within one scan have 24 bits.
constexpr size_t kScanBytesLimit = (size_t{1} << 24) - 1;
// A longer line is always handed on: what is dropped of it is for others to decide.
constexpr size_t kLongLineBytes = size_t{1} << 16;

struct ScanResult {
  size_t consumed;  // bytes: up to and with the last line feed that was dealt with
  size_t entries;
  uint32_t lines;  // with those that became nothing
  // False: scan again from `consumed`, after having dealt with the entries. Only an unfinished line is left otherwise.
  bool is_done;
};

class LogScanner {
 public:
  // `simd` must be one that can_run().
  explicit LogScanner(Simd simd);

  // Before it is known, every line is handed on.
  void set_prefix(const Prefix& prefix);

  // What `name` means in processes of mode `mode`. A name that is not in the table ends a scan with its line, so that
  // it can be added; false = it cannot.
  bool add_name(uint8_t mode, const char* name, size_t length, const Meaning& meaning);

  // From here on the thread's names are those of `mode`; before, and for all others, of mode 0. Once a thread has
  // another mode, each line that is handed on ends a scan, since it may change one.
  void set_mode(uint32_t tid, uint8_t mode);

  // The whole lines in data[0, size), at most kScanBytesLimit bytes, into at most `capacity` entries.
  ScanResult scan(const uint8_t* data, size_t size, LogEntry* entries, size_t capacity);

 private:
  enum class LineKind : uint8_t;
  struct Line;

  LineKind classify(const Line& line, uint32_t* tid, const Meaning** meaning) const;

  MaskFunction masks_;
  bool has_prefix_ = false;
  bool was_without_tid_ = false;
  Prefix prefix_;
  NameTable names_;
  ThreadTable threads_;
};

}  // namespace tracefp
