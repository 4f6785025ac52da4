#include "log/lives.h"

#include <doctest/doctest.h>

#include "log_lives.h"

using namespace lives;

namespace {

struct OwnLog : Log {
  OwnLog() : Log(scanner(), table()) {}

 private:
  static LogScanner& scanner() {
    static LogScanner made = make_scanner();
    return made;
  }
  static const std::vector<uint32_t>& table() {
    static const std::vector<uint32_t> made = make_table();
    return made;
  }
};

const char* const kClone = "7  clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8";
const char* const kExecve = "8  execve(\"/bin/a\", [\"a\"], 0x7f /* 3 vars */) = 0";
const char* const kGrown = "8  brk(NULL) = 0x55f470d92000";

// A child that executes what is known.
void bear(OwnLog& log) {
  CHECK(log.tell(kClone));
  CHECK(!log.tell(kExecve));
  CHECK(log.told.until == ToldUntil::kExec);
  log.learn_exec();
  CHECK(log.tell(kExecve));
  CHECK(log.tell(kGrown));
}

}  // namespace

TEST_CASE("of a process that came and went counts are left") {
  OwnLog log;
  bear(log);
  CHECK(log.tell("8  read(3) = 1"));
  CHECK(log.tell("8  exit_group(0) = ?"));
  CHECK(log.tell("8  +++ exited with 0 +++"));
  CHECK(log.told.last_slot == kNoSlot);
  CHECK(log.threads[8].tid_plus_1 == 0);
  CHECK(log.settle().empty());
  const PassedCounts passed = log.all().take_passed(0);
  CHECK(passed.tracks == 1);
  CHECK(passed.ends == 1);
  CHECK(passed.calls == 4);
  CHECK((log.used[6] & 1u << kEnd) != 0);
  CHECK(log.all().take_passed(0).tracks == 0);
}

TEST_CASE("what lives is told in order, and is as all others from then on") {
  OwnLog log;
  bear(log);
  CHECK(log.tell("8  read(3) = 1"));
  const std::vector<LifeEvent> events = log.settle();
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == LifeKind::kBirth);
  CHECK(events[0].tid == 8);
  CHECK(events[0].of == kRoot);
  CHECK(events[0].is_known == 1);
  CHECK(events[1].kind == LifeKind::kExec);
  CHECK(events[1].of == 4);
  CHECK(events[1].thread.calls == 1);
  CHECK(events[1].is_known == 1);
  CHECK(log.threads[8].tid_plus_1 == 9);
  CHECK(log.threads[8].calls == 2);
  CHECK(log.control.is_pending == 0);
  CHECK(log.settle().empty());
  // Its end is the reader's to know of.
  CHECK(log.tell("8  exit_group(3) = ?"));
  CHECK(log.tell("8  +++ exited with 3 +++"));
  const std::vector<LifeEvent> end = log.settle();
  REQUIRE(end.size() == 1);
  CHECK(end[0].kind == LifeKind::kEnded);
  CHECK(end[0].of == 3);
  CHECK(end[0].thread.calls == 2);
  CHECK(log.all().take_passed(0).tracks == 0);
}

TEST_CASE("a child is known by its first line, or by what its parent's call returns") {
  OwnLog log;
  CHECK(log.tell("7  vfork( <unfinished ...>"));
  CHECK(log.tell("8  close(3) = 0"));
  CHECK(log.tell("7  <... vfork resumed>) = 8"));
  CHECK(log.tell("7  vfork( <unfinished ...>"));
  CHECK(log.tell("7  <... vfork resumed>) = 9"));
  std::vector<LifeEvent> events = log.settle();
  REQUIRE(events.size() == 2);
  CHECK(events[0].is_known == 1);
  CHECK(events[1].tid == 9);
  CHECK(events[1].is_known == 0);
  // A line that the reader knows to be of a thread in no slot.
  CHECK(log.tell("7  vfork( <unfinished ...>"));
  log.control.known_count = 1;
  log.control.known[0] = 11;
  CHECK(!log.tell("11  close(3) = 0"));
  // And one of two that may be its parent.
  log.control.open_clones = 1;
  CHECK(!log.tell("12  close(3) = 0"));
  events = log.settle();
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == LifeKind::kEntered);
  CHECK(events[0].of == 0);
  CHECK(log.all().arguments_of(kRoot) == " <unfinished ...>");
}

TEST_CASE("a handler is a flow of its own, behind which the thread goes on as before") {
  OwnLog log;
  CHECK(log.tell("7  read(3) = 1"));
  CHECK(log.tell("7  --- SIGINT {si_signo=SIGINT} ---"));
  CHECK(log.settle().empty());
  CHECK(log.tell("7  --- SIGCHLD {si_signo=SIGCHLD} ---"));
  CHECK(log.threads[kRoot].state == kHandler);
  CHECK(log.tell("7  close(3) = 0"));
  CHECK(log.tell("7  rt_sigreturn({mask=[]}) = 0"));
  CHECK(log.threads[kRoot].state == 0);
  CHECK(log.threads[kRoot].calls == 1);
  CHECK(log.processes[kRoot].handled_calls == 2);
  CHECK(log.tell("7  --- SIGCHLD {si_signo=SIGCHLD} ---"));
  const std::vector<LifeEvent> events = log.settle();
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == LifeKind::kSignal);
  CHECK(kNames.at(events[0].of - 1) == "SIGCHLD");
  CHECK(events[0].handled_calls == 2);
  CHECK(events[0].thread.calls == 1);
  // It began before what is known here.
  CHECK(!log.tell("7  rt_sigreturn({mask=[]}) = 0"));
}

TEST_CASE("what may mean more is the reader's") {
  for (const char* line :
       {"7  clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND) = 8",
        "7  clone(child_stack=NULL, flags=CLONE_FILES|SIGCHLD) = 8", "7  clone(child_stack=NULL, flags=0x1200011) = 8",
        "7  clone(child_stack=NULL, xflags=SIGCHLD) = 8", "7  clone(child_stack=NULL) = 8", "7  vfork() = 7",
        "7  vfork() = 263", "7  vfork() = 0", "7  vfork() = ?", "7  exit_group(0 <unfinished ...>",
        "7  rt_sigreturn({mask=[]}) = 0", "7  --- SIGCHLD {a} --- ", "7  +++ exited with 0 +++",
        "7  execve(\"/bin/a\", [\"a\"], [\"A=1\"]) = 0", "9  read(3) = 1"}) {
    CAPTURE(line);
    OwnLog log;
    CHECK(!log.tell(line));
    CHECK(log.told.until != ToldUntil::kExec);
    CHECK(log.settle().empty());
  }
  // After an exec: no sign that the program is a 64-bit one.
  for (const char* line :
       {"8  brk(NULL) = 0x394df000", "8  brk(0x7f) = 0x55f470d92000", "8  read(3) = 0x55f470d92000"}) {
    CAPTURE(line);
    OwnLog log;
    CHECK(log.tell(kClone));
    CHECK(!log.tell(kExecve));
    log.learn_exec();
    CHECK(log.tell(kExecve));
    CHECK(!log.tell(line));
    const std::vector<LifeEvent> events = log.settle();
    REQUIRE(events.size() == 2);
    CHECK(events[1].is_known == 0);
  }
}

TEST_CASE("what execve is given ends where the environment begins, and nowhere else") {
  const std::string begin = "7  execve(\"/bin/a\", [\"a\"";
  const auto arguments_of = [](const std::string& line) {
    OwnLog log;
    log.tell(line);
    return log.told.until == ToldUntil::kExec
               ? std::string(exec_arguments(log.told.facts, reinterpret_cast<const uint8_t*>(line.data())))
               : std::string();
  };
  const std::string given = "\"/bin/a\", [\"a\"]";
  CHECK(arguments_of(begin + "], 0x7f /* 3 vars */) = 0") == given);
  CHECK(arguments_of(begin + "], 0x7f /* 3 vars */)   = 0 <0.000109>") == given);
  CHECK(arguments_of(begin + "], 0x7f /* 3 vars */ <unfinished ...>") == given);
  for (const char* rest :
       {", \", 0x7f /* 3 vars */) = 0\"], [\"A=1\"]) = 0", ", \", 0x7f /* 3 vars */ <unfinished ...>\"], []) = 0",
        "], 0x /* 3 vars */) = 0", "], 0x7f /*  vars */) = 0", "], 0x7f /* 3 vars */, 0) = 0",
        "], 0x7f /* 3 vars */) = 0 <0.1", "], 0x7f /* 3 vars */ ) = 0"}) {
    CAPTURE(rest);
    CHECK(arguments_of(begin + rest).empty());
  }
}

TEST_CASE("when much has happened the reader is told") {
  OwnLog log;
  uint32_t births = 0;
  for (uint32_t tid = 8; tid < 250; tid++) births += log.tell("7  vfork() = " + std::to_string(tid));
  CHECK(births == 128);
  CHECK(log.settle().size() == 128);
}
