// The life of tracees: birth, exec, signals, group-stops, death. The same for every engine that uses ptrace; how calls
// reach us is theirs. Runs on the tracer thread.
//
// Order per tracee, which the reader relies on: its birth comes before anything else of it, because a child is resumed
// only after its birth is in the ring, whichever of the two stops (parent's event, child's first stop) came first.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <ctime>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "engine/engine.h"
#include "engine/gate.h"
#include "engine/guard.h"
#include "engine/ptrace/ptrace_ops.h"
#include "ring/writer.h"
#include "stop/tracee.h"
#include "stop/wait_status.h"

namespace tracefp {

// What is due after a stop was dealt with.
struct Resumption {
  bool is_due;  // false: the tracee is gone, or stays stopped until its birth is known
  How how;
  int signal;
};

constexpr Resumption kContinue{true, How::kCont, 0};
constexpr Resumption kNothingDue{false, How::kCont, 0};

class Life {
 public:
  // `step`: how tracees go on by themselves: kCont, or kSyscall where calls are seen by it. `may_withdraw`: a signal
  // may come between a call and its record (the listener had not yet received it). Such a call is repeated for certain
  // and recorded then; the program does not learn of it.
  Life(RingWriter& ring, CpuHold& cpu, EngineResult& result, const LaunchOptions& options, How step,
       bool may_withdraw = false);

  // The launched tracee; records begin with its exec.
  void begin(pid_t root);

  // The session is about processes that already run, `root` among them. Each of their tasks is then given to join(),
  // stopped.
  void begin_joined(pid_t root);
  void join(pid_t tid, pid_t tgid);

  bool has_begun() const { return has_begun_; }
  bool is_guarded() const { return guard_.is_on(); }

  // Neither a tracee nor an unannounced child is left.
  bool is_over() const { return tracees_.empty() && early_.empty(); }

  // Null for a tid whose birth has not been announced.
  Tracee* find(pid_t tid);

  // How a tracee goes on where nothing else is due.
  How how(pid_t tid);

  // Every kind but kSeccomp and kSyscall.
  Resumption handle(pid_t tid, const Stop& stop);

  // Appends a record of `tid`; false = stopping.
  bool record(pid_t tid, RecordKind kind, uint32_t value, uint16_t flags, uint32_t extra, Abi abi = Abi::kUnknown);
  void note(pid_t tid, NoteKind kind, uint32_t argument);

  // Appends the record of a call. Where the guard finds a miss it waits until the reader has decided. Nothing:
  // stopping.
  std::optional<Decision> record_call(pid_t tid, const Call& call, bool is_restart);

  // Milliseconds since the session began.
  uint32_t now_ms() const;

  // Kills every tracee and reaps it.
  void kill_all();

  // Any thread.
  void answer(uint32_t question, const Answer& answer) { gate_.answer(question, answer); }
  void stop();
  bool is_stopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  Resumption on_birth(pid_t parent, const Stop& stop);
  Resumption on_exec(pid_t tid);
  Resumption on_signal(Tracee& tracee, int signal);
  Resumption on_group_stop(Tracee& tracee, int signal);
  bool is_interrupted(Tracee& tracee);
  void on_end(pid_t tid, const Stop& stop);
  void add(pid_t tid, pid_t tgid, const Tracee* parent, BirthKind kind);
  void put(pid_t tid, pid_t tgid, bool is_met);
  bool meet(pid_t tid, pid_t tgid, BirthKind kind);
  void announce(pid_t tid, pid_t parent, pid_t tgid, BirthKind kind);
  bool has_tracee_of(pid_t tgid) const;
  bool may_be_announced(pid_t tid, pid_t gone) const;
  void adopt(pid_t tid);
  void adopt_orphans(pid_t tgid);
  std::optional<Answer> ask(pid_t tid);
  void kill_session();

  RingWriter& ring_;
  CpuHold& cpu_;
  EngineResult& result_;
  const bool stops_with_root_;
  const bool hides_host_;
  const How step_;
  const bool may_withdraw_;
  bool has_begun_ = false;
  timespec began_at_{};
  std::unordered_map<pid_t, Tracee> tracees_;
  Tracee* latest_ = nullptr;              // the tracee found last: most stops are of the same one as before
  std::unordered_set<pid_t> early_;       // stopped children whose parent's event has not come yet
  std::unordered_set<pid_t> dead_early_;  // those that were killed before it came

  Guard guard_;
  Gate gate_;
  bool is_killing_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace tracefp
