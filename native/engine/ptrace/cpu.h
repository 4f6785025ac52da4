// Tracer and tracee on one CPU: a stop then costs two context switches instead of two cross-CPU wake-ups, which on a
// virtual machine cost ten times as much. Of each process one thread at most is held there: its only one, or the one
// that makes the calls (kBusyCalls in a row), so what runs side by side still does. It is let go before it asks for its
// CPU mask, so that it does not notice (except by reading /proc/self/status itself).
#pragma once

#include <sched.h>
#include <sys/types.h>

namespace tracefp {

enum class Pin {
  kAuto,    // one thread of each process is held, until it asks
  kAlways,  // everything is held, threads too: visible to the program (nproc says 1)
  kNever,
};

class CpuHold {
 public:
  explicit CpuHold(Pin pin) : pin_(pin) {}

  // Tracer thread, before the launch: pins this thread; the launched process inherits it.
  void hold_self();

  bool lets_go() const { return is_held_ && pin_ == Pin::kAuto; }

  // Nothing is held: tracer and tracee run where the kernel likes.
  bool is_free() const { return !is_held_; }

  // Gives `tid` the CPU mask that tracefp was started with.
  void let_go(pid_t tid) const;

  // Takes `tid` to the tracer's CPU. False: its mask is not the one that tracefp was started with, and stays as it is.
  bool hold(pid_t tid) const;

 private:
  Pin pin_;
  bool is_held_ = false;
  cpu_set_t all_{};
  cpu_set_t one_{};
};

}  // namespace tracefp
