// A line that may mean more than a call, as numbers: what src/source/log would read in its text, which need not be made
// then. What is not surely the same there is none of. What a line means is not known here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/line.h"

namespace tracefp {

// As words it crosses the wall: src/addon/log-scanner.ts.
enum class FactKind : uint32_t {
  kNone = 0,        // read it yourself
  kCall = 1,        // `name(... = value`, the value known or `?`
  kUnfinished = 2,  // `name(... <unfinished ...>`
  kReturn = 3,      // `<... name resumed>... = value`
  kSignal = 4,      // `--- SIGNAME {...} ---`
  kExited = 5,      // `+++ exited with 1 +++`
};

constexpr uint32_t kFactOfUnknown = 1;  // the value is `?`
constexpr uint32_t kFactOfJudged = 2;   // the call was judged by the teller, and is allowed
constexpr uint32_t kFactOfFailed =
    4;  // `-1 ENOENT (...)`: known to the teller only, the reader reads such a line itself

struct LineFacts {
  FactKind kind = FactKind::kNone;
  uint32_t tid = 0;        // 0: the line says none
  uint32_t word = 0;       // of the name or signal: its number in programs + 1; kExited: none
  uint32_t arguments = 0;  // where they, or their rest, begin, from the beginning of the line
  uint32_t length = 0;     // of the line without its line feed
  uint32_t flags = 0;      // kFactOfUnknown ...
  double value = 0;        // or what it exited with
};
static_assert(sizeof(LineFacts) == 32);

// Whether the line enters a call.
inline bool is_entered(const LineFacts& facts) {
  return facts.kind == FactKind::kCall || facts.kind == FactKind::kUnfinished;
}

// Whether `value` is what its call returned.
inline bool has_value(const LineFacts& facts) {
  const bool has_ended = facts.kind == FactKind::kCall || facts.kind == FactKind::kReturn;
  return has_ended && (facts.flags & (kFactOfUnknown | kFactOfFailed)) == 0;
}

inline bool has_failed(const LineFacts& facts) { return (facts.flags & kFactOfFailed) != 0; }

// The line [begin, end), without its line feed, which is readable; from `begin` on `left` bytes are.
LineFacts facts_of(const LogForm& form, const uint8_t* begin, const uint8_t* end, size_t left);

}  // namespace tracefp
