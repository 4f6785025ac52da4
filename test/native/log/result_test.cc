#include "log/result.h"

#include <doctest/doctest.h>

#include <string>

using namespace tracefp;

namespace {

// The result of a line whose arguments begin behind its first `(`, with room before it as in any log with pids.
ResultKind result(const std::string& body) {
  const std::string line = "5860  " + body;
  const auto* const begin = reinterpret_cast<const uint8_t*>(line.c_str());
  const size_t sign = line.rfind("= ");
  const size_t open = line.find('(');
  return result_of(begin, begin + (open == std::string::npos ? 0 : open + 1), begin + line.size(),
                   sign == std::string::npos ? nullptr : begin + sign);
}

}  // namespace

TEST_CASE("values with all that strace writes behind them are values") {
  for (const char* body : {"close(3) = 0",
                           "close(3)                                = 0",
                           "getpid() = 5860",
                           "brk(NULL) = 0x55f470d92000",
                           "access(\"/etc\", R_OK) = -1 ENOENT (No such file or directory)",
                           "umask(022) = 022",
                           "poll([{fd=3}], 1, 0) = 0 (Timeout)",
                           "fcntl(3, F_GETFL) = 0x8402 (flags O_RDWR|O_APPEND)",
                           "close(3) = 0 <0.000109>",
                           "close(3) = 0 <10.000109123>",
                           "close(3) = 0 <1.0>",
                           "access(\"/etc\", R_OK) = -1 ENOENT (No such file or directory) <0.000005>",
                           "openat(3, \"x\", 0) = 3</etc/hosts>",
                           "openat(3, \"x\", 0) = 3</etc/hosts> <0.000012>",
                           "poll([{fd=3}], 1, 0) = 1 ([{fd=3, revents=POLLIN}])",
                           "close(3) = 0 (INJECTED)",
                           "ioctl(3) = -1 (errno 5)",
                           "write(1, \") = 7\", 5) = 5",
                           "write(1, \"= \", 2) = 2",
                           "getppid() = 2 /* 6402 in strace's PID NS */"}) {
    CAPTURE(std::string(body));
    CHECK(result(body) == ResultKind::kValue);
  }
}

TEST_CASE("a call that goes on elsewhere is unfinished") {
  CHECK(result("read(3,  <unfinished ...>") == ResultKind::kUnfinished);
  CHECK(result("getpid( <unfinished ...>") == ResultKind::kUnfinished);
  CHECK(result("write(1, \") = 5\", <unfinished ...>") == ResultKind::kUnfinished);
}

TEST_CASE("whatever is not surely one of these is left to others") {
  for (const char* body : {"read(3) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
                           "read(3) = -1 ERESTARTSYS (To be restarted)",
                           "exit_group(0) = ?",
                           "read(3) = ? <unavailable>",
                           "read(3) = 1 <unavailable>",
                           "read(3, <detached ...>",
                           "read(3) = 3<detached ...>",
                           "wait4(5876, strace: Process 5876 attached",
                           "read(3, \"abc",
                           "read(3",
                           "read(",
                           "read(3)= 5",
                           "read(3) =5",
                           "read(3) = ",
                           "read(3) = -",
                           "read(3) = 0x",
                           "read(3) = 0xg",
                           "read(3) = 5x",
                           "read(3) = 0x5fg",
                           "read(3) = -0x5",
                           "read(3) = 5<a",
                           "read(3) = 5<a<b>>",
                           "read(3) = 5 a > b",
                           "read(3) = 5 \x1b[0m",
                           "read(3) = 5 a\rb",
                           "read(3) = 5<0.1>x",
                           "read(3 = 5",

                           "= 5",
                           "read(= 5",
                           "read( = 5",
                           "read(3)\t= 5",
                           "read(3) = 5 <x.000109>",
                           "read(3) = 5 <.000109>",
                           "read(3) = 5 <0.>",
                           "read(3) = 5<0.000109> <0.000109> x",
                           "read(3) = 5 <",
                           "close(3) = 0 <<unfinished ...>x"}) {
    CAPTURE(std::string(body));
    CHECK(result(body) == ResultKind::kOther);
  }
}
