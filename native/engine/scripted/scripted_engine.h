// Engine `scripted`: plays a written list of records through the ring, as a real engine would: from its own thread,
// waiting when the ring is full, waiting for the reader's answer at each exec. For tests and benches.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "engine/engine.h"

namespace tracefp {

class ScriptedEngine final : public Engine {
 public:
  ScriptedEngine(std::vector<Record> records, RingWriter& ring);

  void run() override;
  void stop() override;
  void answer_exec(bool allow) override;
  const EngineResult& result() const override { return result_; }

 private:
  std::vector<Record> records_;
  RingWriter& ring_;
  EngineResult result_;
  std::mutex mutex_;
  std::condition_variable answered_;
  unsigned answer_count_ = 0;
  bool stopping_ = false;
};

}  // namespace tracefp
