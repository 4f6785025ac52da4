#include "log/scanner.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace tracefp;

namespace {

const Prefix kColumn{PidForm::kColumn, TimeForm::kNone, false, false};
const std::vector<std::string> kNames = {"read", "write", "close", "set_robust_list", "sched_rr_get_interval_time64"};

// Scans as the reader in TypeScript does, and writes down what comes out: `2 7 close` for a call, `2 7 close..` for one
// that is unfinished, `2 7 ..close` for its return, `2 |text` for a line.
class Reader {
 public:
  explicit Reader(const Prefix& prefix = kColumn, Simd simd = best_simd(), size_t capacity = 64)
      : scanner_(simd), entries_(capacity) {
    scanner_.set_prefix(prefix);
    for (const std::string& name : kNames) add(name);
    for (const std::string name : {"execve", "clone", "rt_sigreturn"})
      scanner_.set_name(name.data(), name.size(), kSpecialName);
  }

  void write(const std::string& bytes) {
    pending_ += bytes;
    // Exactly as large as what is scanned, so that a sanitizer sees what is read past its end.
    std::vector<uint8_t> data(pending_.begin(), pending_.end());
    size_t at = 0;
    for (bool is_done = false; !is_done; scans++) {
      const ScanResult result = scanner_.scan(data.data() + at, data.size() - at, entries_.data(), entries_.size());
      CHECK(result.entries == result.lines);
      for (size_t i = 0; i < result.entries; i++) take(entries_[i], i, data.data() + at, data.size() - at);
      at += result.consumed;
      lines += result.lines;
      is_done = result.is_done;
    }
    pending_.erase(0, at);
  }

  void add(const std::string& name) {
    if (scanner_.set_name(name.data(), name.size(), static_cast<uint16_t>(names_.size()))) names_.push_back(name);
  }

  std::vector<std::string> told;
  uint32_t lines = 0;
  size_t scans = 0;

 private:
  void take(const LogEntry& entry, size_t index, const uint8_t* data, size_t size) {
    std::string text = std::to_string(lines + static_cast<uint32_t>(index) + 1);
    CHECK((entry.offset == 0 || data[entry.offset - 1] == '\n'));
    if (entry.kind == EntryKind::kLine) {
      const auto* const begin = reinterpret_cast<const char*>(data + entry.offset);
      text += " |";
      text.append(begin, static_cast<const char*>(memchr(begin, 0x0a, size - entry.offset)));
    } else {
      text += ' ';
      text += std::to_string(entry.tid);
      text += entry.kind == EntryKind::kReturn ? " .." : " ";
      text += names_.at(entry.name);
      if (entry.kind == EntryKind::kUnfinished) text += "..";
    }
    told.push_back(text);
  }

  LogScanner scanner_;
  std::vector<LogEntry> entries_;
  std::vector<std::string> names_;
  std::string pending_;
};

std::vector<std::string> told_of(const std::string& log, const Prefix& prefix = kColumn) {
  Reader reader(prefix);
  reader.write(log);
  return reader.told;
}

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("calls, calls that are unfinished and their returns are told with thread, name and number of the line") {
  CHECK(told_of("7     read(3, \"\", 1) = 0\n"
                "8     close(3)      = -1 EBADF (Bad file descriptor)\n"
                "7     write(1, \"a\\n\", 2 <unfinished ...>\n"
                "8     set_robust_list(0x7f7218c849a0, 24) = 0\n"
                "7     <... write resumed>) = 2\n"
                "8     sched_rr_get_interval_time64(0, 0x7f) = 0x7f5a79a5d00d\n"
                "8     <... set_robust_list resumed>) = 0\r\n") ==
        Told{"1 7 read", "2 8 close", "3 7 write..", "4 8 set_robust_list", "5 7 ..write",
             "6 8 sched_rr_get_interval_time64", "7 8 ..set_robust_list"});
}

TEST_CASE("whatever may mean more is handed on as a line") {
  for (const std::string line : {"7     read(3, \"\", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
                                 "7     read(3, \"\", 1) = ?",
                                 "7     execve(\"/bin/true\", [\"true\"], 0x7f /* 3 vars */) = 0",
                                 "7     --- SIGALRM {si_signo=SIGALRM} ---",
                                 "7     +++ exited with 0 +++",
                                 "7     <... clone resumed>) = 8",
                                 "7     <... read resumed>) = ? ERESTARTSYS (To be)",
                                 "7     <... nobody resumed>) = 1",
                                 "7     <... ??? resumed>) = ?",
                                 "7     <... read resumed) = 5",
                                 "7     <... read  resumed>) = 5",
                                 "7     <... read resumed> <unfinished ...>",
                                 "7     <.. read resumed>) = 5",
                                 "strace: Process 9 attached",
                                 "",
                                 " <unfinished ...>",
                                 ", child_tidptr=0x7f5a7986ea10) = 5929",
                                 "7     ?",
                                 "7     read(5, strace: Process 9 attached",
                                 "[ Process PID=7 runs in 32 bit mode. ]",
                                 " > /usr/lib/libc.so.6(read+0x1) [0x1]",
                                 "7     read(3",
                                 "7     = 5",
                                 "7     read",
                                 "read(3) = 1",
                                 "7  9  read(3) = 1",
                                 "7     (3) = 1",
                                 "7     <... ",
                                 "7     <...  resumed>) = 5",
                                 "7",
                                 "7 ",
                                 "\xff\xfe = 1",
                                 "7     read (3) = 1",
                                 "7     \x1b[1mread\x1b[0m(3) = 1",
                                 "7     xread(3) = 1 x(",
                                 "7     read(3) = 1 \x1b[0m"}) {
    CAPTURE(line);
    CHECK(told_of("8     close(3) = 0\n" + line + "\n8     close(4) = 0\n") ==
          Told{"1 8 close", "2 |" + line, "3 8 close"});
  }
}

TEST_CASE("a name that is not in the table ends the scan with its line, so that it can be added") {
  Reader reader;
  reader.write("7     getpid() = 7\n7     getpid() = 7\n7     <... getpid resumed>) = 7\n");
  CHECK(reader.scans == 3);
  reader.add("getpid");
  reader.write("7     getpid() = 7\n7     getpid() = 7\n");
  CHECK(reader.scans == 4);
  CHECK(reader.told == Told{"1 |7     getpid() = 7", "2 |7     getpid() = 7", "3 |7     <... getpid resumed>) = 7",
                            "4 7 getpid", "5 7 getpid"});
}

TEST_CASE("when the table is full, names that are not in it end no scan") {
  Reader reader;
  for (int i = 0; i < 3000; i++) reader.add("name" + std::to_string(i));
  reader.write("7     getpid() = 7\n7     getpid() = 7\n7     read(3) = 7\n");
  CHECK(reader.scans == 1);
  CHECK(reader.told.back() == "3 7 read");
}

TEST_CASE("on a terminal lines have a pid or none") {
  const Prefix bracket{PidForm::kBracket, TimeForm::kClock, false, false};
  CHECK(told_of(
            "03:12:48.206446 close(3) = 0\n[pid     7] 03:12:48.206446 close(5) = 0\n7  03:12:48.206446 close(5) = 0\n",
            bracket) == Told{"1 0 close", "2 7 close", "3 |7  03:12:48.206446 close(5) = 0"});
}

TEST_CASE("before the prefix is known every line is handed on") {
  LogScanner scanner(best_simd());
  const std::string log = "7     close(3) = 0\n7     close(3) = 0\n";
  LogEntry entries[4];
  scanner.set_name("close", 5, 0);
  const ScanResult result = scanner.scan(reinterpret_cast<const uint8_t*>(log.data()), log.size(), entries, 4);
  CHECK(result.entries == 2);
  CHECK(entries[0].kind == EntryKind::kLine);
  CHECK(entries[1].kind == EntryKind::kLine);
}

TEST_CASE("long lines are handed on, whatever they hold") {
  const auto log = [](size_t argument) {
    return "7     read(3, \"" + std::string(argument, 'x') + "\", 1) = 1\n7     close(4) = 0\n";
  };
  CHECK(told_of(log(60'000)) == Told{"1 7 read", "2 7 close"});
  const Told told = told_of(log(kLongLineBytes));
  REQUIRE(told.size() == 2);
  CHECK(told[0].substr(0, 13) == "1 |7     read");
  CHECK(told[1] == "2 7 close");
}

TEST_CASE("an end without line feed is left for the next scan") {
  Reader reader;
  reader.write("7     close(3) = 0\n7     clo");
  CHECK(reader.told.size() == 1);
  reader.write("se(3) = 0");
  CHECK(reader.told.size() == 1);
  reader.write("\n");
  CHECK(reader.told == Told{"1 7 close", "2 7 close"});
}

TEST_CASE("the result is found wherever the line lies among blocks and pieces") {
  // Lines of every length up to two blocks, so that each sign and each line feed comes to every place of a block.
  std::string log;
  Told expected;
  for (uint32_t line = 1; log.size() < 40'000; line++) {
    log += "7     read(\"= = \"" + std::string(line % 131, 'x') + ") = " + (line % 3 == 0 ? "?" : "0x7f0") + "\n";
    expected.push_back(std::to_string(line) + " 7 read");
  }
  const Told told = told_of(log);
  REQUIRE(told.size() == expected.size());
  for (size_t i = 0; i < told.size(); i++)
    CHECK((i % 3 == 2 ? told[i].find('|') != std::string::npos : told[i] == expected[i]));
}

TEST_CASE("nothing is read behind the last line, whatever it ends with") {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(pages != MAP_FAILED);
  uint8_t* const end = static_cast<uint8_t*>(pages) + page;
  REQUIRE(mprotect(end, page, PROT_NONE) == 0);
  for (const Simd simd : {Simd::kPortable, Simd::kSse2, Simd::kAvx2, Simd::kAvx512, Simd::kNeon}) {
    if (!can_run(simd)) continue;
    LogScanner scanner(simd);
    scanner.set_prefix(kColumn);
    scanner.set_name("read", 4, 0);
    for (size_t length = 0; length <= 70; length++) {
      std::string line = "6554  read(3, \"";
      line.append(150, 'a').append("\", 832) = 832");
      if (length > 0) line.append(1, ' ').append(length - 1, 'w');
      line += '\n';
      const std::string log = line + line + line;
      memcpy(end - log.size(), log.data(), log.size());
      LogEntry entries[4];
      const ScanResult result = scanner.scan(end - log.size(), log.size(), entries, std::size(entries));
      REQUIRE(result.entries == 3);
      for (size_t i = 0; i < 3; i++) CHECK(entries[i].kind == EntryKind::kCall);
    }
  }
  munmap(pages, 2 * page);
}

TEST_CASE("cuts, the room for entries and the form of the scanner change nothing") {
  const std::vector<std::string> prefixes = {"7     ", "8     ", "7     ", "8     ", "", "[pid  9] ", "7<a> "};
  const std::vector<std::string> bodies = {"read(3, \"a\", 1)  = 1",
                                           "close(3)  = 0",
                                           "execve(\"\") = 0",
                                           "<... read resumed>) = 1",
                                           "--- SIGALRM {} ---",
                                           "write(1,  <unfinished ...>",
                                           "read(0) = ? ERESTARTSYS (To be)",
                                           "read(= 5",
                                           "close(3) = 5 <0.000109>",
                                           "no_such_name(1) = 2",
                                           std::string(70, ' '),
                                           std::string("\0\xff", 2)};
  std::mt19937 random(2);
  for (int round = 0; round < 300; round++) {
    std::string log;
    for (unsigned i = random() % 200; i > 0; i--)
      log += prefixes[random() % prefixes.size()] + bodies[random() % bodies.size()] + "\n";
    for (unsigned i = random() % 10; i > 0 && !log.empty(); i--)
      log[random() % log.size()] = static_cast<char>(random() % 256);
    Reader whole(kColumn, Simd::kPortable, 1000);
    whole.write(log);
    for (const Simd simd : {Simd::kPortable, Simd::kSse2, Simd::kAvx2, Simd::kAvx512, Simd::kNeon}) {
      if (!can_run(simd)) continue;
      Reader cut(kColumn, simd, 1 + random() % 5);
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

TEST_CASE("every form says the same of long logs, line by line, whatever their lines begin and end with") {
  const std::vector<std::pair<Prefix, std::vector<std::string>>> logs = {
      {{PidForm::kColumn, TimeForm::kClock, false, false},
       {"7     03:12:48.112836 ", "4194304 03:12:48.112836 ", "4194305 03:12:48.112836 ", "123<a b> 13:12:48.000000 ",
        "07    03:12:48.112836 ", "17    03:12:48 ", "7     03:12:4x.112836 ", "1795403568.296479 "}},
      {{PidForm::kBracket, TimeForm::kEpoch, false, false},
       {"[pid  6324] 1795403568.296479 ", "1795403568.296479 ", "[pid 71] 1795403568.296479 ", "0795403568.296479 "}},
      {{PidForm::kColumn, TimeForm::kNone, true, true},
       {"7          0.000205 [00007f43c6a21ad7] ", "7          0.000205 [????????????????] ",
        "7      0.000205 [007f43ad] "}},
      {{PidForm::kBracket, TimeForm::kNone, false, false}, {"", "[pid 71] ", "[pid  0] ", "12 ", "12"}},
  };
  const std::vector<std::string> names = {
      "read",          "write", "close", "set_robust_list", "sched_rr_get_interval_time64", "execve",
      "not_yet_known", "a\0b",  "x"};
  const std::vector<std::string> ends = {"0",
                                         "12345678901234567890",
                                         "-1 ENOENT (No such file or directory)",
                                         "-1",
                                         "-",
                                         "0x7f43c6a21000",
                                         "0x",
                                         "-0x1",
                                         "0x7g",
                                         "1 (flags O_RDONLY)",
                                         "3</etc/hosts>",
                                         "3<a<b>",
                                         "1 <0.000109>",
                                         "-1 ENOENT (No) <0.000109>",
                                         "1 <12.000109>",
                                         "? <0.000109>",
                                         "1 <0.00010x>",
                                         "1  <0.000109>",
                                         "1<0.000109>",
                                         "-x1",
                                         "? ERESTARTSYS (To be restarted)",
                                         "-1 ERESTART",
                                         "-1 ERES",
                                         "?",
                                         "",
                                         "1\r",
                                         "1 a\r",
                                         "2 = 3",
                                         "2 =",
                                         "2 = <0.000109>",
                                         "1 \x1b[0m",
                                         "4 " + std::string(70, 'w')};
  std::mt19937 random(3);
  for (int round = 0; round < 400; round++) {
    const auto& [prefix, prefixes] = logs[random() % logs.size()];
    std::string log;
    for (unsigned i = 0; i < 60; i++) {
      log += prefixes[random() % 4 == 0 ? random() % prefixes.size() : 0];
      const std::string& name = names[random() % names.size()];
      const unsigned kind = random() % 8;
      log.append(kind == 0 ? "<... " : "").append(name);
      log.append(kind != 0 ? "(" : random() % 9 == 0 ? " resume>" : " resumed>");
      log.append(random() % 2 == 0 ? random() % 8 : random() % 150, random() % 5 == 0 ? '=' : 'y');
      if (kind == 1 || (kind == 0 && random() % 8 == 0)) {
        log.append(" <unfinished ...>");
      } else {
        log.append(random() % 9 == 0 ? "" : ")").append(random() % 4 == 0 ? random() % 90 : random() % 3, ' ');
        log.append(random() % 9 == 0 ? "=" : "= ").append(ends[random() % 2 == 0 ? 0 : random() % ends.size()]);
      }
      log += '\n';
      if (random() % 20 == 0) log[random() % log.size()] = static_cast<char>(random() % 256);
    }
    std::vector<std::string> expected;
    for (const Simd simd : {Simd::kPortable, Simd::kSse2, Simd::kAvx2, Simd::kAvx512, Simd::kNeon}) {
      if (!can_run(simd)) continue;
      CAPTURE(static_cast<int>(simd));
      Reader reader(prefix, simd, 1 + random() % 100);
      reader.write(log);
      if (simd == Simd::kPortable) expected = reader.told;
      CHECK(reader.told == expected);
    }
  }
}

TEST_CASE("the portable form runs everywhere, and the best one runs here") {
  CHECK(can_run(Simd::kPortable));
  CHECK(can_run(best_simd()));
}
