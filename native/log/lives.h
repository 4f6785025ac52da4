// Processes that begin, execute a program, are interrupted by signals and end, as far as nothing has to be told of it:
// of those that came and went between two looks of the reader only counts are left; of the others it is told, in order,
// what happened, before the reader reads a line itself. What a line means is said by the reader (src/source/log); here
// is the part of it that most processes keep to, and every other line is the reader's:
//
//            clone, fork, vfork                 execve of what        brk(NULL) in a       exit_group     +++ exited
//   parent ------------------------> child ---- was told before ---> 64-bit place -------> ---------> ---------> counts
//      |  ^
//      v  |  rt_sigaction, and a signal with a handler .. rt_sigreturn
//
// Of processes with several threads nothing is taken here, nor of threads that have anything pending.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "log/facts.h"
#include "log/judge.h"
#include "log/life_text.h"

namespace tracefp {

// What calls of a name mean beside that they were made.
enum class Meaning : uint8_t {
  kNone,      // or it is the reader's to know
  kOwnTid,    // nothing, where the tid of the caller is returned: set_tid_address, gettid
  kHandles,   // rt_sigaction: which signals have a handler; nothing, where nothing is set
  kForks,     // fork, vfork
  kExecutes,  // execve
  kReturns,   // rt_sigreturn
  kGrows,     // brk: where it returns, tells whether the program has 64-bit addresses
  kExits,     // exit, exit_group
  kClones,    // clone, clone3: a child as its flags say
};

// A tid that is not in LogThread: lines of this thread are looked at here first.
constexpr uint32_t kAway = uint32_t{1} << 31;

// What the reader shares of the process of each thread. As words it crosses the wall: src/addon/log-lives.ts.
struct LogProcess {
  uint32_t is_alone;       // it has one thread, whose tid it has, no handler runs and nothing is pending
  uint32_t caught;         // bits of the signals below 32 that start a handler
  uint32_t ignored;        // and of those that start none. In neither: the reader's
  uint32_t handled_calls;  // judged in handlers that returned, which are not among the calls of the thread
};

constexpr size_t kKnownLimit = 16;

// As the program of an execve: what it starts is nothing that calls are judged by.
constexpr uint32_t kNoProgram = ~uint32_t{0};

struct LivesControl {
  uint32_t is_on;        // what a line of a new thread means follows from what is here
  uint32_t has_modes;    // after execve it must be seen whether the program is a 64-bit one
  uint32_t root;         // tid of the process that began the session, of which the end matters
  uint32_t is_pending;   // there is something to tell: written here
  uint32_t open_clones;  // that the reader knows of, and whose child is not known
  uint32_t known_count;
  uint32_t known[kKnownLimit];  // tids of the threads that the reader knows and that are in no slot
};

enum class LifeKind : uint32_t {
  kBirth = 1,
  kExec = 2,
  kSignal = 3,   // a handler runs
  kEntered = 4,  // the thread is in a call that was judged: a clone, an execve, an rt_sigaction
  kExit = 5,     // the thread has called exit, which is to be told
  kEnded = 6,    // the same, and it has ended
  kHandles = 7,  // signals have a handler from here on, or have none
};

// Of one thread; what is told of another one does not depend on it but for its parent.
struct alignas(64) LifeEvent {
  LifeKind kind;
  uint32_t tid;
  // kBirth: the parent's tid. kExec: the number of its image. kSignal: the word of its name. kEntered: tid of the child
  // that the clone is known to have made, or 0. kEnded: its exit code. kHandles: bits of those that have one.
  uint32_t of;
  uint32_t word;      // kEntered, kExit, kEnded: of the call's name. kHandles: bits of those that have none
  uint32_t is_known;  // kBirth: a line of it was read. kExec: the program is a 64-bit one. kExit: the call has ended
  uint32_t handled_calls;  // as in LogProcess
  uint32_t unused[10];
  LogThread thread;  // kExec, kSignal, kEnded: as it stood before
};
static_assert(sizeof(LifeEvent) == 128);

// What happened, and what stands open, is told before there is more of it than this.
constexpr size_t kHistoryLimit = 128;
constexpr size_t kFramesLimit = 64;
constexpr size_t kEventLimit = 768;
static_assert(kHistoryLimit + 1 + kFramesLimit + 2 * kThreadSlots <= kEventLimit);

// Of the tracks that came and went with a program.
struct PassedCounts {
  uint64_t tracks = 0;
  uint64_t ends = 0;
  uint64_t calls = 0;
  uint64_t transparent_calls = 0;
};

class LogLives {
 public:
  // What became of a line.
  enum class Outcome : uint8_t {
    kReaders,      // nothing: it is the reader's
    kTaken,        // it is told
    kBorn,         // its thread is born: the line is to be told now
    kUnknownName,  // the name has no symbol in the program yet
    kUnknownExec,  // it is not known yet what execve starts
  };

  // All outlive it; `threads` and `processes` have kThreadSlots.
  LogLives(LogThread* threads, LogProcess* processes, LivesControl& control, const std::vector<LogProgram>& programs);

  void set_meaning(uint16_t name, Meaning meaning) { meanings_[name] = meaning; }
  Meaning meaning_of(uint16_t name) const { return meanings_[name]; }

  // The signal that a name is, below 32.
  void set_signal(uint16_t name, uint32_t signal) { signals_[name] = signal; }

  // What a program starts by a call of this name with these exec_arguments(): a program, whose image has this number to
  // the reader, or kNoProgram.
  void set_exec(uint32_t caller, uint16_t name, std::string_view arguments, uint32_t program, uint32_t image);

  // A line that is not told, with its facts, which are of a call of the table. Nothing is changed where it is not
  // kTaken or kBorn.
  Outcome take(const LineFacts& facts, const uint8_t* line);

  // Whether something is to be told of this thread, or of a child that it has made, or of another that has or had its
  // slot.
  bool concerns(uint32_t tid) const;

  // What is to be told, at most kEventLimit. From here on all that lives is as if the reader had told it.
  size_t settle(LifeEvent* events);

  // The arguments of the call in a kEntered or kExit event of this tid, until the thread's next line.
  const std::string& arguments_of(uint32_t tid) const { return lives_[tid % kThreadSlots].arguments; }

  // Since it was asked for.
  PassedCounts take_passed(uint32_t program);

 private:
  enum class Step : uint8_t { kRuns, kUnseen, kForking, kExecuting, kHandling, kAwaitsMode, kEnding };

  struct Target {
    uint32_t program;
    uint32_t image;
  };

  struct Frame {
    uint16_t signal;   // the word of its name
    LogThread thread;  // as it stood
  };

  struct Life {
    Step step = Step::kRuns;
    bool is_born_here = false;
    bool was_seen = false;
    bool is_busy = false;     // it is among busy_
    bool is_open = false;     // kEnding: the call has not ended
    uint16_t name = 0;        // of the call that it is in
    uint32_t entered_at = 0;  // when: which of all such calls
    uint32_t child = 0;       // of that call, or 0
    Target target = {};       // of that call
    SignalAction action;      // of that call
    std::string arguments;
    // What it has set of signals that is not among the events: bits of those that have a handler, and of those that
    // have none.
    uint32_t caught = 0;
    uint32_t ignored = 0;
    std::vector<Frame> frames;
  };

  Outcome take_first(const LineFacts& facts);
  Outcome take_running(uint32_t slot, const LineFacts& facts, const uint8_t* line);
  Outcome judge_call(LogThread& thread, const LineFacts& facts);
  Outcome fork(uint32_t slot, const LineFacts& facts, const uint8_t* line);
  Outcome forked(uint32_t slot, const LineFacts& facts);
  Outcome execute(uint32_t slot, const LineFacts& facts, const uint8_t* line);
  Outcome executed(uint32_t slot, const LineFacts& facts);
  Outcome handle(uint32_t slot, const LineFacts& facts, const uint8_t* line);
  Outcome handled(uint32_t slot, const LineFacts& facts);
  Outcome exit(uint32_t slot, const LineFacts& facts, const uint8_t* line);
  Outcome exited(uint32_t slot, const LineFacts& facts);
  Outcome interrupt(uint32_t slot, const LineFacts& facts);
  Outcome go_on(uint32_t slot, const LineFacts& facts);
  Outcome grow(uint32_t slot, const LineFacts& facts, const uint8_t* line);
  void pass(uint32_t slot, uint32_t tid);
  void end(uint32_t slot, uint32_t tid, uint32_t code);
  LifeEvent& add_event(LifeKind kind, uint32_t tid, uint32_t of);
  bool has_room() const;
  bool can_bear(uint32_t tid) const;
  void bear(uint32_t parent, uint32_t tid, Step step);
  const std::string& key_of(uint32_t caller, uint16_t name, std::string_view arguments);
  void touch(uint32_t slot);
  static void step_to(Life& life, LogThread& thread, Step step);
  PassedCounts& passed_of(const LogThread& thread);
  void enter(uint32_t slot, const LineFacts& facts, const uint8_t* line, Step step);
  void set_handler(uint32_t slot, SignalAction action);
  void add_handlers(uint32_t slot);
  void add_pending(uint32_t slot);

  LogThread* const threads_;
  LogProcess* const processes_;
  LivesControl& control_;
  const std::vector<LogProgram>& programs_;
  std::vector<Meaning> meanings_;
  std::vector<uint32_t> signals_;
  std::unordered_map<std::string, Target> targets_;
  std::string key_;
  std::array<Life, kThreadSlots> lives_;
  std::vector<uint32_t> busy_;     // slots of lives that are not as they were
  std::vector<LifeEvent> events_;  // births, execs and ends, and handlers that a child has from its parent
  size_t frame_count_ = 0;
  uint32_t entered_count_ = 0;
  uint32_t forking_count_ = 0;  // those whose child is not known
  std::vector<PassedCounts> passed_;
};

}  // namespace tracefp
