// Births: whose child a thread is, and from where on it is followed.
#include <algorithm>

#include "log/life_text.h"
#include "log/lives.h"
#include "log/prefix.h"

namespace tracefp {

bool LogLives::can_bear(uint32_t tid) const {
  const uint32_t* const known = control_.known;
  const uint32_t* const end = known + std::min<size_t>(control_.known_count, kKnownLimit);
  const bool is_new = tid != control_.root && std::find(known, end, tid) == end;
  if (!is_new || threads_[tid % kThreadSlots].tid_plus_1 != 0 || !has_room()) return false;
  // Events of a tid are of one life.
  return std::none_of(events_.begin(), events_.end(), [&](const LifeEvent& event) { return event.tid == tid; });
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

LogLives::Outcome LogLives::fork(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const bool has_returned = facts.kind == FactKind::kCall;
  const bool is_clone = meanings_[facts.word - 1] == Meaning::kClones;
  if (!life.frames.empty() || (is_clone && !is_plain_clone(arguments_in(facts, line)))) return Outcome::kReaders;
  if (programs_[thread.program - 1].table.start_of(Start::kFork) < 0) return Outcome::kReaders;
  if (has_returned && (!has_value(facts) || facts.value == 0 || facts.value > kMaxPid)) return Outcome::kReaders;
  const auto child = static_cast<uint32_t>(facts.value);
  if (has_returned && !can_bear(child)) return Outcome::kReaders;
  const Outcome outcome = judge_call(thread, facts);
  if (outcome != Outcome::kTaken) return outcome;
  if (has_returned) {
    touch(slot);
    bear(slot, child, Step::kUnseen);
  } else {
    enter(slot, facts, line, Step::kForking);
    forking_count_++;
  }
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
  add_handlers(parent);
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

}  // namespace tracefp
