#include "stop/tracee.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace tracefp;

namespace {

constexpr uint64_t kIp = 0x401002;
constexpr int kRead = 0;
constexpr int kNanosleep = 35;
constexpr int kRestartSyscall = 219;
constexpr int kRtSigreturn = 15;

Entry at(int nr, uint64_t ip = kIp) { return {{Abi::kX86_64, nr}, ip}; }

bool enters_again(Tracee& tracee, const Entry& entry) { return enter(tracee, entry).is_restart; }

}  // namespace

TEST_CASE("two calls from one place are two calls") {
  Tracee tracee;
  CHECK_FALSE(enters_again(tracee, at(kRead)));
  CHECK_FALSE(enters_again(tracee, at(kRead)));
}

TEST_CASE("a signal without a handler that interrupts a call makes its repetition a restart, once") {
  Tracee tracee;
  (void)enter(tracee, at(kRead));
  interrupt(tracee, true);
  CHECK(enters_again(tracee, at(kRead)));
  CHECK_FALSE(enters_again(tracee, at(kRead)));
}

TEST_CASE("a signal that interrupts no call changes nothing") {
  Tracee tracee;
  (void)enter(tracee, at(kRead));
  interrupt(tracee, false);
  CHECK_FALSE(enters_again(tracee, at(kRead)));
}

TEST_CASE("a second stop that shows no interrupted call does not take back the first one") {
  Tracee tracee;
  (void)enter(tracee, at(kRead));
  interrupt(tracee, true);
  interrupt(tracee, false);
  CHECK(enters_again(tracee, at(kRead)));
}

TEST_CASE("another number, address or ABI is no restart") {
  for (const Entry& other : {at(1), at(kRead, kIp + 8), Entry{{Abi::kI386, kRead}, kIp}}) {
    Tracee tracee;
    (void)enter(tracee, at(kRead));
    interrupt(tracee, true);
    CHECK_FALSE(enters_again(tracee, other));
  }
}

TEST_CASE("restart_syscall goes on with the call at the same address, as often as it comes") {
  Tracee tracee;
  (void)enter(tracee, at(kNanosleep));
  interrupt(tracee, true);
  CHECK(enters_again(tracee, at(kRestartSyscall)));
  interrupt(tracee, true);
  CHECK(enters_again(tracee, at(kRestartSyscall)));
  CHECK(tracee.last.call.nr == kNanosleep);
}

TEST_CASE("a restart_syscall that the program itself makes elsewhere is a call") {
  Tracee tracee;
  (void)enter(tracee, at(kNanosleep));
  CHECK_FALSE(enters_again(tracee, at(kRestartSyscall, kIp + 100)));
}

TEST_CASE("SA_RESTART: the handler returns onto the instruction, so the call is repeated") {
  Tracee tracee;
  (void)enter(tracee, at(kRead));
  push_frame(tracee, true);
  CHECK_FALSE(enters_again(tracee, at(39, 0x500000)));
  CHECK(enter(tracee, at(kRtSigreturn, 0x500100)).awaited == Awaited::kSigreturn);
  pop_frame(tracee, kIp - kSyscallInsnBytes);
  CHECK(enters_again(tracee, at(kRead)));
}

TEST_CASE("EINTR: the handler returns after the instruction, so the next call is the program's own") {
  Tracee tracee;
  (void)enter(tracee, at(kRead));
  push_frame(tracee, true);
  (void)enter(tracee, at(kRtSigreturn, 0x500100));
  pop_frame(tracee, kIp);
  CHECK_FALSE(enters_again(tracee, at(kRead)));
}

TEST_CASE("a timer right before the syscall instruction is no restart, though its handler returns onto it") {
  Tracee tracee;
  (void)enter(tracee, at(kRead));
  push_frame(tracee, false);
  (void)enter(tracee, at(kRtSigreturn, 0x500100));
  pop_frame(tracee, kIp - kSyscallInsnBytes);
  CHECK_FALSE(enters_again(tracee, at(kRead)));
}

TEST_CASE("a second handler before the repeated call keeps it due") {
  Tracee tracee;
  (void)enter(tracee, at(kRead));
  push_frame(tracee, true);
  (void)enter(tracee, at(kRtSigreturn, 0x500100));
  pop_frame(tracee, kIp - kSyscallInsnBytes);
  push_frame(tracee, false);
  (void)enter(tracee, at(kRtSigreturn, 0x500100));
  pop_frame(tracee, kIp - kSyscallInsnBytes);
  CHECK(enters_again(tracee, at(kRead)));
}

TEST_CASE("frames are bounded: handlers left by siglongjmp do not pile up") {
  Tracee tracee;
  for (int i = 0; i < 10'000; i++) push_frame(tracee, false);
  CHECK(tracee.frames.size() == kMaxHandlerFrames);
  for (int i = 0; i < 20'000; i++) pop_frame(tracee, kIp);
  CHECK(tracee.frames.empty());
}

TEST_CASE("the return of every call of the clone family is wanted") {
  Tracee tracee;
  for (const int nr : {56, 57, 58, 435}) CHECK(enter(tracee, at(nr)).awaited == Awaited::kClone);
  CHECK(enter(tracee, at(59)).awaited == Awaited::kNothing);
}

TEST_CASE("a clone that returns to be repeated is one clone, with no stop in between") {
  Tracee tracee;
  (void)enter(tracee, at(56));
  return_from_clone(tracee, -513);
  CHECK(enters_again(tracee, at(56)));
  return_from_clone(tracee, -11);
  CHECK_FALSE(enters_again(tracee, at(56)));
}

TEST_CASE("number -1 is not taken for a call that an ABI does not have") {
  Tracee tracee;
  CHECK(enter(tracee, at(-1)).awaited == Awaited::kNothing);
}
