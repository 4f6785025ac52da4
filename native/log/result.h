// How a line of a call ends, for the forms that nearly all lines have: a value, or ` <unfinished ...>`. What is taken
// here, src/source/log/strace-result.ts takes too, and for the same; not the other way round. Strings in a line were
// chosen by the program, so the value is looked for from the end and read to the last byte.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/words.h"

namespace tracefp {

enum class ResultKind : uint8_t {
  kOther,  // no result at all, one that strace did not know, or a form that is rare
  kValue,
  kUnfinished,
};

// The line [begin, end), without its line feed, which must be readable; `equals` is the last of its equals signs that a
// space follows, or null when it has none near its end. `arguments` is where they begin.
ResultKind result_of(const uint8_t* begin, const uint8_t* arguments, const uint8_t* end, const uint8_t* equals);

// Whether it ends with `<unfinished ...>`.
bool is_unfinished(const uint8_t* begin, const uint8_t* end);

// `) = 0`, with any number of spaces; `equals` is the sign. The line has eight bytes before it.
bool is_behind_call(const uint8_t* arguments, const uint8_t* equals);

// -T: ` <0.000109>`. Where it begins; `end` when there is none. There is a byte before `end`.
const uint8_t* before_duration(const uint8_t* begin, const uint8_t* end);

}  // namespace tracefp
