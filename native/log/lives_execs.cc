// Execs: which program runs from there on, and whether it is a 64-bit one.
#include "log/life_text.h"
#include "log/lives.h"

namespace tracefp {

namespace {

using Text = std::string_view;

// Texts of execs that are remembered: a log may have as many as it has lines.
constexpr size_t kTargetsLimit = 1024;

constexpr double kLast32BitAddress = 0xffffffff;

}  // namespace

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

LogLives::Outcome LogLives::execute(uint32_t slot, const LineFacts& facts, const uint8_t* line) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const bool has_returned = facts.kind == FactKind::kCall;
  if (!has_room() || !life.frames.empty()) return Outcome::kReaders;
  if (has_returned && (!has_value(facts) || facts.value != 0)) return Outcome::kReaders;
  const Text arguments = exec_arguments(facts, line);
  if (arguments.empty()) return Outcome::kReaders;
  const auto found = targets_.find(key_of(thread.program - 1, static_cast<uint16_t>(facts.word - 1), arguments));
  if (found == targets_.end() || (has_returned && found->second.program == kNoProgram)) return Outcome::kUnknownExec;
  const Outcome outcome = judge_call(thread, facts);
  if (outcome != Outcome::kTaken) return outcome;
  life.target = found->second;
  if (!has_returned) {
    enter(slot, facts, line, Step::kExecuting);
    return outcome;
  }
  touch(slot);
  return executed(slot, facts);
}

// Its exec succeeded, or did not.
LogLives::Outcome LogLives::executed(uint32_t slot, const LineFacts& facts) {
  if (has_failed(facts)) {
    step_to(lives_[slot], threads_[slot], Step::kRuns);
    return Outcome::kTaken;
  }
  if (!has_value(facts) || facts.value != 0 || !has_room()) return Outcome::kReaders;
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  if (life.target.program == kNoProgram) {
    // From here on it may be a program: it has begun.
    std::erase_if(targets_, [](const auto& known) { return known.second.program == kNoProgram; });
    return Outcome::kReaders;
  }
  LogProcess& process = processes_[slot];
  LifeEvent& event = add_event(LifeKind::kExec, facts.tid, life.target.image);
  event.is_known = control_.has_modes == 0;
  event.handled_calls = process.handled_calls;
  event.thread = thread;
  thread.program = life.target.program + 1;
  thread.state = programs_[life.target.program].table.start_of(Start::kExec);
  thread.calls = thread.transparent_calls = 0;
  process = {1, 0, ~uint32_t{0}, 0};
  life.caught = life.ignored = 0;
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

}  // namespace tracefp
