// The fast half of reading a log of strace. It tells lines of ordinary calls, which are nearly all, from the others: of
// the former it says thread, name and whether the call was entered, returned or both; the latter are handed on as
// lines, in order. What a line means for its thread is not known here, so that each line is looked at for itself and
// nothing is remembered between two of them. src/source/log is the twin in TypeScript, which reads every line and
// decides.
//
//   bytes -> line feeds -> prefix -> name -> result -> entry
//
// Handing a line on is always right; all else must be what the twin would say. Pure: it asks the kernel nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/line.h"
#include "log/prefix.h"
#include "log/simd.h"

namespace tracefp {

// Offsets have 32 bits.
constexpr size_t kScanBytesLimit = size_t{1} << 30;
struct ScanResult {
  size_t consumed = 0;  // bytes: up to and with the last line feed that was dealt with
  size_t entries = 0;
  uint32_t lines = 0;
  // False: the entries are full, or the last of them is a line with a name that is not in the table, which has room for
  // it. Scan again from `consumed`. True: only an unfinished line is left, or nothing.
  bool is_done = false;
};

using ScanFunction = ScanResult (*)(LogForm& form, const uint8_t* data, size_t size, LogEntry* entries,
                                    size_t capacity);

// The form of a machine's instructions; `simd` must be one that can_run().
ScanFunction scan_function(Simd simd);

class LogScanner {
 public:
  // `simd` must be one that can_run().
  explicit LogScanner(Simd simd);

  // Before it is known, every line is handed on.
  void set_prefix(const Prefix& prefix);

  // `number` is told in entries from here on, or kSpecialName for a name of which every line is handed on. False when
  // the table has no room: the name's lines are handed on, and end no scan.
  bool set_name(const char* name, size_t length, uint16_t number);

  // What a name is in facts from here on, which is not 0; it was given to set_name(). False when it is not in the
  // table.
  bool set_word(const char* name, size_t length, uint16_t word);

  const LogForm& form() const { return form_; }

  // The whole lines in data[0, size), at most kScanBytesLimit bytes, into at most `capacity` entries. One entry a line.
  ScanResult scan(const uint8_t* data, size_t size, LogEntry* entries, size_t capacity);

 private:
  ScanFunction scan_;
  LogForm form_;
};

}  // namespace tracefp
