#include "log/prefix.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

using namespace tracefp;

namespace {

struct Found {
  uint32_t tid;
  std::string rest;
  bool operator==(const Found&) const = default;
};

// What is left of the line after its prefix; nothing when it has another form.
std::optional<Found> after(const Prefix& prefix, std::string_view line) {
  std::string readable(line);
  readable.resize(kHeadBytes);
  const auto* const bytes = reinterpret_cast<const uint8_t*>(readable.data());
  uint32_t tid = 0;
  const uint8_t* const at = skip_prefix(bytes, prefix, &tid);
  if (at == nullptr) return std::nullopt;
  return Found{tid, std::string(line.substr(static_cast<size_t>(at - bytes)))};
}

Prefix with_time(TimeForm time) { return {PidForm::kColumn, time, false, false}; }

}  // namespace

TEST_CASE("pids of a file are padded to five characters, those on a terminal stand in brackets") {
  const Prefix column{PidForm::kColumn, TimeForm::kNone, false, false};
  CHECK(after(column, "5860  brk(NULL) = 0") == Found{5860, "brk(NULL) = 0"});
  CHECK(after(column, "1     brk(NULL) = 0") == Found{1, "brk(NULL) = 0"});
  CHECK(after(column, "4194303 brk(NULL) = 0") == Found{4194303, "brk(NULL) = 0"});
  CHECK(after(column, "6324<a b> brk(NULL) = 0") == Found{6324, "brk(NULL) = 0"});
  for (const char* line : {"brk(NULL) = 0", "0 brk()", "012 brk()", "5860brk()", "4194305 brk()", "12345678 brk()",
                           "-5 brk()", "", "6324<a>brk()", "6324<a<b> brk()", "6324<a brk()"})
    CHECK(after(column, line) == std::nullopt);

  const Prefix bracket{PidForm::kBracket, TimeForm::kNone, false, false};
  CHECK(after(bracket, "[pid  5925] read(3, ") == Found{5925, "read(3, "});
  CHECK(after(bracket, "[pid 4194303] read(3, ") == Found{4194303, "read(3, "});
  CHECK(after(bracket, "read(3, ") == Found{0, "read(3, "});
  CHECK(after(bracket, "[pid  5925<demo>] read(3, ") == Found{5925, "read(3, "});
  // No pid, and no call either.
  CHECK(after(bracket, "[ Process PID=5 runs") == Found{0, "[ Process PID=5 runs"});
  for (const char* line : {"[pid  5925]read(3, ", "[pid ] x(", "[pid 0] x(", "[pid  5925<demo] x(", "5860  x("})
    CHECK(after(bracket, line) == std::nullopt);
}

TEST_CASE("a number that may be a pid is never taken for a time") {
  const Prefix epoch{PidForm::kBracket, TimeForm::kEpoch, false, false};
  CHECK(after(epoch, "1795403568.296479 brk(") == Found{0, "brk("});
  CHECK(after(epoch, "1795403568 brk(") == Found{0, "brk("});
  const Prefix delta{PidForm::kBracket, TimeForm::kNone, true, false};
  CHECK(after(delta, "     0.000205 brk(") == Found{0, "brk("});
  for (const char* line : {"5860 brk(", "4194305 brk(", "00001795403568 brk(", "5860<x> brk("}) {
    CHECK(after(epoch, line) == std::nullopt);
    CHECK(after(delta, line) == std::nullopt);
  }
}

TEST_CASE("times are taken in every precision, with digits and nothing else") {
  const Prefix clock = with_time(TimeForm::kClock);
  for (const char* time : {"03:12:48", "03:12:48.112", "03:12:48.112836", "03:12:48.112836214"})
    CHECK(after(clock, "5910  " + std::string(time) + " brk(") == Found{5910, "brk("});
  for (const char* time : {"3:12:48", "03:12:4", "03-12-48", "0a:12:48", "03:12:48.", "03:12:48.11a836",
                           "03:12:48,112836", "03:12:48.1128362140", "03:12:4:", "0/:12:48"})
    CHECK(after(clock, "5910  " + std::string(time) + " brk(") == std::nullopt);

  const Prefix epoch = with_time(TimeForm::kEpoch);
  for (const char* time : {"1795403568", "1795403568.296479", "1795403572.577886214"})
    CHECK(after(epoch, "5910  " + std::string(time) + " brk(") == Found{5910, "brk("});
  for (const char* time : {".296479", "1795403568.", "03:12:48", "1795403568x"})
    CHECK(after(epoch, "5910  " + std::string(time) + " brk(") == std::nullopt);
}

TEST_CASE("every character of a clock is looked at") {
  const std::string good = "03:12:48.112836 ";
  for (size_t at = 0; at < good.size(); at++) {
    for (int byte = 0; byte < 256; byte++) {
      std::string line = good;
      line[at] = static_cast<char>(byte);
      const bool is_digit = byte >= '0' && byte <= '9';
      const bool is_due = good[at] >= '0' && good[at] <= '9' ? is_digit || (byte == ' ' && at > 9) : line == good;
      // A shorter fraction ends earlier; what follows is no name then.
      const auto found = after({PidForm::kBracket, TimeForm::kClock, false, false}, line + "x(");
      CHECK((found != std::nullopt) == (is_due || (at == 8 && byte == ' ')));
    }
  }
}

TEST_CASE("relative time and instruction pointer come in this order, and a number of the call is left to others") {
  CHECK(after({PidForm::kColumn, TimeForm::kNone, true, false}, "5965       0.000170 brk(") == Found{5965, "brk("});
  CHECK(after({PidForm::kColumn, TimeForm::kClock, true, false}, "5995  03:12:48.725427 (+     0.000251) brk(") ==
        Found{5995, "brk("});
  CHECK(after({PidForm::kColumn, TimeForm::kClock, true, false}, "5995  03:12:48.725427      0.000251 brk(") ==
        std::nullopt);
  CHECK(after({PidForm::kColumn, TimeForm::kNone, false, true}, "6049  [  59] execve(") == std::nullopt);
  CHECK(after({PidForm::kColumn, TimeForm::kNone, false, true}, "6049  [  59] [00007f43c6a21ad7] execve(") ==
        std::nullopt);
  for (const char* pointer : {"[00007f43c6a21ad7]", "[????????????????]"})
    CHECK(after({PidForm::kColumn, TimeForm::kNone, false, true}, "6022  " + std::string(pointer) + " brk(") ==
          Found{6022, "brk("});
  CHECK(after({PidForm::kColumn, TimeForm::kClock, true, true}, "1     03:12:48 (+ 0) [????????] brk(") ==
        Found{1, "brk("});
  CHECK(after({PidForm::kColumn, TimeForm::kNone, false, true}, "6022  [00007F4321212121] brk(") == std::nullopt);
  for (const char* pointer : {"[]", "[0000]", "[00007f43c6a21ad7f]", "[????????????]", "[0000????]"})
    CHECK(after({PidForm::kColumn, TimeForm::kNone, false, true}, "6022  " + std::string(pointer) + " brk(") ==
          std::nullopt);
}

TEST_CASE("no prefix reaches past what must be readable") {
  const std::string padding(12, ' ');
  const std::string longest = "[pid " + padding + "4194303<" + std::string(32, 'c') + ">] 123456789012.123456789 (+" +
                              padding + "123456789.123456789) [0123456789abcdef] ";
  const Prefix all{PidForm::kBracket, TimeForm::kEpoch, true, true};
  CHECK(after(all, longest + "x(") == Found{4194303, "x("});
  // Behind it the longest name with what stands around it in a resumed call is looked at.
  CHECK(longest.size() + 5 + 32 + 8 <= kHeadBytes);
  for (const char* longer : {"[", "[pid ", "123456789012"})
    CHECK(after(all, std::string(longer) + std::string(300, longer[0] == '[' ? ' ' : '0')) == std::nullopt);
}
