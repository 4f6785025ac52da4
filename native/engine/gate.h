// Where a tracer waits until the reader has decided about a record: an exec, or a call that is a miss. One question at
// a time; while it waits nothing of the session goes on, but for what needs no tracer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "engine/engine.h"

namespace tracefp {

class Gate {
 public:
  // Tracer: before the record of the question is pushed. Questions are counted from 1, by both sides.
  void open_question() {
    const std::lock_guard lock(mutex_);
    question_++;
    has_answer_ = false;
  }

  // Tracer: waits for the answer. `is_gone` is asked now and then; when it says so, or at stop(), the answer is kAllow:
  // there is nothing left to decide about.
  Answer wait(const std::function<bool()>& is_gone);

  // Any thread. An answer to an earlier question comes too late and is dropped.
  void answer(uint32_t question, const Answer& answer);
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t question_ = 0;
  bool has_answer_ = false;
  bool is_stopped_ = false;
  Answer answer_{};
};

}  // namespace tracefp
