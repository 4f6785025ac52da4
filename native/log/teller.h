// The second step: ordinary lines of known threads are put together into calls, and calls of tracks whose program is
// known are judged here, so that of most lines nothing is told at all. What else such a thread does, `lives` may take.
// Which threads are known, what each has open and where its track stands is in a table that the reader shares: it puts
// in only those of which an ordinary line means nothing else (src/source/log/strace-scan.ts), and takes them out when
// it no longer does.
//
//   bytes -> LogScanner -> entries of a window -> whose? open? -> judged: counted -> nothing is told
//                                                 |           \-- not lent: a call
//                                                 \-- a miss, anything else: stop, the line is the reader's
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "log/facts.h"
#include "log/judge.h"
#include "log/lives.h"
#include "log/scanner.h"

namespace tracefp {

// While a log is watched for signs of a filter, of some names more matters than that they were called.
enum class Watched : uint8_t { kNot, kOpens, kCloses };

// Which descriptors a process has open, as bits. Others than these are the reader's.
constexpr uint32_t kDescriptorLimit = 1024;
constexpr uint32_t kDescriptorSets = 64;

struct Descriptors {
  uint32_t bits[kDescriptorLimit / 32];
};

struct ToldCall {
  uint32_t slot_and_name;  // the slot of its thread in the upper half
  uint32_t offset;         // of its line, in the told bytes
};
static_assert(sizeof(ToldCall) == 8);

constexpr uint32_t kNoSlot = ~uint32_t{0};

enum class ToldUntil : uint32_t {
  kEnd = 0,     // no whole line is left
  kFull = 1,    // no room for calls is left
  kLine = 2,    // a line that is the reader's to read
  kThread = 3,  // an ordinary line of a thread that is not in the table
  kName = 4,    // a call whose name is kUnknownName in its program; tell again when it is not
  kExec = 5,    // a call of execve of which it is not known what it starts; `facts` are of its line
};

// As words it crosses the wall: src/addon/log-scanner.ts.
struct Told {
  uint32_t consumed = 0;  // bytes of the lines that were told
  uint32_t calls = 0;     // that are told one by one
  uint32_t lines = 0;
  ToldUntil until = ToldUntil::kEnd;
  uint32_t stopped_by = 0;  // kThread: whose line it is. kName: the slot of its thread in the upper half, and the name
  uint32_t last_slot = 0;   // where lines > 0: of the last line; kNoSlot: its thread has ended
  uint32_t last_offset = 0;
  uint32_t entered = 0;  // calls that were entered, judged or told
  LineFacts facts;       // kLine, kThread, kExec: of the line that is not told
};
static_assert(sizeof(Told) == 64);

class LogTeller {
 public:
  // All outlive it. `threads` and `processes` have kThreadSlots, `descriptors` kDescriptorSets.
  LogTeller(LogScanner& scanner, LogThread* threads, LogProcess* processes, LivesControl& control,
            Descriptors* descriptors);

  // What is watched in calls of this name from here on.
  void watch(uint16_t name, Watched watched);

  LogLives& lives() { return lives_; }

  // The number of the program.
  uint32_t add_program(const LogProgram& program);
  size_t program_count() const { return programs_.size(); }

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
  bool judge_facts(const uint8_t* begin, Told* told);
  bool watch_line(const LogEntry& entry, const LogThread& thread, Change* change) const;

  LogScanner& scanner_;
  LogThread* const threads_;
  Descriptors* const descriptors_;
  std::vector<Watched> watched_;
  bool is_watching_ = false;  // any of them
  std::vector<LogProgram> programs_;
  LogLives lives_;
  std::vector<LogEntry> entries_;
  size_t next_ = 0;                // the first entry that was not told
  size_t count_ = 0;               // of entries
  const uint8_t* base_ = nullptr;  // where the scanned bytes begin
  size_t scanned_ = 0;             // bytes from there that the entries are about
};

}  // namespace tracefp
