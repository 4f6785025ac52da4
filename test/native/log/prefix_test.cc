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

Prefix with_time(TimeForm time) { return {PidForm::kBare, time, false, false, false}; }

}  // namespace

TEST_CASE("pids of a file are padded to five characters, those on a terminal stand in brackets") {
  const Prefix bare{PidForm::kBare, TimeForm::kNone, false, false, false};
  CHECK(after(bare, "5860  brk(NULL) = 0") == Found{5860, "brk(NULL) = 0"});
  CHECK(after(bare, "1     brk(NULL) = 0") == Found{1, "brk(NULL) = 0"});
  CHECK(after(bare, "4194303 brk(NULL) = 0") == Found{4194303, "brk(NULL) = 0"});
  for (const char* line : {"brk(NULL) = 0", "0 brk()", "012 brk()", "5860brk()", "12345678 brk()", "-5 brk()", ""})
    CHECK(after(bare, line) == std::nullopt);

  const Prefix bracket{PidForm::kBracket, TimeForm::kNone, false, false, false};
  CHECK(after(bracket, "[pid  5925] read(3, ") == Found{5925, "read(3, "});
  CHECK(after(bracket, "[pid 4194303] read(3, ") == Found{4194303, "read(3, "});
  CHECK(after(bracket, "read(3, ") == Found{0, "read(3, "});
  for (const char* line :
       {"[pid  5925]read(3, ", "[pid5925] read(", "[ Process PID=5 runs in 32 bit mode. ]", "[pid ] x("})
    CHECK(after(bracket, line) == std::nullopt);
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
      const auto found = after({PidForm::kNone, TimeForm::kClock, false, false, false}, line + "x(");
      CHECK((found != std::nullopt) == (is_due || (at == 8 && byte == ' ')));
    }
  }
}

TEST_CASE("relative time, number and instruction pointer come in this order") {
  CHECK(after({PidForm::kBare, TimeForm::kNone, true, false, false}, "5965       0.000170 brk(") ==
        Found{5965, "brk("});
  CHECK(after({PidForm::kBare, TimeForm::kClock, true, false, false}, "5995  03:12:48.725427 (+     0.000251) brk(") ==
        Found{5995, "brk("});
  CHECK(after({PidForm::kBare, TimeForm::kClock, true, false, false}, "5995  03:12:48.725427      0.000251 brk(") ==
        std::nullopt);
  CHECK(after({PidForm::kBare, TimeForm::kNone, false, true, false}, "6049  [  59] execve(") == Found{6049, "execve("});
  for (const char* pointer : {"[00007f43c6a21ad7]", "[????????????????]"})
    CHECK(after({PidForm::kBare, TimeForm::kNone, false, false, true}, "6022  " + std::string(pointer) + " brk(") ==
          Found{6022, "brk("});
  CHECK(after({PidForm::kBare, TimeForm::kClock, true, true, true}, "1     03:12:48 (+ 0) [ 12] [????????] brk(") ==
        Found{1, "brk("});
  CHECK(after({PidForm::kBare, TimeForm::kNone, false, false, true}, "6022  [00007F43] brk(") == std::nullopt);
  CHECK(after({PidForm::kBare, TimeForm::kNone, false, false, true}, "6022  [] brk(") == std::nullopt);
}

TEST_CASE("no prefix reaches past what must be readable") {
  const std::string longest = "4194303" + std::string(13, ' ') + "123456789012.123456789 (+" + std::string(12, ' ') +
                              "123456789.123456789) [" + std::string(12, ' ') + "123456789] [0123456789abcdef] ";
  const auto found = after({PidForm::kBare, TimeForm::kEpoch, true, true, true}, longest + "x(");
  CHECK(found == Found{4194303, "x("});
  // The longest name and what is read behind it.
  CHECK(longest.size() + 5 + 32 + 8 <= kHeadBytes);
}
