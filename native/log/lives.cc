#include "log/lives.h"

#include <algorithm>

#include "log/life_text.h"
#include "log/prefix.h"

namespace tracefp {

namespace {

using Text = std::string_view;

// Then the reader is told.
constexpr size_t kHistoryLimit = 128;
constexpr size_t kFramesLimit = 128;
static_assert(kHistoryLimit + kFramesLimit + kThreadSlots <= kEventLimit);

// Texts of execs that are remembered: a log may have as many as it has lines.
constexpr size_t kTargetsLimit = 1024;

constexpr uint32_t kSignalLimit = 32;
constexpr double kLast32BitAddress = 0xffffffff;

bool is_entered(const LineFacts& facts) { return facts.kind == FactKind::kCall || facts.kind == FactKind::kUnfinished; }

bool has_value(const LineFacts& facts) {
  const bool has_ended = facts.kind == FactKind::kCall || facts.kind == FactKind::kReturn;
  return has_ended && (facts.flags & kFactOfUnknown) == 0;
}

}  // namespace

LogLives::LogLives(LogThread* threads, LogProcess* processes, LivesControl& control,
                   const std::vector<LogProgram>& programs)
    : threads_(threads),
      processes_(processes),
      control_(control),
      programs_(programs),
      meanings_(kNameLimit, Meaning::kNone),
      signals_(kNameLimit, 0) {}

void LogLives::set_exec(uint32_t caller, uint16_t name, Text arguments, uint32_t program, uint32_t image) {
  if (targets_.size() == kTargetsLimit) targets_.clear();
  targets_[key_of(caller, name, arguments)] = {program, image};
}

const std::string& LogLives::key_of(uint32_t caller, uint16_t name, Text arguments) {
  return key_.assign(arguments)
      .append(1, '\0')
      .append(std::to_string(caller))
      .append(1, ' ')
      .append(std::to_string(name));
}

void LogLives::touch(uint32_t slot) {
  control_.is_pending = 1;
  if (!lives_[slot].is_busy) busy_.push_back(slot);
  lives_[slot].is_busy = true;
}

// Lines of a thread that does not just run are looked at here first.
void LogLives::step_to(Life& life, LogThread& thread, Step step) {
  life.step = step;
  thread.tid_plus_1 = step == Step::kRuns ? thread.tid_plus_1 & ~kAway : thread.tid_plus_1 | kAway;
}

LogLives::Outcome LogLives::take(const LineFacts& facts, const uint8_t* line) {
  if (control_.is_on == 0 || facts.kind == FactKind::kNone || facts.tid == 0) return Outcome::kReaders;
  const uint32_t slot = facts.tid % kThreadSlots;
  const LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  if (thread.tid_plus_1 == 0) return take_first(facts);
  if ((thread.tid_plus_1 & ~kAway) != facts.tid + 1) return Outcome::kReaders;
  switch (life.step) {
    case Step::kRuns:
      return take_running(slot, facts, line);
    case Step::kUnseen:
      life.was_seen = true;
      step_to(life, threads_[slot], Step::kRuns);
      return Outcome::kBorn;
    case Step::kForking:
      return facts.kind == FactKind::kReturn && facts.word == life.name + 1u ? forked(slot, facts) : Outcome::kReaders;
    case Step::kExecuting:
      return facts.kind == FactKind::kReturn && facts.word == life.name + 1u ? executed(slot, facts)
                                                                             : Outcome::kReaders;
    case Step::kAwaitsMode:
      return grow(slot, facts, line);
    case Step::kEnding:
      return facts.kind == FactKind::kExited ? exited(slot, facts) : Outcome::kReaders;
  }
  return Outcome::kReaders;
}

// The first line with this tid: where one child is awaited, it is that.
LogLives::Outcome LogLives::take_first(const LineFacts& facts) {
  if (!is_entered(facts) || forking_count_ + control_.open_clones != 1 || !can_bear(facts.tid))
    return Outcome::kReaders;
  for (const uint32_t slot : busy_) {
    if (lives_[slot].step != Step::kForking || lives_[slot].child != 0) continue;
    bear(slot, facts.tid, Step::kRuns);
    return Outcome::kBorn;
  }
  return Outcome::kReaders;
}

LogLives::Outcome LogLives::take_running(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  const LogThread& thread = threads_[slot];
  if (processes_[slot].is_alone == 0 || thread.program == 0 || thread.open != kNothingOpen) return Outcome::kReaders;
  if (facts.kind == FactKind::kSignal) return interrupt(slot, facts);
  if (!is_entered(facts)) return Outcome::kReaders;
  switch (meanings_[facts.word - 1]) {
    case Meaning::kForks:
      return fork(slot, facts, line);
    case Meaning::kExecutes:
      return execute(slot, facts, line);
    case Meaning::kExits:
      return exit(slot, facts, line);
    case Meaning::kReturns:
      return go_on(slot, facts);
    case Meaning::kNone:
    case Meaning::kOwnTid:
    case Meaning::kAsks:
    case Meaning::kGrows:
      return Outcome::kReaders;
  }
  return Outcome::kReaders;
}

LogLives::Outcome LogLives::judge_call(LogThread& thread, const LineFacts& facts) {
  switch (judge(programs_[thread.program - 1], thread, static_cast<uint16_t>(facts.word - 1))) {
    case Judged::kAllowed:
      return Outcome::kTaken;
    case Judged::kUnknownName:
      return Outcome::kUnknownName;
    case Judged::kToBeTold:
      return Outcome::kReaders;
  }
  return Outcome::kReaders;
}

bool LogLives::has_room() const { return events_.size() < kHistoryLimit; }

bool LogLives::can_bear(uint32_t tid) const {
  const uint32_t* const known = control_.known;
  const uint32_t* const end = known + std::min<size_t>(control_.known_count, kKnownLimit);
  const bool is_new = tid != control_.root && std::find(known, end, tid) == end;
  return is_new && threads_[tid % kThreadSlots].tid_plus_1 == 0 && has_room();
}

LogLives::Outcome LogLives::fork(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const bool has_returned = facts.kind == FactKind::kCall;
  if (!life.frames.empty() || !is_plain_fork(arguments_in(facts, line))) return Outcome::kReaders;
  if (programs_[thread.program - 1].table.start_of(Start::kFork) < 0) return Outcome::kReaders;
  if (has_returned && (!has_value(facts) || facts.value == 0 || facts.value > kMaxPid)) return Outcome::kReaders;
  const auto child = static_cast<uint32_t>(facts.value);
  if (has_returned && !can_bear(child)) return Outcome::kReaders;
  const Outcome outcome = judge_call(thread, facts);
  if (outcome != Outcome::kTaken) return outcome;
  touch(slot);
  if (has_returned) {
    bear(slot, child, Step::kUnseen);
    return outcome;
  }
  life.name = static_cast<uint16_t>(facts.word - 1);
  life.arguments = arguments_in(facts, line);
  life.child = 0;
  life.entered_at = entered_count_++;
  step_to(life, thread, Step::kForking);
  forking_count_++;
  return outcome;
}

LogLives::Outcome LogLives::forked(uint32_t slot, const LineFacts& facts) {
  Life& life = lives_[slot];
  if (!has_value(facts) || facts.value == 0 || facts.value > kMaxPid) return Outcome::kReaders;
  if (life.child == 0) {
    const auto child = static_cast<uint32_t>(facts.value);
    if (!can_bear(child)) return Outcome::kReaders;
    bear(slot, child, Step::kUnseen);
  }
  step_to(life, threads_[slot], Step::kRuns);
  return Outcome::kTaken;
}

// A child of the thread that forks, if it does, or has just forked.
void LogLives::bear(uint32_t parent, uint32_t tid, Step step) {
  const LogThread& from = threads_[parent];
  const uint32_t slot = tid % kThreadSlots;
  LogThread& thread = threads_[slot];
  thread = {};
  thread.tid_plus_1 = tid + 1;
  thread.open = kNothingOpen;
  thread.program = from.program;
  thread.state = programs_[from.program - 1].table.start_of(Start::kFork);
  processes_[slot] = {1, processes_[parent].caught, processes_[parent].ignored, 0};
  touch(slot);
  Life& life = lives_[slot];
  life.is_born_here = true;
  life.was_seen = step != Step::kUnseen;
  step_to(life, thread, step);
  add_event(LifeKind::kBirth, tid, (from.tid_plus_1 & ~kAway) - 1);
  if (lives_[parent].step != Step::kForking) return;
  lives_[parent].child = tid;
  forking_count_--;
}

LogLives::Outcome LogLives::execute(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const bool has_returned = facts.kind == FactKind::kCall;
  if (!has_room() || !life.frames.empty()) return Outcome::kReaders;
  if (has_returned && (!has_value(facts) || facts.value != 0)) return Outcome::kReaders;
  const Text arguments = exec_arguments(facts, line);
  const auto name = static_cast<uint16_t>(facts.word - 1);
  if (arguments.empty()) return Outcome::kReaders;
  const auto found = targets_.find(key_of(thread.program - 1, name, arguments));
  if (found == targets_.end()) return Outcome::kUnknownExec;
  const Outcome outcome = judge_call(thread, facts);
  if (outcome != Outcome::kTaken) return outcome;
  life.name = name;
  life.target = found->second;
  life.child = 0;
  life.entered_at = entered_count_++;
  touch(slot);
  if (has_returned) return executed(slot, facts);
  life.arguments = arguments_in(facts, line);
  step_to(life, thread, Step::kExecuting);
  return outcome;
}

// Its exec succeeded, or did not.
LogLives::Outcome LogLives::executed(uint32_t slot, const LineFacts& facts) {
  if (!has_value(facts) || facts.value != 0 || !has_room()) return Outcome::kReaders;
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  LogProcess& process = processes_[slot];
  LifeEvent& event = add_event(LifeKind::kExec, facts.tid, life.target.image);
  event.is_known = control_.has_modes == 0;
  event.handled_calls = process.handled_calls;
  event.thread = thread;
  thread.program = life.target.program + 1;
  thread.state = programs_[life.target.program].table.start_of(Start::kExec);
  thread.calls = thread.transparent_calls = 0;
  process = {1, 0, ~uint32_t{0}, 0};
  step_to(life, thread, control_.has_modes != 0 ? Step::kAwaitsMode : Step::kRuns);
  return Outcome::kTaken;
}

// `brk(NULL) = 0x55a4c62f3000`: no 32-bit program has such an address.
LogLives::Outcome LogLives::grow(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  const bool is_call = facts.kind == FactKind::kCall && meanings_[facts.word - 1] == Meaning::kGrows;
  if (!is_call || !has_value(facts) || facts.value <= kLast32BitAddress) return Outcome::kReaders;
  const Text text = arguments_in(facts, line);
  const size_t sign = text.rfind("= ");
  if (!text.starts_with("NULL) ") || sign == Text::npos || !text.substr(sign + 2).starts_with("0x"))
    return Outcome::kReaders;
  const Outcome outcome = judge_call(threads_[slot], facts);
  if (outcome != Outcome::kTaken) return outcome;
  step_to(lives_[slot], threads_[slot], Step::kRuns);
  for (LifeEvent& event : events_)
    if (event.kind == LifeKind::kExec && event.tid == facts.tid) event.is_known = 1;
  return outcome;
}

LogLives::Outcome LogLives::exit(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const LogProgram& program = programs_[thread.program - 1];
  const auto name = static_cast<uint16_t>(facts.word - 1);
  const bool ends = facts.kind == FactKind::kCall && (facts.flags & kFactOfUnknown) != 0;
  if (!ends || !life.frames.empty() || program.end < 0) return Outcome::kReaders;
  // Its end must be allowed, too: what is told of a track is told before it ends.
  const int32_t symbol = program.symbols[name];
  if (symbol == kUnknownName) return Outcome::kUnknownName;
  if (symbol < 0 || !program.table.allows(program.table.next(thread.state, symbol), program.end))
    return Outcome::kReaders;
  const Outcome outcome = judge_call(thread, facts);
  if (outcome != Outcome::kTaken) return outcome;
  touch(slot);
  life.name = name;
  life.arguments = arguments_in(facts, line);
  step_to(life, thread, Step::kEnding);
  return outcome;
}

LogLives::Outcome LogLives::exited(uint32_t slot, const LineFacts& facts) {
  const uint32_t tid = facts.tid;
  const bool is_parent = std::any_of(events_.begin(), events_.end(), [&](const LifeEvent& event) {
    return event.kind == LifeKind::kBirth && event.of == tid;
  });
  const bool can_pass = lives_[slot].is_born_here && !is_parent;
  if (!can_pass && (!has_room() || facts.value > 0xff)) return Outcome::kReaders;
  if (can_pass)
    pass(slot, tid);
  else
    end(slot, tid, static_cast<uint32_t>(facts.value));
  threads_[slot] = {};
  processes_[slot] = {};
  lives_[slot].step = Step::kRuns;
  lives_[slot].is_born_here = false;
  return Outcome::kTaken;
}

LogLives::Outcome LogLives::interrupt(uint32_t slot, const LineFacts& facts) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const uint32_t signal = signals_[facts.word - 1];
  if (signal == 0 || signal >= kSignalLimit) return Outcome::kReaders;
  if ((processes_[slot].ignored >> signal & 1) != 0) return Outcome::kTaken;
  const int32_t state = programs_[thread.program - 1].table.start_of_signal(static_cast<int>(signal));
  if ((processes_[slot].caught >> signal & 1) == 0 || state < 0 || frame_count_ == kFramesLimit)
    return Outcome::kReaders;
  touch(slot);
  life.frames.push_back({static_cast<uint16_t>(facts.word), thread});
  frame_count_++;
  thread.state = state;
  thread.calls = thread.transparent_calls = 0;
  return Outcome::kTaken;
}

// rt_sigreturn: the thread goes on where the handler interrupted it.
LogLives::Outcome LogLives::go_on(uint32_t slot, const LineFacts& facts) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  if (life.frames.empty() || !has_value(facts)) return Outcome::kReaders;
  const Outcome outcome = judge_call(thread, facts);
  if (outcome != Outcome::kTaken) return outcome;
  processes_[slot].handled_calls += thread.calls;
  const uint32_t transparent_calls = thread.transparent_calls;
  thread = life.frames.back().thread;
  thread.transparent_calls += transparent_calls;
  life.frames.pop_back();
  frame_count_--;
  return outcome;
}

}  // namespace tracefp
