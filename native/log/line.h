// One line of strace, for any prefix and any end of it: what the scanner's forms ask where a line is not like most.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/names.h"
#include "log/prefix.h"
#include "log/shape.h"

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

// What is known of the log.
struct LogForm {
  bool has_prefix = false;
  Prefix prefix;
  NameTable names;
  // The prefixes of lines by how many digits they begin with: so long are pids, and where there are none, times.
  PrefixShape shapes[9];
  uint32_t misfits = 0;
};

// A longer line is handed on: what is dropped of it is for others to decide.
constexpr size_t kLongLineBytes = size_t{1} << 16;

// A result further from the end of its line is left to others.
constexpr ptrdiff_t kResultBytes = 128;

constexpr Shape kResumedBegin("<... ***");
constexpr Shape kResumedEnd("resumed>");
constexpr size_t kResumedBeginBytes = 5;
constexpr size_t kResumedEndBytes = 8;

// The last equals sign that a space follows; null when there is none near the end.
const uint8_t* last_sign(const uint8_t* begin, const uint8_t* end);

// The line [begin, end), without its line feed; from `begin` on `left` bytes are readable, eight of them from `end`
// backwards. Sets what the entry says but its offset. False: the line holds a name that is worth adding.
bool read_line(LogForm& form, const uint8_t* begin, const uint8_t* end, size_t left, LogEntry* entry);

}  // namespace tracefp
