// What is told of processes that were followed: counts of those that are over, events of all others.
#include <algorithm>

#include "log/lives.h"

namespace tracefp {

namespace {

// The last call was judged, and is to be told: it is what ends the track.
void undo_exit(LogThread* thread) {
  thread->state = static_cast<int32_t>(thread->former_state);
  thread->calls--;
}

}  // namespace

LifeEvent& LogLives::add_event(LifeKind kind, uint32_t tid, uint32_t of) {
  LifeEvent& event = events_.emplace_back();
  event = {};
  event.kind = kind;
  event.tid = tid;
  event.of = of;
  return event;
}

PassedCounts& LogLives::passed_of(const LogThread& thread) {
  if (passed_.size() < programs_.size()) passed_.resize(programs_.size());
  return passed_[thread.program - 1];
}

// Nothing is left of it but counts.
void LogLives::pass(uint32_t slot, uint32_t tid) {
  const LogThread& thread = threads_[slot];
  const LogProgram& program = programs_[thread.program - 1];
  program.table.mark(program.used, thread.state, program.end);
  const auto count = [&](const LogThread& of, uint32_t handled_calls) {
    PassedCounts& passed = passed_of(of);
    passed.calls += uint64_t{of.calls} + handled_calls;
    passed.transparent_calls += of.transparent_calls;
  };
  for (const LifeEvent& event : events_)
    if (event.tid == tid && event.kind == LifeKind::kExec) count(event.thread, event.handled_calls);
  count(thread, processes_[slot].handled_calls);
  passed_of(thread).ends++;
  passed_of(thread).tracks++;
  std::erase_if(events_, [&](const LifeEvent& event) { return event.tid == tid; });
}

// The reader knows it, or will have to: it is told when all is.
void LogLives::end(uint32_t slot, uint32_t tid, uint32_t code) {
  undo_exit(&threads_[slot]);
  for (LifeEvent& event : events_)
    if (event.kind == LifeKind::kBirth && event.tid == tid) event.is_known = 1;
  LifeEvent& event = add_event(LifeKind::kEnded, tid, code);
  event.word = lives_[slot].name + 1u;
  event.handled_calls = processes_[slot].handled_calls;
  event.thread = threads_[slot];
}

bool LogLives::concerns(uint32_t tid) const {
  const uint32_t slot = tid % kThreadSlots;
  const LogThread& thread = threads_[slot];
  const Life& life = lives_[slot];
  if (thread.tid_plus_1 != 0 && thread.tid_plus_1 != tid + 1) return true;
  if (life.is_born_here || life.step != Step::kRuns || !life.frames.empty() || (life.caught | life.ignored) != 0)
    return true;
  return std::any_of(events_.begin(), events_.end(), [&](const LifeEvent& event) {
    return event.tid % kThreadSlots == slot || (event.kind == LifeKind::kBirth && event.of == tid);
  });
}

// What the process of a slot has set of its signals, before anything else is told that depends on it.
void LogLives::add_handlers(uint32_t slot) {
  Life& life = lives_[slot];
  if ((life.caught | life.ignored) == 0) return;
  const uint32_t tid = (threads_[slot].tid_plus_1 & ~kAway) - 1;
  add_event(LifeKind::kHandles, tid, life.caught).word = life.ignored;
  life.caught = life.ignored = 0;
}

// What stands open in the thread of a slot, behind what it has done.
void LogLives::add_pending(uint32_t slot) {
  LogThread& thread = threads_[slot];
  Life& life = lives_[slot];
  const uint32_t tid = (thread.tid_plus_1 & ~kAway) - 1;
  add_handlers(slot);
  for (const Frame& frame : life.frames) {
    LifeEvent& event = add_event(LifeKind::kSignal, tid, frame.signal);
    event.handled_calls = processes_[slot].handled_calls;
    event.thread = frame.thread;
    processes_[slot].handled_calls = 0;
  }
  if (life.step == Step::kForking || life.step == Step::kExecuting || life.step == Step::kHandling) {
    add_event(LifeKind::kEntered, tid, life.child).word = life.name + 1u;
  } else if (life.step == Step::kEnding) {
    undo_exit(&thread);
    LifeEvent& event = add_event(LifeKind::kExit, tid, 0);
    event.word = life.name + 1u;
    event.is_known = !life.is_open;
  }
}

size_t LogLives::settle(LifeEvent* events) {
  for (LifeEvent& event : events_) {
    if (event.kind != LifeKind::kBirth) continue;
    const uint32_t slot = event.tid % kThreadSlots;
    if ((threads_[slot].tid_plus_1 & ~kAway) == event.tid + 1) event.is_known = lives_[slot].was_seen;
  }
  // Whose child is whose may depend on who called first.
  std::sort(busy_.begin(), busy_.end(),
            [&](uint32_t a, uint32_t b) { return lives_[a].entered_at < lives_[b].entered_at; });
  for (const uint32_t slot : busy_) add_pending(slot);
  for (const uint32_t slot : busy_) {
    Life& life = lives_[slot];
    life.step = Step::kRuns;
    life.is_born_here = life.is_busy = life.is_open = false;
    life.entered_at = 0;
    life.frames.clear();
    threads_[slot].tid_plus_1 &= ~kAway;
  }
  busy_.clear();
  frame_count_ = 0;
  entered_count_ = 0;
  forking_count_ = 0;
  const size_t count = std::min(events_.size(), kEventLimit);
  std::copy_n(events_.begin(), count, events);
  events_.clear();
  control_.is_pending = 0;
  return count;
}

PassedCounts LogLives::take_passed(uint32_t program) {
  if (program >= passed_.size()) return {};
  const PassedCounts passed = passed_[program];
  passed_[program] = {};
  return passed;
}

}  // namespace tracefp
