// One call of a thread whose track was lent: what the reader shares of the thread, and of the program that its calls
// are judged by. Only what is allowed is judged here; what a miss is, is not known.
#pragma once

#include <cstddef>
#include <cstdint>

#include "match/table.h"

namespace tracefp {

// Threads stand in the table by the last bits of their tid; a log without tids has thread 0.
constexpr uint32_t kThreadSlots = 256;

// What a thread has open, where it is no number of a name.
constexpr uint32_t kNothingOpen = 0xffff;
constexpr uint32_t kOpenElsewhere = 0xfffe;  // the reader knows what

constexpr uint32_t kRecentCalls = 16;  // a power of two

struct alignas(64) LogThread {
  uint32_t tid_plus_1;  // 0: nobody
  uint32_t open;
  // Of its track, where it is judged here.
  uint32_t program;  // its number + 1; 0: calls are told
  int32_t state;     // a state of the program's table
  uint32_t calls;    // judged; the next goes to recent[calls % kRecentCalls]
  uint32_t transparent_calls;
  uint32_t former_state;          // before the last call; where calls > 0
  uint32_t descriptors;           // number + 1 of those of its process; 0: calls that open or close are the reader's
  uint16_t recent[kRecentCalls];  // names of the last calls
};
static_assert(sizeof(LogThread) == 64);

// What names mean in one program's table: of each name its symbol, or one of these.
constexpr int16_t kToldName = -1;  // calls of this name are the reader's
constexpr int16_t kTransparentName = -2;
constexpr int16_t kUnknownName = -3;  // the reader was not asked yet

constexpr size_t kNameLimit = 2048;  // words are at most that, too

// One program that calls are judged by. Nothing of it is owned.
struct LogProgram {
  Table table;
  uint32_t* used;           // as the rows of the table: the bit of each transition that was made is set
  const int16_t* symbols;   // kNameLimit of them; below the symbol count of the table
  int32_t end = kNoSymbol;  // the symbol of a track's end
};

enum class Judged : uint8_t { kAllowed, kToBeTold, kUnknownName };

// The call of a thread whose track stands in a state of the program's table.
[[gnu::always_inline]] inline Judged judge(const LogProgram& program, LogThread& thread, uint16_t name) {
  const int32_t symbol = program.symbols[name];
  if (symbol < 0) {
    if (symbol != kTransparentName) return symbol == kUnknownName ? Judged::kUnknownName : Judged::kToBeTold;
    thread.transparent_calls++;
    return Judged::kAllowed;
  }
  const Table& table = program.table;
  if (!table.allows(thread.state, symbol)) return Judged::kToBeTold;
  table.mark(program.used, thread.state, symbol);
  thread.former_state = static_cast<uint32_t>(thread.state);
  thread.state = table.next(thread.state, symbol);
  thread.recent[thread.calls++ % kRecentCalls] = name;
  return Judged::kAllowed;
}

}  // namespace tracefp
