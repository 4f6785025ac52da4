#include "log/scanner.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace tracefp;

namespace {

const Prefix kBarePid{PidForm::kBare, TimeForm::kNone, false, false, false};
const std::map<std::string, int32_t> kCalls = {{"read", 0}, {"write", 1}, {"close", 3}, {"set_robust_list", 273}};
const std::map<std::string, int32_t> kInteresting = {{"execve", 59}, {"clone", 56}, {"rt_sigreturn", 15}};

// Scans as the reader in TypeScript does, and writes down what comes out: `2 5910 read` for a call, `2 |text` for a
// line.
class Reader {
 public:
  explicit Reader(const Prefix& prefix = kBarePid, Simd simd = best_simd(), size_t capacity = 64)
      : scanner_(simd), entries_(capacity) {
    scanner_.set_prefix(prefix);
    for (const auto& [name, nr] : kCalls) add(name, nr, NameKind::kOrdinary);
    for (const auto& [name, nr] : kInteresting) add(name, nr, NameKind::kInteresting);
  }

  void write(const std::string& bytes) {
    pending_ += bytes;
    // Exactly as large as what is scanned, so that a sanitizer sees reads past its end.
    std::vector<uint8_t> data(pending_.begin(), pending_.end());
    size_t at = 0;
    for (bool is_done = false; !is_done;) {
      const ScanResult result = scanner_.scan(data.data() + at, data.size() - at, entries_.data(), entries_.size());
      for (size_t i = 0; i < result.entries; i++) take(entries_[i], data.data() + at);
      at += result.consumed;
      lines += result.lines;
      is_done = result.is_done;
      scans++;
    }
    pending_.erase(0, at);
  }

  void add(const std::string& name, int32_t nr, NameKind kind, uint8_t mode = 0, uint8_t abi = 1) {
    scanner_.add_name(mode, name.data(), name.size(), {nr, abi, kind});
    names_[{abi, nr}] = name;
  }

  LogScanner& scanner() { return scanner_; }

  std::vector<std::string> told;
  uint32_t lines = 0;
  size_t scans = 0;

 private:
  void take(const LogEntry& entry, const uint8_t* data) {
    const uint32_t number = lines + (entry.line_and_abi & 0xffffff) + 1;
    const uint32_t abi = entry.line_and_abi >> 24;
    if (abi == kLineEntry) {
      told.push_back(std::to_string(number) + " |" +
                     std::string(data + entry.offset, data + entry.offset + entry.tid_or_length));
      CHECK(data[entry.offset + entry.tid_or_length] == '\n');
    } else {
      told.push_back(std::to_string(number) + " " + std::to_string(entry.tid_or_length) + " " +
                     names_.at({static_cast<uint8_t>(abi), entry.nr}));
      CHECK((entry.offset == 0 || data[entry.offset - 1] == '\n'));
    }
  }

  LogScanner scanner_;
  std::vector<LogEntry> entries_;
  std::map<std::pair<uint8_t, int32_t>, std::string> names_;
  std::string pending_;
};

std::vector<std::string> told_of(const std::string& log, const Prefix& prefix = kBarePid) {
  Reader reader(prefix);
  reader.write(log);
  return reader.told;
}

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("the first call of a thread is handed on as a line, the ones after it are records") {
  CHECK(told_of(
            "7     read(3, \"\", 1) = 0\n7     close(3)      = 0\n8     close(3) = 0\n7     read(3, \"\", 1) = 0\n") ==
        Told{"1 |7     read(3, \"\", 1) = 0", "2 7 close", "3 |8     close(3) = 0", "4 7 read"});
}

TEST_CASE("results of every kind make records") {
  for (const char* line : {"read(3, \"a\", 1) = 1", "read(3, 0x7f, 1) = -1 EAGAIN (Resource temporarily unavailable)",
                           "read(3,  <unfinished ...>", "read(3, \"a\", 1)     = 1 <0.000109>",
                           "read(3</etc/passwd>, \"\", 1) = 0x7f5a79a5d00d", "read(3) = 3</etc/hosts>",
                           "read(3, \"is it? = no\", 1) = 1 (INJECTED)", "set_robust_list(0x7f, 24) = 0"}) {
    const Told told = told_of(std::string("7     close(3) = 0\n7     ") + line + "\n");
    REQUIRE(told.size() == 2);
    CHECK(told[1].substr(0, 4) == "2 7 ");
  }
}

TEST_CASE("what is more than a call is handed on, and so is the next call of its thread") {
  for (const char* line :
       {"read(3, \"\", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", "read(3, \"\", 1) = ?",
        "execve(\"/bin/true\", [\"true\"], 0x7f /* 3 vars */) = 0", "--- SIGALRM {si_signo=SIGALRM} ---",
        "<... clone resumed>) = 8", "<... read resumed>) = ? ERESTARTSYS (To be restarted)",
        "<... nobody resumed>) = 1", "<... ??? resumed>) = ?", "<... read resumed) = 5", "<... read  resumed>) = 5"}) {
    const std::string start = "7     close(3) = 0\n8     close(3) = 0\n7     ";
    CHECK(told_of(start + line + "\n8     close(4) = 0\n7     close(4) = 0\n7     close(5) = 0\n") ==
          Told{"1 |7     close(3) = 0", "2 |8     close(3) = 0", std::string("3 |7     ") + line, "4 8 close",
               "5 |7     close(4) = 0", "6 7 close"});
  }
}

TEST_CASE("after a line that no thread can be told of, the next call of every thread is handed on") {
  for (const char* line :
       {"strace: Process 9 attached", "", " <unfinished ...>", ", child_tidptr=0x7f5a7986ea10) = 5929", "7     ?",
        "7     read(5, strace: Process 9 attached", "[ Process PID=7 runs in 32 bit mode. ]",
        " > /usr/lib/libc.so.6(read+0x1) [0x1]", "7     read(3", "7     = 5", "\xff\xfe\x00 = 1"}) {
    CHECK(told_of(std::string("7     close(3) = 0\n8     close(3) = 0\n") + line +
                  "\n8     close(4) = 0\n7     close(4) = 0\n7     close(5) = 0\n") ==
          Told{"1 |7     close(3) = 0", "2 |8     close(3) = 0", std::string("3 |") + line, "4 |8     close(4) = 0",
               "5 |7     close(4) = 0", "6 7 close"});
  }
}

TEST_CASE("the return of an ordinary call is a line that is counted and told to nobody") {
  Reader reader;
  reader.write(
      "7     close(3) = 0\n7     read(3,  <unfinished ...>\n7     <... read resumed>\"a\", 1) = 1\n7     close(3) = "
      "0\n");
  CHECK(reader.told == Told{"1 |7     close(3) = 0", "2 7 read", "4 7 close"});
  CHECK(reader.lines == 4);
}

TEST_CASE("while something is pending for a thread its returns are handed on too") {
  CHECK(told_of("7     close(3) = 0\n7     --- SIGALRM {} ---\n7     <... read resumed>) = 1\n7     close(4) = 0\n") ==
        Told{"1 |7     close(3) = 0", "2 |7     --- SIGALRM {} ---", "3 |7     <... read resumed>) = 1",
             "4 |7     close(4) = 0"});
}

TEST_CASE("a new name ends the scan with its line, so that it can be added") {
  Reader reader;
  reader.write("7     close(3) = 0\n7     getpid() = 7\n7     getpid() = 7\n");
  CHECK(reader.scans == 3);
  reader.add("getpid", 39, NameKind::kOrdinary);
  reader.write("7     getpid() = 7\n7     getpid() = 7\n");
  CHECK(reader.scans == 4);
  CHECK(reader.told == Told{"1 |7     close(3) = 0", "2 |7     getpid() = 7", "3 |7     getpid() = 7",
                            "4 |7     getpid() = 7", "5 7 getpid"});
}

TEST_CASE("a thread of another mode has names of its own, and each line that is handed on ends a scan") {
  Reader reader;
  reader.add("read", 3, NameKind::kOrdinary, 1, 2);
  reader.add("gone", 4, NameKind::kOrdinary, 1, 2);
  reader.write("7     read(3) = 1\n8     read(3) = 1\n");
  reader.scanner().set_mode(8, 1);
  const size_t scans = reader.scans;
  reader.write(
      "7     read(3) = 1\n8     read(3) = 1\n8     gone(3) = 1\n7     --- SIGALRM {} ---\n7     read(3) = 1\n");
  CHECK(reader.told == Told{"1 |7     read(3) = 1", "2 |8     read(3) = 1", "3 7 read", "4 |8     read(3) = 1",
                            "5 8 gone", "6 |7     --- SIGALRM {} ---", "7 |7     read(3) = 1"});
  CHECK(reader.scans == scans + 4);
  reader.scanner().set_mode(8, 0);
  reader.write("8     read(3) = 1\n8     read(3) = 1\n");
  CHECK(reader.told.back() == "9 8 read");
}

TEST_CASE("on a terminal, each change between lines with a pid and lines without makes all threads be handed on once") {
  const Prefix bracket{PidForm::kBracket, TimeForm::kNone, false, false, false};
  CHECK(told_of(
            "close(3) = 0\nclose(4) = 0\n[pid     7] close(5) = 0\n[pid     8] close(6) = 0\n[pid     7] close(7) = 0\n"
            "close(8) = 0\nclose(9) = 0\n[pid     7] close(10) = 0\n",
            bracket) == Told{"1 |close(3) = 0", "2 0 close", "3 |[pid     7] close(5) = 0",
                             "4 |[pid     8] close(6) = 0", "5 7 close", "6 |close(8) = 0", "7 0 close",
                             "8 |[pid     7] close(10) = 0"});
}

TEST_CASE("before the prefix is known every line is handed on") {
  LogScanner scanner(best_simd());
  const std::string log = "7     close(3) = 0\n7     close(3) = 0\n";
  LogEntry entries[4];
  scanner.add_name(0, "close", 5, {3, 1, NameKind::kOrdinary});
  const ScanResult result = scanner.scan(reinterpret_cast<const uint8_t*>(log.data()), log.size(), entries, 4);
  CHECK(result.entries == 2);
  CHECK((entries[1].line_and_abi >> 24) == kLineEntry);
}

TEST_CASE("long lines are handed on, whatever they hold") {
  const std::string argument(kLongLineBytes, 'x');
  const Told told = told_of("7     close(3) = 0\n7     read(3, \"" + argument + "\", 1) = 1\n7     close(4) = 0\n");
  REQUIRE(told.size() == 3);
  CHECK(told[1].size() > kLongLineBytes);
  CHECK(told[2] == "3 |7     close(4) = 0");
}

TEST_CASE("an end without line feed is left for the next scan") {
  Reader reader;
  reader.write("7     close(3) = 0\n7     clo");
  CHECK(reader.told.size() == 1);
  reader.write("se(3) = 0");
  CHECK(reader.told.size() == 1);
  reader.write("\n");
  CHECK(reader.told == Told{"1 |7     close(3) = 0", "2 7 close"});
}

TEST_CASE("more threads than can be remembered cost lines, never records of a wrong kind") {
  std::string log;
  for (int round = 0; round < 3; round++)
    for (int tid = 1; tid <= 10'000; tid++) log += std::to_string(tid) + " close(" + std::to_string(tid) + ") = 0\n";
  Reader reader;
  reader.write(log);
  CHECK(reader.lines == 30'000);
  REQUIRE(reader.told.size() == 30'000);
  for (size_t i = 0; i < reader.told.size(); i++) {
    const std::string tid = std::to_string(i % 10'000 + 1);
    const std::string number = std::to_string(i + 1);
    const bool is_record = reader.told[i] == number + " " + tid + " close";
    CHECK((is_record || reader.told[i] == number + " |" + tid + " close(" + tid + ") = 0"));
    if (i < 10'000) CHECK_FALSE(is_record);
  }
}

TEST_CASE("cuts, the room for entries and the form of the masks change nothing") {
  const std::vector<std::string> pieces = {"7     ",
                                           "8     ",
                                           "[pid  9] ",
                                           "read(3, \"a\", 1) = 1",
                                           "close(3)  = 0",
                                           "execve(\"\") = 0",
                                           "<... read resumed>) = 1",
                                           "--- SIGALRM {} ---",
                                           "write(1,  <unfinished ...>",
                                           "read(0) = ? ERESTARTSYS (To be)",
                                           "\n",
                                           "\n",
                                           "\n",
                                           " = ?",
                                           "?",
                                           "(",
                                           "strace: Process 9 attached",
                                           "+++ exited with 0 +++",
                                           "no_such_name(1) = 2",
                                           std::string(70, ' '),
                                           "\xff",
                                           std::string(1, '\0')};
  std::mt19937 random(2);
  for (int round = 0; round < 300; round++) {
    std::string log;
    for (unsigned i = random() % 200; i > 0; i--) {
      // Mostly well-formed lines.
      if (random() % 4 != 0) {
        log += pieces[random() % 2] + pieces[3 + random() % 7] + "\n";
      } else {
        log += pieces[random() % pieces.size()];
      }
    }
    Reader whole(kBarePid, Simd::kPortable, 1000);
    whole.write(log);
    for (const Simd simd : {Simd::kPortable, Simd::kAvx2, Simd::kAvx512, Simd::kNeon}) {
      if (!can_run(simd)) continue;
      Reader cut(kBarePid, simd, 1 + random() % 5);
      for (size_t at = 0; at < log.size();) {
        const size_t size = 1 + random() % (random() % 2 == 0 ? 10 : 300);
        cut.write(log.substr(at, size));
        at += size;
      }
      CHECK(cut.told == whole.told);
      CHECK(cut.lines == whole.lines);
    }
  }
}
