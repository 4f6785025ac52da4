// What the arguments of clone and execve say, for the forms that nearly all lines have. What is taken here,
// src/source/log/strace-args.ts and strace-image.ts take too, and for the same; not the other way round. Strings in a
// line were chosen by the program.
#pragma once

#include <cstdint>
#include <string_view>

#include "log/facts.h"

namespace tracefp {

// From where they begin to the end of the line.
std::string_view arguments_in(const LineFacts& facts, const uint8_t* line);

// Whether a call of the clone family, with these, makes a child that shares nothing of which the reader would have to
// know.
bool is_plain_fork(std::string_view arguments);

// Of a call of execve, up to the environment; empty: it is not to be found.
std::string_view exec_arguments(const LineFacts& facts, const uint8_t* line);

}  // namespace tracefp
