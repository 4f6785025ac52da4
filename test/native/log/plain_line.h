// The twin of the scanner for tests: what src/source/log/strace-line.ts and strace-result.ts read in a line, written as
// plainly as they are and with nothing of native/log. The scanner need not say as much of a line, but never anything
// else.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace plain {

using Text = std::string_view;

enum class Kind { kOther, kCall, kUnfinished, kReturn };

struct Line {
  Kind kind = Kind::kOther;
  uint32_t tid = 0;
  std::string name;
  bool operator==(const Line&) const = default;
};

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_word(char c) { return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
inline char char_at(Text text, size_t at) { return at < text.size() ? text[at] : '\0'; }

template <typename Is>
size_t skip(Text text, size_t at, Is is) {
  while (at < text.size() && is(text[at])) at++;
  return at;
}

inline size_t skip_spaces(Text text, size_t at) {
  return skip(text, at, [](char c) { return c == ' '; });
}

inline bool starts(Text text, size_t at, Text with) { return at <= text.size() && text.substr(at).starts_with(with); }

inline std::string without_colours(Text text) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    if (starts(text, at, "\x1b[")) {
      const size_t end = skip(text, at + 2, [](char c) { return is_digit(c) || c == ';'; });
      if (char_at(text, end) == 'm' || char_at(text, end) == 'K') {
        at = end + 1;
        continue;
      }
    }
    plain += text[at++];
  }
  return plain;
}

inline double number_of(Text digits) {
  double number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

// Where the rest begins; 0: no pid.
inline size_t read_pid(Text text, uint32_t* tid) {
  *tid = 0;
  if (starts(text, 0, "[pid ")) {
    size_t at = skip_spaces(text, 5);
    const size_t start = at;
    at = skip(text, at, is_digit);
    if (at == start) return 0;
    const double number = number_of(text.substr(start, at - start));
    if (char_at(text, at) == '<') {
      at = skip(text, at + 1, [](char c) { return c != '<' && c != '>'; });
      if (char_at(text, at) != '>') return 0;
      at++;
    }
    if (char_at(text, at) != ']') return 0;
    *tid = number < 4294967296 ? static_cast<uint32_t>(number) : 0xffffffff;
    return at + (char_at(text, at + 1) == ' ' ? 2 : 1);
  }
  size_t at = skip(text, 0, is_digit);
  if (at == 0) return 0;
  const double number = number_of(text.substr(0, at));
  if (number > 4194304) return 0;
  if (char_at(text, at) == '<') {
    const size_t close = text.find('>', at);
    if (close == Text::npos || char_at(text, close + 1) != ' ') return 0;
    at = close + 1;
  } else if (char_at(text, at) != ' ') {
    return 0;
  }
  *tid = static_cast<uint32_t>(number);
  return skip_spaces(text, at);
}

// `123.456`; nullopt: no digits. A point without digits behind it is left.
inline std::optional<size_t> skip_decimal(Text text, size_t at) {
  const size_t end = skip(text, at, is_digit);
  if (end == at) return std::nullopt;
  if (char_at(text, end) != '.') return end;
  const size_t fraction = skip(text, end + 1, is_digit);
  return fraction == end + 1 ? end : fraction;
}

inline std::optional<size_t> skip_time(Text text, size_t at) {
  std::optional<size_t> end;
  if (starts(text, at, "(+")) {
    end = skip_decimal(text, skip_spaces(text, at + 2));
    if (!end || char_at(text, *end) != ')') return std::nullopt;
    end = *end + 1;
  } else {
    end = skip_decimal(text, skip_spaces(text, at));
    const auto two = [&](size_t place) { return is_digit(char_at(text, place)) && is_digit(char_at(text, place + 1)); };
    if ((!end || char_at(text, *end) != ' ') && two(at) && char_at(text, at + 2) == ':' && two(at + 3) &&
        char_at(text, at + 5) == ':' && two(at + 6)) {
      end = at + 8;
      if (char_at(text, *end) == '.') {
        const size_t fraction = skip(text, *end + 1, is_digit);
        if (fraction > *end + 1) end = fraction;
      }
    }
  }
  if (!end || char_at(text, *end) != ' ') return std::nullopt;
  return *end + 1;
}

inline std::optional<size_t> skip_bracket(Text text, size_t at) {
  const size_t close = text.find(']', at);
  if (close == Text::npos || char_at(text, close + 1) != ' ') return std::nullopt;
  const Text inner = text.substr(at + 1, close - at - 1);
  const Text number = inner.substr(skip_spaces(inner, 0));
  const bool is_number = !number.empty() && skip(number, 0, is_digit) == number.size() &&
                         (number.size() <= 7 || (number.size() == 20 && number.starts_with("1844674407")));
  const bool is_pointer = (inner.size() == 8 || inner.size() == 16) &&
                          (skip(inner, 0, is_hex) == inner.size() || inner == std::string(inner.size(), '?'));
  const size_t type = skip(inner, 0, [](char c) { return is_word(c) || c == '.' || c == '-'; });
  const bool is_context = type > 0 && char_at(inner, type) == ':' &&
                          skip(inner, type, [](char c) { return isspace(c) == 0 && c != '\xa0'; }) == inner.size();
  if (!is_number && !is_pointer && !is_context) return std::nullopt;
  return close + 2;
}

inline size_t skip_prefix(Text text, size_t at) {
  for (;;) {
    const char c = char_at(text, at);
    std::optional<size_t> end;
    if (is_digit(c) || c == ' ' || c == '(') {
      end = skip_time(text, at);
    } else if (c == '[') {
      end = skip_bracket(text, at);
    }
    if (!end) return at;
    at = *end;
  }
}

// ` <0.000109>` or ` <unavailable>` at the end.
inline Text without_duration(Text tail) {
  const size_t open = tail.rfind(" <");
  if (open == Text::npos || !tail.ends_with('>')) return tail;
  const Text inner = tail.substr(open + 2, tail.size() - open - 3);
  const size_t point = skip(inner, 0, is_digit);
  const bool is_duration = point > 0 && char_at(inner, point) == '.' && point + 1 < inner.size() &&
                           skip(inner, point + 1, is_digit) == inner.size();
  return is_duration || inner == "unavailable" ? tail.substr(0, open) : tail;
}

inline bool is_balanced(Text text) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '<' ? 1 : c == '>' ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth == 0;
}

enum class Value { kNone, kValue, kOfRestart };

inline Value read_value(Text whole) {
  const Text tail = without_duration(whole);
  size_t at = 0;
  if (char_at(tail, 0) == '?') {
    at = 1;
  } else if (starts(tail, 0, "0x") && is_hex(char_at(tail, 2))) {
    at = skip(tail, 2, is_hex);
  } else {
    const size_t digits = char_at(tail, 0) == '-' ? 1 : 0;
    at = skip(tail, digits, is_digit);
    if (at == digits) return Value::kNone;
  }
  const bool is_unknown = char_at(tail, 0) == '?';
  if (char_at(tail, at) == '<') {
    // One level of brackets within them.
    const auto no_bracket = [](char c) { return c != '<' && c != '>'; };
    size_t end = skip(tail, at + 1, no_bracket);
    if (char_at(tail, end) == '<') {
      end = skip(tail, end + 1, no_bracket);
      if (char_at(tail, end) != '>') return Value::kNone;
      end = skip(tail, end + 1, no_bracket);
    }
    if (char_at(tail, end) != '>') return Value::kNone;
    at = end + 1;
  }
  if (at == tail.size()) return is_unknown ? Value::kOfRestart : Value::kValue;
  if (tail[at] != ' ') return Value::kNone;
  const Text comment = tail.substr(at + 1);
  if (comment.find('\r') != Text::npos || !is_balanced(comment)) return Value::kNone;
  return is_unknown || comment.starts_with("ERESTART") ? Value::kOfRestart : Value::kValue;
}

inline Kind read_result(Text text, size_t from, Kind of_value) {
  for (const Text end : {"<unfinished ...>", "<detached ...>"})
    if (text.ends_with(end)) return of_value == Kind::kCall ? Kind::kUnfinished : Kind::kOther;
  for (size_t at = text.rfind("= "); at != Text::npos && at > from; at = text.rfind("= ", at - 1)) {
    size_t before = at - 1;
    while (before > from && text[before] == ' ') before--;
    if (before < from || before >= at - 1 || text[before] != ')') continue;
    const Value value = read_value(text.substr(at + 2));
    if (value == Value::kNone) continue;
    return value == Value::kValue ? of_value : Kind::kOther;
  }
  return Kind::kOther;
}

// Without its line feed.
inline Line read_line(Text bytes) {
  if (bytes.ends_with('\r')) bytes.remove_suffix(1);
  const std::string text = without_colours(bytes);
  Line line;
  if (text.empty() || starts(text, 0, " > ") || starts(text, 0, " | ")) return line;
  uint32_t tid;
  size_t at = read_pid(text, &tid);
  at = skip_prefix(text, at);
  const bool is_return = starts(text, at, "<... ");
  const size_t start = is_return ? at + 5 : at;
  const size_t end = skip(text, start, [](char c) { return is_word(c) || c == '?'; });
  if (end == start || (!is_return && is_digit(text[start]))) return line;
  const Text behind = is_return ? " resumed>" : "(";
  if (!starts(text, end, behind)) return line;
  line.kind = read_result(text, end + behind.size(), is_return ? Kind::kReturn : Kind::kCall);
  if (line.kind == Kind::kOther) return line;
  line.tid = tid;
  line.name = text.substr(start, end - start);
  return line;
}

// What the reader takes from a line beyond that it is a call: the twin of facts.h.
enum class FactOf { kNothing, kCall, kUnfinished, kReturn, kSignal, kExit };

struct Facts {
  FactOf of = FactOf::kNothing;
  uint32_t tid = 0;
  std::string name;
  size_t arguments = 0;
  bool is_unknown = false;
  bool has_failed = false;  // nothing else is said of such a line
  double value = 0;
};

inline double value_of(Text digits) {
  if (digits.starts_with("0x")) return strtod(std::string(digits).c_str(), nullptr);
  return number_of(digits);
}

// A value that is one number or `?`, and to the last byte; nothing otherwise.
inline std::optional<std::string> whole_value(Text text, size_t from) {
  for (size_t at = text.rfind("= "); at != Text::npos && at > from; at = text.rfind("= ", at - 1)) {
    size_t before = at - 1;
    while (before > from && text[before] == ' ') before--;
    if (before < from || before >= at - 1 || text[before] != ')') continue;
    if (read_value(text.substr(at + 2)) == Value::kNone) continue;
    const Text tail = without_duration(text.substr(at + 2));
    const size_t start = starts(tail, 0, "0x") ? 2 : 0;
    const bool is_whole = tail == "?" || (tail.size() > start && skip(tail, start, [&](char c) {
                                                                   return start == 2 ? is_hex(c) : is_digit(c);
                                                                 }) == tail.size());
    return is_whole ? std::optional<std::string>(tail) : std::nullopt;
  }
  return std::nullopt;
}

// `-1 ENOENT (No such file or directory)`
inline bool is_failure(Text text, size_t from) {
  const size_t at = text.rfind("= ");
  if (at == Text::npos || at <= from) return false;
  const size_t before = text.substr(0, at).find_last_not_of(' ');
  if (before == Text::npos || before < from || before >= at - 1 || text[before] != ')') return false;
  const Text tail = without_duration(text.substr(at + 2));
  const size_t end =
      skip(tail, std::min<size_t>(4, tail.size()), [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c); });
  return tail.starts_with("-1 E") && !tail.starts_with("-1 ERES") && starts(tail, end, " (") && tail.ends_with(")") &&
         tail.find_first_of("<>") == Text::npos;
}

// `--- SIGCHLD {...} ---` and `--- SIGCHLD (text) @ 0 (0) ---` of long ago.
inline bool is_signal(Text body, std::string* name) {
  if (!starts(body, 0, "--- SIG") || !body.ends_with(" ---")) return false;
  const size_t end = skip(body, 4, is_word);
  const Text details = body.substr(end, body.size() - end - std::min(body.size() - end, size_t{4}));
  *name = body.substr(4, end - 4);
  if (end == 7 || end + 4 > body.size() || body.find('\r') != Text::npos) return false;
  return details.empty() || (details.starts_with(" {") && details.ends_with("}") && details.size() > 2);
}

inline Facts read_facts(Text bytes) {
  if (bytes.ends_with('\r')) bytes.remove_suffix(1);
  const std::string text = without_colours(bytes);
  Facts facts;
  if (text.empty() || starts(text, 0, " > ") || starts(text, 0, " | ")) return facts;
  const size_t at = skip_prefix(text, read_pid(text, &facts.tid));
  const Text body = Text(text).substr(at);
  if (is_signal(body, &facts.name)) {
    facts.of = FactOf::kSignal;
  } else if (starts(body, 0, "+++ exited with ") && body.ends_with(" +++") && body.size() > 20 &&
             skip(body, 16, is_digit) == body.size() - 4) {
    facts.of = FactOf::kExit;
    facts.value = number_of(body.substr(16, body.size() - 20));
  } else {
    const bool is_return = starts(body, 0, "<... ");
    const size_t start = is_return ? 5 : 0;
    const size_t end = skip(body, start, [](char c) { return is_word(c) || c == '?'; });
    const Text behind = is_return ? " resumed>" : "(";
    if (end == start || (!is_return && is_digit(body[start])) || !starts(body, end, behind)) return facts;
    facts.name = body.substr(start, end - start);
    facts.arguments = at + end + behind.size();
    if (!is_return && text.ends_with("<unfinished ...>")) {
      facts.of = FactOf::kUnfinished;
    } else if (const auto value = whole_value(text, facts.arguments)) {
      facts.of = is_return ? FactOf::kReturn : FactOf::kCall;
      facts.is_unknown = *value == "?";
      facts.value = facts.is_unknown ? 0 : value_of(*value);
    } else {
      facts.has_failed = is_failure(text, facts.arguments);
    }
  }
  return facts;
}

}  // namespace plain
