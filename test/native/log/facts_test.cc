#include "log/facts.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "log/scanner.h"
#include "log/teller.h"
#include "plain_line.h"
#include "small_table.h"

using namespace tracefp;

namespace {

const std::vector<std::string> kWords = {"read",    "execve", "clone", "rt_sigaction", "set_tid_address",
                                         "SIGCHLD", "SIG",    "SIGX?"};

LogScanner make_scanner() {
  LogScanner scanner(best_simd());
  scanner.set_prefix({});
  for (uint16_t i = 0; i < kWords.size(); i++) {
    scanner.set_name(kWords[i].data(), kWords[i].size(), i == 0 ? uint16_t{0} : kSpecialName);
    CHECK(scanner.set_word(kWords[i].data(), kWords[i].size(), static_cast<uint16_t>(i + 1)));
  }
  return scanner;
}

LineFacts facts(const std::string& line) {
  const LogScanner scanner = make_scanner();
  const std::vector<uint8_t> bytes = [&] {
    std::vector<uint8_t> copy(line.begin(), line.end());
    copy.push_back('\n');
    return copy;
  }();
  return facts_of(scanner.form(), bytes.data(), bytes.data() + line.size(), bytes.size());
}

}  // namespace

TEST_CASE("of calls, signals and ends it is said what the plain twin reads in them") {
  for (const char* line :
       {"7  read(3, \"a\", 1) = 1", "7  execve(\"/bin/a\", [\"a\"], 0x7f /* 3 vars */) = 0",
        "7  execve(\"/bin/a\", [\"a\"], 0x7f /* 3 vars */ <unfinished ...>",
        "7  <... execve resumed>)              = 0", "7  clone(child_stack=NULL) = 24017 <0.000109>",
        "7  clone(child_stack=NULL) = ?", "7  read(3) = 0x7f860f031000", "7  +++ exited with 255 +++",
        "7  --- SIGCHLD {si_signo=SIGCHLD, si_pid=8} ---", "7  --- SIGCHLD ---"}) {
    const LineFacts said = facts(line);
    const plain::Facts read = plain::read_facts(line);
    CAPTURE(line);
    CHECK(said.kind != FactKind::kNone);
    CHECK(static_cast<uint32_t>(said.kind) == static_cast<uint32_t>(read.of));
    CHECK(said.tid == 7);
    CHECK(said.arguments == read.arguments);
    CHECK(said.length == std::string(line).size());
    CHECK(said.value == read.value);
    CHECK((said.flags == kFactOfUnknown) == read.is_unknown);
    if (said.kind != FactKind::kExited) CHECK(kWords.at(said.word - 1) == read.name);
  }
}

TEST_CASE("that a call failed is said, and nothing of its value") {
  for (const char* line :
       {"7  read(3) = -1 EBADF (Bad file descriptor)", "7  execve(\"/a\")   = -1 E2BIG (a) <0.000109>",
        "7  <... clone resumed>) = -1 EAGAIN (Resource temporarily unavailable)"}) {
    CAPTURE(line);
    CHECK(facts(line).flags == kFactOfFailed);
    CHECK(!has_value(facts(line)));
    CHECK(plain::read_facts(line).has_failed);
  }
}

TEST_CASE("of what is not surely so nothing is said") {
  for (const char* line : {"7  open(\"a\") = 3",
                           "7  read(3) = 022",
                           "7  read(3) = -1 (a)",
                           "7  read(3) = -1 EBADF",
                           "7  read(3) = -1 ERESTARTSYS (a)",
                           "7  read(3) = -1 EBADF (a",
                           "7  read(3) = -1 ebadf (a)",
                           "7  read(3) = -1 EBADF(a)",
                           "7  read(3) = -1 EBADF (<a>)",
                           "7  read(3) = -1",
                           "7  read(3) = ? ERESTARTSYS (To be restarted)",
                           "7  read(3) = 3</etc/hosts>",
                           "7  read(3) = 1234567890123456",
                           "7  read(3) = 0x7f860f0310000000",
                           "7  read(3) = 2 /* 6402 in strace's PID NS */",
                           "7  read(3 = 1",
                           "7  <... read resumed> <unfinished ...>",
                           "7  +++ killed by SIGCHLD +++",
                           "7  +++ exited with +++",
                           "7  +++ exited with 1 +++ ",
                           "7  --- stopped by SIGCHLD ---",
                           "7  --- SIGUSR1 {} ---",
                           "7  --- SIGCHLD { ---",
                           "7  --- read {a} ---",
                           "7  --- SIG {a} ---",
                           "7  --- SIGX? {a} ---",
                           "7  --- SIGCHLD {a} ---\r",
                           "7  \x1b[33mread(3) = 1",
                           "7  read(\x1b[33m3) = 1",
                           "7  ",
                           "x",
                           "7  --- SIGCHLD",
                           "7  +++",
                           "7  read(",
                           "7  read(3, strace: Process 9 attached"}) {
    CAPTURE(line);
    CHECK(facts(line).kind == FactKind::kNone);
  }
}

TEST_CASE("a special call that means no more than that it was made is told like others") {
  LogScanner scanner = make_scanner();
  LogThread threads[kThreadSlots] = {};
  Descriptors descriptors[kDescriptorSets] = {};
  LogProcess processes[kThreadSlots] = {};
  LivesControl control = {};
  LogTeller teller(scanner, threads, processes, control, descriptors);
  teller.lives().set_meaning(3, Meaning::kHandles);
  teller.lives().set_meaning(4, Meaning::kOwnTid);
  teller.lives().set_meaning(1, Meaning::kExecutes);
  // One state that all may follow.
  const std::vector<uint32_t> words = small_table::make(1, [](uint32_t) { return 1u; });
  const std::optional<Table> table = Table::open(words.data(), words.size() * 4);
  REQUIRE(table);
  uint32_t used[1] = {};
  const std::vector<int16_t> symbols(kNameLimit, 0);
  teller.add_program({*table, used, symbols.data()});
  threads[7].tid_plus_1 = 8;
  threads[7].open = kNothingOpen;
  threads[7].program = 1;
  const auto told = [&](const std::string& line) {
    ToldCall call;
    return teller.tell(reinterpret_cast<const uint8_t*>(line.data()), line.size(), true, &call, 1);
  };
  CHECK(told("7  set_tid_address(0x7f) = 7\n").lines == 1);
  CHECK(told("7  rt_sigaction(SIGINT, NULL, {sa_handler=SIG_DFL}, 8) = 0\n").lines == 1);
  // What failed has set and started nothing.
  CHECK(told("7  rt_sigaction(SIGKILL, {sa_handler=SIG_IGN}, NULL, 8) = -1 EINVAL (Invalid argument)\n").lines == 1);
  CHECK(told("7  execve(\"/a\", [], 0x7f) = -1 E2BIG (Argument list too long) <0.000109>\n").lines == 1);
  CHECK(threads[7].calls == 4);
  // What the reader reads itself it judges, too.
  for (const char* line :
       {"7  clone(0) = -1 EAGAIN (Resource temporarily unavailable)\n", "7  execve(\"/a\", [], 0x7f) = -1\n",
        "7  execve(\"/a\", [], 0x7f) = -1 ENOENT\n", "7  execve(\"/a\", [], 0x7f) = -1 ENOENT (<a>)\n",
        "7  execve(\"/a\", [], 0x7f) = -1 ENOENT (a) b\n", "7  execve(\"/a\", [], 0x7f) = -1 Enoent (a)\n",
        "7  <... execve resumed>) = -1 ENOENT (a)\n", "8  execve(\"/a\", [], 0x7f) = -1 ENOENT (a)\n"}) {
    CAPTURE(line);
    const tracefp::Told result = told(line);
    CHECK(result.lines == 0);
    CHECK(result.facts.kind == FactKind::kNone);
    CHECK(threads[7].calls == 4);
  }
  for (const char* line :
       {"7  set_tid_address(0x7f) = 8\n", "7  set_tid_address(0x7f) = ?\n",
        "7  rt_sigaction(SIGINT, {sa_handler=SIG_DFL}, NULL, 8) = 0\n",
        "7  rt_sigaction(SIGINT, NULL, <unfinished ...>\n", "7  rt_sigaction(, NULL, 8) = 0\n", "7  clone(0) = 7\n"}) {
    CAPTURE(line);
    const tracefp::Told result = told(line);
    CHECK(result.until == ToldUntil::kLine);
    CHECK((result.facts.flags & kFactOfJudged) != 0);
    CHECK(result.lines == 0);
  }
  CHECK(told("8  clone(0) = 7\n").facts.flags == 0);
}
