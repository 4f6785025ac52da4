// What the arguments of clone, execve and rt_sigaction say, for the forms that nearly all lines have. What is taken
// here, src/source/log/strace-args.ts and strace-image.ts take too, and for the same; not the other way round. Strings
// in a line were chosen by the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "log/facts.h"

namespace tracefp {

// From where they begin to the end of the line.
std::string_view arguments_in(const LineFacts& facts, const uint8_t* line);

// Whether clone, with these, makes a child that shares nothing of which the reader would have to know.
bool is_plain_clone(std::string_view arguments);

// Of a call of execve, up to the environment; empty: it is not to be found.
std::string_view exec_arguments(const LineFacts& facts, const uint8_t* line);

// What happens to one signal below 32 from here on.
struct SignalAction {
  uint32_t bit = 0;  // of the signal; 0: nothing is set
  bool is_caught = false;
};

// What rt_sigaction sets; nothing: that is for the reader to say.
std::optional<SignalAction> signal_action_in(std::string_view arguments);

}  // namespace tracefp
