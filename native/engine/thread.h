// A thread that can fail to start: std::thread would throw, and nothing here may (RLIMIT_NPROC is an ordinary limit).
#pragma once

#include <pthread.h>

#include <cerrno>
#include <functional>
#include <utility>

#include "engine/status.h"

namespace tracefp {

class Thread {
 public:
  Status start(std::function<void()> work) {
    work_ = std::move(work);
    const int error = pthread_create(&handle_, nullptr, &Thread::run, this);
    if (error != 0) return {"pthread_create", error};
    is_joinable_ = true;
    return {};
  }

  bool is_joinable() const { return is_joinable_; }
  pthread_t handle() const { return handle_; }

  void join() {
    pthread_join(handle_, nullptr);
    is_joinable_ = false;
  }

 private:
  static void* run(void* self) {
    static_cast<Thread*>(self)->work_();
    return nullptr;
  }

  std::function<void()> work_;
  pthread_t handle_{};
  bool is_joinable_ = false;
};

}  // namespace tracefp
