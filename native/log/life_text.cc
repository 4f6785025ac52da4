#include "log/life_text.h"

#include <algorithm>

#include "log/names.h"
#include "log/prefix.h"

namespace tracefp {

namespace {

using Text = std::string_view;

bool is_word_byte(char byte) { return is_name_byte(static_cast<uint8_t>(byte)); }

// `) = 0`, and what -T adds.
bool is_success(Text text) {
  if (!text.starts_with(")")) return false;
  text.remove_prefix(std::min(text.find_first_not_of(' ', 1), text.size()));
  if (!text.starts_with("= 0")) return false;
  text.remove_prefix(3);
  return text.empty() || (text.starts_with(" <") && text.find_first_not_of("0123456789.", 2) == text.size() - 1);
}

bool drop_back(Text* text, Text end) {
  if (!text->ends_with(end)) return false;
  text->remove_suffix(end.size());
  return true;
}

template <typename Is>
bool drop_back_of(Text* text, Is is) {
  const size_t before = text->size();
  while (!text->empty() && is(text->back())) text->remove_suffix(1);
  return text->size() < before;
}

}  // namespace

Text arguments_in(const LineFacts& facts, const uint8_t* line) {
  return {reinterpret_cast<const char*>(line) + facts.arguments, facts.length - facts.arguments};
}

// `clone(child_stack=NULL, flags=CLONE_...|SIGCHLD`; fork and vfork have no flags.
bool is_plain_fork(Text arguments) {
  constexpr Text kFlags = "flags=";
  const size_t at = arguments.find(kFlags);
  if (at == Text::npos) return arguments.starts_with(") ") || arguments.starts_with(" <unfinished ...>");
  if (at > 0 && is_word_byte(arguments[at - 1])) return false;
  Text flags = arguments.substr(at + kFlags.size());
  flags = flags.substr(0, flags.find_first_of(",} )"));
  for (const char byte : flags)
    if (byte != '|' && (!is_word_byte(byte) || is_digit(static_cast<uint8_t>(byte)))) return false;
  for (const Text shared : {"CLONE_THREAD", "SIGHAND", "CLONE_FILES", "CLONE_UNTRACED", "CLONE_NEWPID"})
    if (flags.find(shared) != Text::npos) return false;
  return !flags.empty();
}

// `"/bin/ls", ["ls"], 0x7ffd83542860 /* 35 vars */`. All that follows must be known: an argument may look like this.
Text exec_arguments(const LineFacts& facts, const uint8_t* line) {
  constexpr Text kBehind = " vars */";
  Text text = arguments_in(facts, line);
  const size_t at = text.rfind(kBehind);
  if (at == Text::npos) return {};
  const Text behind = text.substr(at + kBehind.size());
  if (behind != " <unfinished ...>" && !is_success(behind)) return {};
  text = text.substr(0, at);
  const auto is_decimal = [](char byte) { return is_digit(static_cast<uint8_t>(byte)); };
  const auto is_hex = [&](char byte) { return is_decimal(byte) || (byte >= 'a' && byte <= 'f'); };
  if (!drop_back_of(&text, is_decimal) || !drop_back(&text, " /* ") || !drop_back_of(&text, is_hex) ||
      !drop_back(&text, ", 0x"))
    return {};
  return text;
}

}  // namespace tracefp
