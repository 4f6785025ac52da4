// How native functions report trouble: which operation failed, with which errno. kOk and kGone are outcomes, not
// trouble.
#pragma once

namespace tracefp {

struct [[nodiscard]] Status {
  const char* op = nullptr;  // static string; null = no failure
  int error = 0;             // errno
  bool ok() const { return op == nullptr; }
};

// A tracee can die at any moment, so "gone" is an ordinary answer of every ptrace operation.
enum class [[nodiscard]] Outcome{kOk, kGone, kFailed};

}  // namespace tracefp
