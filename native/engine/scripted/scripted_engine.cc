#include "engine/scripted/scripted_engine.h"

#include <utility>

namespace tracefp {

namespace {

bool lives_on() { return false; }

}  // namespace

ScriptedEngine::ScriptedEngine(std::vector<Record> records, bool is_guarded, RingWriter& ring)
    : records_(std::move(records)), ring_(ring), guard_(is_guarded) {}

void ScriptedEngine::run() {
  ring_.set_state(RingState::kRunning);
  for (const Record& record : records_) {
    if (is_over_.load() || !play(record)) return;
  }
}

// False: nothing more is played.
bool ScriptedEngine::play(Record record) {
  const auto tid = static_cast<pid_t>(record.tid);
  switch (record.kind) {
    case RecordKind::kCall:
      return play_call(record);
    case RecordKind::kExec: {
      gate_.open_question();
      if (!ring_.push(record)) return false;
      ring_.ring_doorbell();
      const Answer answer = gate_.wait(lives_on);
      guard_.exec(tid, answer.table);
      return answer.decision == Decision::kAllow;
    }
    case RecordKind::kBirth: {
      const auto kind = static_cast<BirthKind>(record.flags);
      guard_.birth(tid, static_cast<pid_t>(record.value), static_cast<pid_t>(record.extra), kind);
      if (result_.root_pid == 0) result_.root_pid = tid;
      if (kind != BirthKind::kMet && kind != BirthKind::kOrphan) break;
      gate_.open_question();
      if (!ring_.push(record)) return false;
      ring_.ring_doorbell();
      const Answer answer = gate_.wait(lives_on);
      guard_.met(tid, answer.table);
      return answer.decision == Decision::kAllow;
    }
    case RecordKind::kSignal:
      guard_.signal(tid, static_cast<int>(record.value));
      break;
    case RecordKind::kExit:
      guard_.end(tid);
      if (tid == result_.root_pid) {
        result_.exit_code = static_cast<int>(record.value);
        result_.exit_signal = record.flags;
      }
      break;
    case RecordKind::kGap:
    case RecordKind::kNote:
    case RecordKind::kFlood:
    case RecordKind::kSkipped:
      break;
  }
  return ring_.push(record);
}

bool ScriptedEngine::play_call(Record record) {
  const bool is_restart = (record.flags & kRecordRestart) != 0;
  const Call call{static_cast<Abi>(record.abi), static_cast<int32_t>(record.value)};
  if (is_restart || !guard_.is_miss(static_cast<pid_t>(record.tid), call)) return ring_.push(record);
  record.flags |= kRecordAsked;
  gate_.open_question();
  if (!ring_.push(record)) return false;
  ring_.ring_doorbell();
  const Decision decision = gate_.wait(lives_on).decision;
  guard_.settle(decision == Decision::kAllow);
  return decision != Decision::kKill;
}

void ScriptedEngine::stop() {
  is_over_.store(true);
  ring_.stop();
  gate_.stop();
}

}  // namespace tracefp
