// The fast half of reading a log of strace. It tells lines of ordinary calls, which are nearly all, from the others: of
// the former it says thread, name and whether the call was entered, returned or both; the latter are handed on as
// lines, in order. What a line means for its thread is not known here, so that each line is looked at for itself and
// nothing is remembered between two of them. src/source/log is the twin in TypeScript, which reads every line and
// decides.
//
//   bytes -> masks (line feeds, equals signs) -> prefix -> name -> result -> entry
//
// Handing a line on is always right; all else must be what the twin would say. Pure: it asks the kernel nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/masks.h"
#include "log/names.h"
#include "log/prefix.h"

namespace tracefp {

enum class EntryKind : uint16_t {
  kLine = 0,        // read it yourself
  kCall = 1,        // entered and returned with a value
  kUnfinished = 2,  // entered
  kReturn = 3,      // returned with a value
};

struct LogEntry {
  uint32_t tid;     // 0: the line says none. Of kLine: nothing
  uint32_t offset;  // of the beginning of the line, in the scanned bytes
  // From there on: where the arguments begin, or their rest, and what the call returned. Of kUnfinished no value, of
  // kLine nothing.
  uint16_t arguments;
  uint16_t value;
  uint16_t name;  // its number in the table. Of kLine: nothing
  EntryKind kind;
};
static_assert(sizeof(LogEntry) == 16);

// Offsets have 32 bits.
constexpr size_t kScanBytesLimit = size_t{1} << 30;
// A longer line is handed on: what is dropped of it is for others to decide.
constexpr size_t kLongLineBytes = size_t{1} << 16;

struct ScanResult {
  size_t consumed = 0;  // bytes: up to and with the last line feed that was dealt with
  size_t entries = 0;
  uint32_t lines = 0;
  // False: the entries are full, or the last of them is a line with a name that is not in the table, which has room for
  // it. Scan again from `consumed`. True: only an unfinished line is left, or nothing.
  bool is_done = false;
};

class LogScanner {
 public:
  // `simd` must be one that can_run().
  explicit LogScanner(Simd simd);

  // Before it is known, every line is handed on.
  void set_prefix(const Prefix& prefix);

  // `number` is told in entries from here on, or kSpecialName for a name of which every line is handed on. False when
  // the table has no room: the name's lines are handed on, and end no scan.
  bool set_name(const char* name, size_t length, uint16_t number);

  // The whole lines in data[0, size), at most kScanBytesLimit bytes, into at most `capacity` entries. One entry a line.
  ScanResult scan(const uint8_t* data, size_t size, LogEntry* entries, size_t capacity) const;

 private:
  struct Line;

  bool read(const Line& line, LogEntry* entry) const;

  MaskFunction masks_;
  bool has_prefix_ = false;
  Prefix prefix_;
  NameTable names_;
};

}  // namespace tracefp
