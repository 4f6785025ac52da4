// The second step: ordinary lines of known threads are put together into calls, and calls of tracks whose program is
// known are judged here, so that of most lines nothing is told at all. Which threads are known, what each has open and
// where its track stands is in a table that the reader shares: it puts in only those of which an ordinary line means
// nothing else (src/source/log/strace-scan.ts), and takes them out when it no longer does.
//
//   bytes -> LogScanner -> entries of a window -> whose? open? -> judged: counted -> nothing is told
//                                                 |           \-- not lent: a call
//                                                 \-- a miss, anything else: stop, the line is the reader's
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "log/facts.h"
#include "log/scanner.h"
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

// While a log is watched for signs of a filter, of some names more matters than that they were called.
enum class Watched : uint8_t { kNot, kOpens, kCloses };

// Names of which every line is the reader's, but where they mean no more than that they were called.
enum class Plain : uint8_t {
  kNever,
  kOwnTid,  // where the tid of the caller is returned: set_tid_address, gettid
  kAsks,    // where nothing is set: `rt_sigaction(SIGINT, NULL, ...) = 0`
};

// Which descriptors a process has open, as bits. Others than these are the reader's.
constexpr uint32_t kDescriptorLimit = 1024;
constexpr uint32_t kDescriptorSets = 64;

struct Descriptors {
  uint32_t bits[kDescriptorLimit / 32];
};

// One program that calls are judged by. Nothing of it is owned.
struct LogProgram {
  Table table;
  uint32_t* used;          // as the rows of the table: the bit of each transition that was made is set
  const int16_t* symbols;  // kNameLimit of them; below the symbol count of the table
};

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
  kName = 4,    // a call whose name is kUnknownName in its program; tell again when it is not
};

// As words it crosses the wall: src/addon/log-scanner.ts.
struct Told {
  uint32_t consumed = 0;  // bytes of the lines that were told
  uint32_t calls = 0;     // that are told one by one
  uint32_t lines = 0;
  ToldUntil until = ToldUntil::kEnd;
  uint32_t stopped_by = 0;  // kThread: whose line it is. kName: the slot of its thread in the upper half, and the name
  uint32_t last_slot = 0;   // where lines > 0: of the last line
  uint32_t last_offset = 0;
  uint32_t entered = 0;  // calls that were entered, judged or told
  LineFacts facts;       // kLine, kThread: of the line that is not told
};
static_assert(sizeof(Told) == 64);

class LogTeller {
 public:
  // All outlive it. `threads` has kThreadSlots, `descriptors` kDescriptorSets.
  LogTeller(LogScanner& scanner, LogThread* threads, Descriptors* descriptors);

  // What is watched in calls of this name from here on.
  void watch(uint16_t name, Watched watched);

  // When a call of this name is ordinary though its name is special.
  void set_plain(uint16_t name, Plain plain);

  // The number of the program.
  uint32_t add_program(const LogProgram& program);

  // The whole lines in data[0, size), at most kScanBytesLimit bytes, up to one that is not told. `is_new`: these bytes
  // were not there at the call before. Otherwise entries that are left of that call are used where they fit.
  Told tell(const uint8_t* data, size_t size, bool is_new, ToldCall* calls, size_t capacity);

 private:
  // A descriptor that is opened or closed by a line: its bit in one word. None: `bit` is 0.
  struct Change {
    uint32_t* word = nullptr;
    uint32_t bit = 0;
    bool is_open = false;
  };

  bool tell_entries(uint32_t base, ToldCall* calls, size_t capacity, Told* told);
  bool fill(const uint8_t* data, size_t size);
  bool look_at(const uint8_t* begin, Told* told);
  bool watch_line(const LogEntry& entry, const LogThread& thread, Change* change) const;

  LogScanner& scanner_;
  LogThread* const threads_;
  Descriptors* const descriptors_;
  std::vector<Watched> watched_;
  std::vector<Plain> plain_;
  bool is_watching_ = false;  // any of them
  std::vector<LogProgram> programs_;
  std::vector<LogEntry> entries_;
  size_t next_ = 0;                // the first entry that was not told
  size_t count_ = 0;               // of entries
  const uint8_t* base_ = nullptr;  // where the scanned bytes begin
  size_t scanned_ = 0;             // bytes from there that the entries are about
};

}  // namespace tracefp
