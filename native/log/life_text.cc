#include "log/life_text.h"

#include <algorithm>
#include <iterator>

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

bool drop_front(Text* text, Text begin) {
  if (!text->starts_with(begin)) return false;
  text->remove_prefix(begin.size());
  return true;
}

template <typename Is>
bool drop_back_of(Text* text, Is is) {
  const size_t before = text->size();
  while (!text->empty() && is(text->back())) text->remove_suffix(1);
  return text->size() < before;
}

// As all ABIs of x86 and arm number them, from 1 on.
constexpr Text kSignals[] = {"SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",  "SIGTRAP",   "SIGABRT", "SIGBUS",
                             "SIGFPE",  "SIGKILL",   "SIGUSR1", "SIGSEGV", "SIGUSR2",   "SIGPIPE", "SIGALRM",
                             "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",   "SIGTSTP", "SIGTTIN",
                             "SIGTTOU", "SIGURG",    "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH",
                             "SIGIO",   "SIGPWR",    "SIGSYS"};

// `SIG_DFL`, `SIG_IGN`, `0x562c9f76ddc0`.
std::optional<bool> is_handler(Text word) {
  if (word == "SIG_DFL" || word == "SIG_IGN") return false;
  constexpr size_t kLeastDigits = 4;  // smaller numbers are no addresses: SIG_IGN is 1
  if (!drop_front(&word, "0x") || word.size() < kLeastDigits || word[0] == '0') return std::nullopt;
  const bool is_hex = word.find_first_not_of("0123456789abcdef") == Text::npos;
  return is_hex ? std::optional(true) : std::nullopt;
}

// `[]`, `[INT CHLD]`, `~[RTMIN RT_1]`
bool drop_mask(Text* text) {
  if (text->starts_with("~")) text->remove_prefix(1);
  if (!drop_front(text, "[")) return false;
  const size_t end = text->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ");
  text->remove_prefix(std::min(end, text->size()));
  return drop_front(text, "]");
}

// Flags that strace has words for, and none by which the handler runs only once.
bool are_usual_flags(Text flags) {
  if (flags == "0") return true;
  const bool are_words = !flags.empty() && flags.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_|") == Text::npos;
  return are_words && flags.find("SA_RESETHAND") == Text::npos && flags.find("SA_ONESHOT") == Text::npos;
}

}  // namespace

Text arguments_in(const LineFacts& facts, const uint8_t* line) {
  return {reinterpret_cast<const char*>(line) + facts.arguments, facts.length - facts.arguments};
}

// `clone(child_stack=NULL, flags=CLONE_...|SIGCHLD`. What follows up to a comma may have no flags either.
bool is_plain_clone(Text arguments) {
  constexpr Text kFlags = "flags=";
  const size_t at = arguments.find(kFlags);
  if (at == Text::npos || (at > 0 && is_word_byte(arguments[at - 1]))) return false;
  Text flags = arguments.substr(at + kFlags.size());
  flags = flags.substr(0, flags.find_first_of(",}"));
  const Text words = flags.substr(0, flags.find_first_of(" )"));
  const Text behind = flags.substr(words.size());
  if (behind.find('|') != Text::npos || behind.find("CLONE_") != Text::npos) return false;
  flags = words;
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

// `SIGINT, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=...}, ...`
std::optional<SignalAction> signal_action_in(Text text) {
  const Text name = text.substr(0, text.find(','));
  const Text* const found = std::find(std::begin(kSignals), std::end(kSignals), name);
  if (found == std::end(kSignals) || !drop_front(&text, name) || !drop_front(&text, ", ")) return std::nullopt;
  if (text.starts_with("NULL, ")) return SignalAction{};
  if (!drop_front(&text, "{sa_handler=") && !drop_front(&text, "{sa_sigaction=")) return std::nullopt;
  const Text handler = text.substr(0, text.find(','));
  const std::optional<bool> is_caught = is_handler(handler);
  text.remove_prefix(handler.size());
  if (!is_caught || !drop_front(&text, ", sa_mask=") || !drop_mask(&text) || !drop_front(&text, ", sa_flags="))
    return std::nullopt;
  const size_t flags_end = text.find_first_of(",}");
  if (flags_end == Text::npos || !are_usual_flags(text.substr(0, flags_end))) return std::nullopt;
  return SignalAction{uint32_t{2} << (found - std::begin(kSignals)), *is_caught};
}

}  // namespace tracefp
