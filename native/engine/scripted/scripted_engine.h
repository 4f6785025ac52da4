// Engine `scripted`: plays a written list of records through the ring, as a real engine would: from its own thread,
// waiting when the ring is full, waiting for the reader's answer at each exec. For tests and benches.
#pragma once

#include <atomic>
#include <vector>

#include "engine/engine.h"
#include "engine/gate.h"
#include "engine/guard.h"

namespace tracefp {

class ScriptedEngine final : public Engine {
 public:
  // `is_guarded`: the records are judged as a live engine's would be; a denied call is one that was only recorded.
  ScriptedEngine(std::vector<Record> records, bool is_guarded, RingWriter& ring);

  void run() override;
  void stop() override;
  void answer(uint32_t question, const Answer& answer) override { gate_.answer(question, answer); }
  const EngineResult& result() const override { return result_; }

 private:
  bool play(Record record);
  bool play_call(Record record);

  std::vector<Record> records_;
  RingWriter& ring_;
  EngineResult result_;
  Guard guard_;
  Gate gate_;
  std::atomic<bool> is_over_{false};
};

}  // namespace tracefp
