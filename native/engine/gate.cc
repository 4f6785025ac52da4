#include "engine/gate.h"

#include <chrono>

namespace tracefp {

namespace {

// A decision may take minutes, and the tracee may be killed meanwhile.
constexpr std::chrono::milliseconds kLookPause{100};

}  // namespace

Answer Gate::wait(const std::function<bool()>& is_gone) {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLookPause, [this] { return has_answer_ || is_stopped_; })) {
    if (is_gone()) return {};
  }
  return has_answer_ ? answer_ : Answer{};
}

void Gate::answer(uint32_t question, const Answer& answer) {
  const std::lock_guard lock(mutex_);
  if (question != question_) return;
  answer_ = answer;
  has_answer_ = true;
  changed_.notify_all();
}

void Gate::stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  changed_.notify_all();
}

}  // namespace tracefp
