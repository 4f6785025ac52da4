#include "log/facts.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "log/scanner.h"
#include "log/teller.h"
#include "plain_line.h"

using namespace tracefp;

namespace {

const std::vector<std::string> kWords = {"read", "execve", "clone", "rt_sigaction", "set_tid_address", "SIGCHLD"};

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

TEST_CASE("of what is not surely so nothing is said") {
  for (const char* line : {"7  open(\"a\") = 3",
                           "7  read(3) = 022",
                           "7  read(3) = -1 EBADF (Bad file descriptor)",
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
  teller.lives().set_meaning(3, Meaning::kAsks);
  teller.lives().set_meaning(4, Meaning::kOwnTid);
  // A table of one state that all may follow.
  std::vector<uint32_t> words((192 + 2048 + 192) / 4);
  words[0] = kTableMagic;
  words[1] = kTableVersion;
  words[2] = static_cast<uint32_t>(words.size() * 4);
  words[3] = 2;
  words[4] = words[5] = words[6] = 1;
  words[8] = 128;
  words[10] = 192;
  words[11] = 1;
  words[12] = words[14] = 192 + 2048;
  words[128 / 4] = 1;
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
  CHECK(threads[7].calls == 2);
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
