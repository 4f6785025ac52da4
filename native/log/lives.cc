#include "log/lives.h"

#include <algorithm>

#include "log/life_text.h"

namespace tracefp {

LogLives::LogLives(LogThread* threads, LogProcess* processes, LivesControl& control,
                   const std::vector<LogProgram>& programs)
    : threads_(threads),
      processes_(processes),
      control_(control),
      programs_(programs),
      meanings_(kNameLimit, Meaning::kNone),
      signals_(kNameLimit, 0) {}

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
  const bool has_returned = facts.kind == FactKind::kReturn && facts.word == life.name + 1u;
  switch (life.step) {
    case Step::kRuns:
      return take_running(slot, facts, line);
    case Step::kUnseen:
      life.was_seen = true;
      step_to(life, threads_[slot], Step::kRuns);
      return Outcome::kBorn;
    case Step::kForking:
      return has_returned ? forked(slot, facts) : Outcome::kReaders;
    case Step::kExecuting:
      return has_returned ? executed(slot, facts) : Outcome::kReaders;
    case Step::kHandling:
      return has_returned ? handled(slot, facts) : Outcome::kReaders;
    case Step::kAwaitsMode:
      return grow(slot, facts, line);
    case Step::kEnding:
      if (facts.kind == FactKind::kExited && !life.is_open) return exited(slot, facts);
      if (!life.is_open || !has_returned || (facts.flags & kFactOfUnknown) == 0) return Outcome::kReaders;
      life.is_open = false;
      return Outcome::kTaken;
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
    case Meaning::kClones:
      return fork(slot, facts, line);
    case Meaning::kExecutes:
      return execute(slot, facts, line);
    case Meaning::kHandles:
      return handle(slot, facts, line);
    case Meaning::kExits:
      return exit(slot, facts, line);
    case Meaning::kReturns:
      return go_on(slot, facts);
    case Meaning::kNone:
    case Meaning::kOwnTid:
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

// It is in a call that was judged.
void LogLives::enter(uint32_t slot, const LineFacts& facts, const uint8_t* line, Step step) {
  Life& life = lives_[slot];
  touch(slot);
  life.name = static_cast<uint16_t>(facts.word - 1);
  life.arguments = arguments_in(facts, line);
  life.child = 0;
  life.entered_at = entered_count_++;
  step_to(life, threads_[slot], step);
}

bool LogLives::has_room() const { return events_.size() < kHistoryLimit; }

LogLives::Outcome LogLives::exit(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const LogProgram& program = programs_[thread.program - 1];
  const bool is_open = facts.kind == FactKind::kUnfinished;
  if ((!is_open && (facts.flags & kFactOfUnknown) == 0) || !life.frames.empty() || program.end < 0)
    return Outcome::kReaders;
  // Its end must be allowed, too: what is told of a track is told before it ends.
  const int32_t symbol = program.symbols[facts.word - 1];
  if (symbol == kUnknownName) return Outcome::kUnknownName;
  if (symbol < 0 || !program.table.allows(program.table.next(thread.state, symbol), program.end))
    return Outcome::kReaders;
  const Outcome outcome = judge_call(thread, facts);
  if (outcome != Outcome::kTaken) return outcome;
  enter(slot, facts, line, Step::kEnding);
  life.is_open = is_open;
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
  Life& life = lives_[slot];
  life.step = Step::kRuns;
  life.is_born_here = false;
  life.caught = life.ignored = 0;
  return Outcome::kTaken;
}

}  // namespace tracefp
