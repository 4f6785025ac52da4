#include "engine/scripted/scripted_engine.h"

#include <utility>

namespace tracefp {

ScriptedEngine::ScriptedEngine(std::vector<Record> records, RingWriter& ring)
    : records_(std::move(records)), ring_(ring) {}

void ScriptedEngine::run() {
  unsigned exec_count = 0;
  ring_.set_state(RingState::kRunning);
  for (const Record& record : records_) {
    if (!ring_.push(record)) return;
    if (record.kind == RecordKind::kBirth && result_.root_pid == 0) result_.root_pid = static_cast<pid_t>(record.tid);
    if (record.kind == RecordKind::kExit && static_cast<pid_t>(record.tid) == result_.root_pid) {
      result_.exit_code = static_cast<int>(record.value);
      result_.exit_signal = record.flags;
    }
    if (record.kind != RecordKind::kExec) continue;
    exec_count++;
    ring_.ring_doorbell();
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return stopping_ || answer_count_ >= exec_count; });
    if (stopping_) return;
  }
}

void ScriptedEngine::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  ring_.stop();
  answered_.notify_all();
}

void ScriptedEngine::answer_exec(bool) {
  const std::lock_guard lock(mutex_);
  answer_count_++;
  answered_.notify_all();
}

}  // namespace tracefp
