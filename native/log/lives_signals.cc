// Which signals have handlers, and threads that run one.
#include "log/lives.h"

namespace tracefp {

namespace {

constexpr uint32_t kSignalLimit = 32;

}  // namespace

// rt_sigaction. In a handler it is the reader's: what is set there is told behind what began the handler.
LogLives::Outcome LogLives::handle(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  Life& life = lives_[slot];
  const bool has_returned = facts.kind == FactKind::kCall;
  if (!life.frames.empty() || (has_returned && (!has_value(facts) || facts.value != 0))) return Outcome::kReaders;
  const std::optional<SignalAction> action = signal_action_in(arguments_in(facts, line));
  if (!action) return Outcome::kReaders;
  const Outcome outcome = judge_call(threads_[slot], facts);
  if (outcome != Outcome::kTaken) return outcome;
  if (has_returned) {
    set_handler(slot, *action);
  } else {
    life.action = *action;
    enter(slot, facts, line, Step::kHandling);
  }
  return outcome;
}

LogLives::Outcome LogLives::handled(uint32_t slot, const LineFacts& facts) {
  if (!has_failed(facts)) {
    if (!has_value(facts) || facts.value != 0) return Outcome::kReaders;
    set_handler(slot, lives_[slot].action);
  }
  step_to(lives_[slot], threads_[slot], Step::kRuns);
  return Outcome::kTaken;
}

void LogLives::set_handler(uint32_t slot, SignalAction action) {
  if (action.bit == 0) return;
  touch(slot);
  const auto set = [&](uint32_t& caught, uint32_t& ignored) {
    caught = action.is_caught ? caught | action.bit : caught & ~action.bit;
    ignored = action.is_caught ? ignored & ~action.bit : ignored | action.bit;
  };
  set(processes_[slot].caught, processes_[slot].ignored);
  set(lives_[slot].caught, lives_[slot].ignored);
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
