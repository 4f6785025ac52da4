#include "stop/wait_status.h"

#include <doctest/doctest.h>
#include <linux/ptrace.h>

#include <csignal>
#include <initializer_list>

using namespace tracefp;

namespace {

int stopped(int signal, int event = 0) { return (event << 16) | (signal << 8) | 0x7f; }

}  // namespace

TEST_CASE("a normal end carries its exit code") {
  const Stop stop = classify(3 << 8);
  CHECK(stop.kind == StopKind::kExited);
  CHECK(stop.code == 3);
}

TEST_CASE("a death by signal carries the signal, with or without a core dump") {
  CHECK(classify(SIGKILL).kind == StopKind::kKilled);
  CHECK(classify(SIGKILL).signal == SIGKILL);
  CHECK(classify(SIGSEGV | 0x80).kind == StopKind::kKilled);
  CHECK(classify(SIGSEGV | 0x80).signal == SIGSEGV);
}

TEST_CASE("a stop without an event is the delivery of a signal") {
  CHECK(classify(stopped(SIGCHLD)).kind == StopKind::kSignalDelivery);
  CHECK(classify(stopped(SIGCHLD)).signal == SIGCHLD);
  CHECK(classify(stopped(SIGTRAP)).kind == StopKind::kSignalDelivery);
  CHECK(classify(stopped(SIGSTOP)).kind == StopKind::kSignalDelivery);
}

TEST_CASE("SIGTRAP with bit 7 is the return of a call") {
  CHECK(classify(stopped(SIGTRAP | 0x80)).kind == StopKind::kSyscall);
}

TEST_CASE("events are told apart") {
  CHECK(classify(stopped(SIGTRAP, PTRACE_EVENT_SECCOMP)).kind == StopKind::kSeccomp);
  CHECK(classify(stopped(SIGTRAP, PTRACE_EVENT_EXEC)).kind == StopKind::kExec);
  CHECK(classify(stopped(SIGTRAP, PTRACE_EVENT_FORK)).birth == BirthEvent::kFork);
  CHECK(classify(stopped(SIGTRAP, PTRACE_EVENT_VFORK)).birth == BirthEvent::kVfork);
  CHECK(classify(stopped(SIGTRAP, PTRACE_EVENT_CLONE)).birth == BirthEvent::kClone);
  CHECK(classify(stopped(SIGTRAP, PTRACE_EVENT_VFORK_DONE)).kind == StopKind::kOther);
}

TEST_CASE("an event-stop is a group-stop with a stopping signal and a trap otherwise") {
  for (const int signal : {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU}) {
    CHECK(classify(stopped(signal, PTRACE_EVENT_STOP)).kind == StopKind::kGroupStop);
  }
  CHECK(classify(stopped(SIGTRAP, PTRACE_EVENT_STOP)).kind == StopKind::kTrap);
}
