#include "stop/tracee.h"

namespace tracefp {

namespace {

bool is_same_call(const Call& a, const Call& b) { return a.abi == b.abi && a.nr == b.nr; }

bool is_clone_family(const Call& call, const KnownCalls& known) {
  if (call.nr < 0) return false;
  return call.nr == known.clone || call.nr == known.clone3 || call.nr == known.fork || call.nr == known.vfork;
}

// -ERESTARTNOINTR: include/linux/errno.h, never seen by programs.
constexpr int64_t kRestartNoIntr = -513;

}  // namespace

Entered enter(Tracee& tracee, const Entry& entry) {
  const KnownCalls& known = known_calls(entry.call.abi);
  const bool same_place = entry.ip == tracee.last.ip && entry.call.abi == tracee.last.call.abi;
  // Programs do not call restart_syscall: the kernel makes them, on the ip of the call it goes on with.
  // In a tracee that was met it goes on with a call that began before.
  const bool continues = (same_place || tracee.is_met) && entry.call.nr == known.restart_syscall;
  const bool repeats = same_place && tracee.restart_due && is_same_call(entry.call, tracee.last.call);
  tracee.restart_due = false;
  tracee.is_withdrawn = false;
  tracee.is_received = true;
  tracee.is_met = false;
  tracee.bore_child = false;
  tracee.awaited = Awaited::kNothing;
  const bool is_clone = is_clone_family(entry.call, known);
  if (continues || repeats) return {true, is_clone ? Awaited::kClone : Awaited::kNothing};

  tracee.last = entry;
  if (entry.call.nr < 0) return {false, Awaited::kNothing};
  if (entry.call.nr == known.rt_sigreturn || entry.call.nr == known.sigreturn) return {false, Awaited::kSigreturn};
  if (is_clone) return {false, Awaited::kClone};
  return {false, Awaited::kNothing};
}

void interrupt(Tracee& tracee, bool is_restarting) {
  // Only ever set: a second stop before the repeated call may no longer show why it will be repeated.
  if (is_restarting) tracee.restart_due = true;
}

void push_frame(Tracee& tracee, bool is_restarting) {
  if (tracee.frames.size() == kMaxHandlerFrames) tracee.frames.erase(tracee.frames.begin());
  tracee.frames.push_back({tracee.last, is_restarting || tracee.restart_due});
  tracee.restart_due = false;
}

void return_from_clone(Tracee& tracee, int64_t rval) {
  if (rval == kRestartNoIntr) tracee.restart_due = true;
}

void pop_frame(Tracee& tracee, uint64_t ip) {
  tracee.restart_due = false;
  if (tracee.frames.empty()) return;
  const Frame frame = tracee.frames.back();
  tracee.frames.pop_back();
  tracee.last = frame.entry;
  tracee.restart_due = frame.may_restart && ip == frame.entry.ip - kSyscallInsnBytes;
}

}  // namespace tracefp
