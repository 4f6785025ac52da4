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
        "7  clone(child_stack=NULL, flags=CLONE_FILES|SIGCHLD) = 8",
        "7  clone(child_stack=NULL, flags=0x1200011) = 8",
        "7  clone(child_stack=NULL, xflags=SIGCHLD) = 8",
        "7  clone(child_stack=NULL) = 8",
        "7  clone() = 8",
        "7  clone( <unfinished ...>",
        "7  clone(flags=SIGCHLD /* x */|CLONE_THREAD) = 8",
        "7  clone(flags=SIGCHLD |17) = 8",
        "7  clone(flags=SIGCHLD) CLONE_THREAD) = 8",
        "7  vfork() = 7",
        "7  vfork() = 263",
        "7  vfork() = 0",
        "7  vfork() = ?",
        "7  rt_sigaction(SIGUSR, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        "7  rt_sigaction(SIGRT_1, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=0x1, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=0x562g, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_ERR, sa_mask=[], sa_flags=0}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[INT, sa_flags=0}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[sa_flags=SA_RESETHAND], sa_flags=0}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=SA_RESTORER|SA_RESETHAND}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=SA_ONESHOT}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0x80000000}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL}, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, 0x7f, NULL, 8) = 0",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = ?",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 1",
        "7  rt_sigreturn({mask=[]}) = 0",
        "7  --- SIGCHLD {a} --- ",
        "7  +++ exited with 0 +++",
        "7  execve(\"/bin/a\", [\"a\"], [\"A=1\"]) = 0",
        "9  read(3) = 1"}) {
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

TEST_CASE("what a process sets of its signals is told before what depends on it") {
  constexpr uint32_t kInt = 1u << 2;
  constexpr uint32_t kChld = 1u << 17;
  const std::string set =
      "7  rt_sigaction(SIGINT, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=SA_RESTORER}, NULL, 8) = 0";
  OwnLog log;
  CHECK(log.tell("7  rt_sigaction(SIGCHLD, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0"));
  CHECK(log.control.is_pending == 0);
  CHECK(log.tell(set));
  CHECK(log.all().concerns(7));
  CHECK(log.processes[kRoot].caught == (kInt | kChld));
  CHECK(log.processes[kRoot].ignored == 0);
  CHECK(log.tell("7  rt_sigaction(SIGCHLD, {sa_handler=SIG_IGN, sa_mask=~[RTMIN], sa_flags=0}, NULL, 8) = 0"));
  CHECK(log.tell("7  vfork() = 8"));
  CHECK(log.processes[8].caught == kInt);
  CHECK(log.processes[8].ignored == kChld);
  CHECK(log.tell("7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0"));
  CHECK(log.tell("7  rt_sigaction(SIGCHLD, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0},  <unfinished ...>"));
  CHECK(log.processes[kRoot].caught == 0);
  std::vector<LifeEvent> events = log.settle();
  REQUIRE(events.size() == 4);
  CHECK(events[0].kind == LifeKind::kHandles);
  CHECK(events[0].tid == kRoot);
  CHECK(events[0].of == kInt);
  CHECK(events[0].word == kChld);
  CHECK(events[1].kind == LifeKind::kBirth);
  CHECK(events[2].kind == LifeKind::kHandles);
  CHECK(events[2].of == 0);
  CHECK(events[2].word == kInt);
  CHECK(events[3].kind == LifeKind::kEntered);
  CHECK(kNames.at(events[3].word - 1) == "rt_sigaction");
  CHECK(!log.all().concerns(7));
  CHECK(log.settle().empty());

  OwnLog other;
  for (const char* result : {"= -1 EINVAL (Invalid argument)", "= 0"}) {
    CHECK(other.tell("7  rt_sigaction(SIGINT, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0},  <unfinished ...>"));
    CHECK(other.processes[kRoot].caught == kChld);
    CHECK(other.tell(std::string("7  <... rt_sigaction resumed>NULL, 8) ") + result));
  }
  CHECK(other.processes[kRoot].caught == (kInt | kChld));
  // In a handler it is told by the reader: behind the signal, and before what it does next.
  CHECK(other.tell("7  --- SIGINT {si_signo=SIGINT} ---"));
  CHECK(!other.tell(set));
  events = other.settle();
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == LifeKind::kHandles);
  CHECK(events[1].kind == LifeKind::kSignal);
}

TEST_CASE("a program has no handlers when it begins") {
  OwnLog log;
  bear(log);
  log.settle();
  CHECK(log.tell("8  rt_sigaction(SIGINT, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=0}, NULL, 8) = 0"));
  CHECK(log.tell(kExecve));
  CHECK(log.processes[8].caught == 0);
  const std::vector<LifeEvent> events = log.settle();
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == LifeKind::kExec);
}

TEST_CASE("an execve that fails is a call like others") {
  OwnLog log;
  CHECK(log.tell("7  execve(\"/bin/b\", [\"b\"], 0x7f /* 3 vars */) = -1 ENOENT (No such file or directory)"));
  const char* const open = "7  execve(\"/bin/b\", [\"b\"], 0x7f /* 3 vars */ <unfinished ...>";
  CHECK(!log.tell(open));
  log.learn_exec(kNoProgram);
  CHECK(log.tell(open));
  CHECK(log.tell("7  <... execve resumed>) = -1 ENOENT (No such file or directory)"));
  CHECK(log.threads[kRoot].calls == 2);
  CHECK(log.settle().empty());
  CHECK(log.tell("7  read(3) = 1"));
  // What it starts is judged by none.
  CHECK(log.tell(open));
  CHECK(!log.tell("7  <... execve resumed>) = 0"));
  const std::vector<LifeEvent> events = log.settle();
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == LifeKind::kEntered);
}

TEST_CASE("what an execve starts is asked again once it has succeeded") {
  const char* const open = "7  execve(\"/bin/b\", [\"b\"], 0x7f /* 3 vars */ <unfinished ...>";
  OwnLog log;
  CHECK(!log.tell(open));
  log.learn_exec(kNoProgram);
  CHECK(log.tell(open));
  CHECK(!log.tell("7  <... execve resumed>) = 0"));
  log.settle();
  CHECK(!log.tell(open));
  CHECK(log.told.until == ToldUntil::kExec);
  OwnLog whole;
  CHECK(!whole.tell(open));
  whole.learn_exec(kNoProgram);
  CHECK(!whole.tell("7  execve(\"/bin/b\", [\"b\"], 0x7f /* 3 vars */) = 0"));
  CHECK(whole.told.until == ToldUntil::kExec);
}

TEST_CASE("an exit that another thread interrupts is one when its line has ended") {
  OwnLog log;
  bear(log);
  CHECK(log.tell("8  exit_group(0 <unfinished ...>"));
  CHECK(!log.tell("8  +++ exited with 0 +++"));
  CHECK(log.tell("8  <... exit_group resumed>) = ?"));
  CHECK(log.tell("8  +++ exited with 0 +++"));
  CHECK(log.settle().empty());
  CHECK(log.all().take_passed(0).tracks == 1);
  CHECK(log.tell("7  exit_group(0 <unfinished ...>"));
  const std::vector<LifeEvent> events = log.settle();
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == LifeKind::kExit);
  CHECK(events[0].is_known == 0);
  OwnLog whole;
  CHECK(whole.tell("7  exit_group(0) = ?"));
  CHECK(whole.settle().at(0).is_known == 1);
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

TEST_CASE("a tid comes again only when all that was before is told") {
  OwnLog log;
  CHECK(log.tell("7  vfork() = 8"));
  CHECK(log.tell("8  vfork() = 9"));
  CHECK(log.tell("8  exit_group(0) = ?"));
  CHECK(log.tell("8  +++ exited with 0 +++"));
  CHECK(!log.tell("7  vfork() = 8"));
  CHECK(log.settle().size() == 3);
  CHECK(log.tell("7  vfork() = 8"));
  CHECK(log.tell("8  exit_group(0) = ?"));
  CHECK(log.tell("8  +++ exited with 0 +++"));
  // Of one that has passed nothing is left to tell.
  CHECK(log.tell("7  vfork() = 8"));
}

TEST_CASE("when much has happened the reader is told") {
  OwnLog log;
  uint32_t births = 0;
  for (uint32_t tid = 8; tid < 250; tid++) births += log.tell("7  vfork() = " + std::to_string(tid));
  CHECK(births == 128);
  CHECK(log.settle().size() == 128);
}
