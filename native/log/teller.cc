#include "log/teller.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace tracefp {

namespace {

// Entries are used while they and their lines are in the first cache.
constexpr size_t kWindowBytes = 16384;
constexpr size_t kEntryLimit = 512;

// The number at `text`, which a line feed ends; negative: none below kDescriptorLimit.
int descriptor_at(const uint8_t* text) {
  int number = 0;
  const uint8_t* at = text;
  for (; static_cast<uint8_t>(*at - '0') < 10; at++) {
    number = 10 * number + (*at - '0');
    if (number >= static_cast<int>(kDescriptorLimit)) return -1;
  }
  if (at == text || (*at != '\n' && *at != '\r' && *at != ' ' && *at != '<' && *at != ')')) return -1;
  return number;
}

// Whether nothing follows from the call.
bool is_plain(Meaning meaning, const LineFacts& facts, const uint8_t* line) {
  if (has_failed(facts)) return true;
  if (!has_value(facts)) return false;
  if (meaning == Meaning::kOwnTid) return facts.value == facts.tid;
  if (meaning != Meaning::kHandles) return false;
  const uint8_t* at = line + facts.arguments;
  const uint8_t* const end = line + facts.length;
  while (at < end && is_name_byte(*at)) at++;
  constexpr std::string_view kNothing = ", NULL, ";
  return static_cast<size_t>(end - at) > kNothing.size() && at > line + facts.arguments &&
         memcmp(at, kNothing.data(), kNothing.size()) == 0;
}

bool returns_failure(const uint8_t* value) {
  return value[0] == '-' && value[1] == '1' && value[2] == ' ' && value[3] == 'E';
}

}  // namespace

LogTeller::LogTeller(LogScanner& scanner, LogThread* threads, LogProcess* processes, LivesControl& control,
                     Descriptors* descriptors)
    : scanner_(scanner),
      threads_(threads),
      descriptors_(descriptors),
      watched_(kNameLimit, Watched::kNot),
      lives_(threads, processes, control, programs_),
      entries_(kEntryLimit) {}

void LogTeller::watch(uint16_t name, Watched watched) {
  watched_[name] = watched;
  is_watching_ = std::any_of(watched_.begin(), watched_.end(), [](Watched of) { return of != Watched::kNot; });
}

uint32_t LogTeller::add_program(const LogProgram& program) {
  programs_.push_back(program);
  return static_cast<uint32_t>(programs_.size() - 1);
}

// False: there is no whole line.
bool LogTeller::fill(const uint8_t* data, size_t size) {
  for (size_t window = std::min(kWindowBytes, size);; window = std::min(4 * window, size)) {
    const ScanResult result = scanner_.scan(data, window, entries_.data(), entries_.size());
    base_ = data;
    next_ = 0;
    count_ = result.entries;
    scanned_ = result.consumed;
    if (count_ > 0 || window == size) return count_ > 0;
  }
}

// False: the line is the reader's.
bool LogTeller::watch_line(const LogEntry& entry, const LogThread& thread, Change* change) const {
  if (thread.descriptors == 0) return false;
  const bool opens = watched_[entry.name] == Watched::kOpens;
  // What is opened is known when the call returns, what is closed when it is entered.
  if (entry.kind == (opens ? EntryKind::kUnfinished : EntryKind::kReturn)) return true;
  const uint8_t* const text = base_ + entry.offset + (opens ? entry.value : entry.arguments);
  if (opens && returns_failure(text)) return true;
  const int descriptor = descriptor_at(text);
  if (descriptor < 0) return false;
  *change = {&descriptors_[thread.descriptors - 1].bits[descriptor / 32], uint32_t{1} << descriptor % 32, opens};
  // Opened twice: a sign.
  return !opens || (*change->word & change->bit) == 0;
}

Told LogTeller::tell(const uint8_t* data, size_t size, bool is_new, ToldCall* calls, size_t capacity) {
  Told told;
  // The line that ended the call before was read by the reader.
  if (next_ < count_ && base_ + entries_[next_].offset != data) next_++;
  if (is_new || next_ >= count_ || base_ + entries_[next_].offset != data) count_ = next_ = 0;

  for (;;) {
    if (next_ == count_ && !fill(data + told.consumed, size - told.consumed)) return told;
    const auto base = static_cast<uint32_t>(base_ - data);  // may be before `data`: offsets are sums without sign
    const size_t first = next_;
    const bool is_over = tell_entries(base, calls, capacity, &told);
    if (next_ > first) {
      const LogEntry& last = entries_[next_ - 1];
      told.lines += static_cast<uint32_t>(next_ - first);
      told.last_slot = last.tid % kThreadSlots;
      told.last_offset = base + last.offset;
    }
    told.consumed = base + (is_over ? entries_[next_].offset : static_cast<uint32_t>(scanned_));
    if (!is_over) continue;
    const bool is_line = told.until == ToldUntil::kLine || told.until == ToldUntil::kThread;
    if (!is_line || !look_at(data + told.consumed, &told)) return told;
  }
}

// The scanned line that begins there is not told: what it says, and whether the call in it is allowed. True: it is told
// after all, or is to be told now that its thread is known.
bool LogTeller::look_at(const uint8_t* begin, Told* told) {
  const auto left = static_cast<size_t>(base_ + scanned_ - begin);
  const auto* const end = static_cast<const uint8_t*>(memchr(begin, '\n', left));
  LineFacts& facts = told->facts;
  facts = facts_of(scanner_.form(), begin, end, left);
  switch (lives_.take(facts, begin)) {
    case LogLives::Outcome::kReaders:
      if (judge_facts(begin, told)) break;
      if (has_failed(facts)) facts = {};
      return false;
    case LogLives::Outcome::kTaken:
      break;
    case LogLives::Outcome::kBorn:
      told->until = ToldUntil::kEnd;
      facts = {};
      return true;
    case LogLives::Outcome::kUnknownName:
      told->until = ToldUntil::kName;
      told->stopped_by = facts.tid % kThreadSlots << 16 | (facts.word - 1);
      facts = {};
      return false;
    case LogLives::Outcome::kUnknownExec:
      told->until = ToldUntil::kExec;
      return false;
  }
  told->until = ToldUntil::kEnd;
  told->lines++;
  told->entered += facts.kind == FactKind::kCall || facts.kind == FactKind::kUnfinished;
  told->last_slot = facts.kind == FactKind::kExited ? kNoSlot : facts.tid % kThreadSlots;
  told->last_offset = told->consumed;
  told->consumed += facts.length + 1;
  facts = {};
  next_++;
  return true;
}

// The call of the line, which is the reader's: whether it is allowed. True: nothing follows from it.
bool LogTeller::judge_facts(const uint8_t* begin, Told* told) {
  LineFacts& facts = told->facts;
  if (!is_entered(facts)) return false;
  const uint32_t slot = facts.tid % kThreadSlots;
  LogThread& thread = threads_[slot];
  if (facts.tid == 0 || thread.tid_plus_1 != facts.tid + 1 || thread.program == 0 || thread.open != kNothingOpen)
    return false;
  const auto name = static_cast<uint16_t>(facts.word - 1);
  const Meaning meaning = lives_.meaning_of(name);
  // What they end is told by the reader.
  if (meaning == Meaning::kExits || meaning == Meaning::kReturns) return false;
  if (has_failed(facts) && meaning != Meaning::kExecutes && meaning != Meaning::kHandles) return false;
  const Judged judged = judge(programs_[thread.program - 1], thread, name);
  if (judged == Judged::kUnknownName) {
    facts = {};
    told->until = ToldUntil::kName;
    told->stopped_by = slot << 16 | name;
  }
  if (judged != Judged::kAllowed) return false;
  facts.flags |= kFactOfJudged;
  return facts.kind == FactKind::kCall && is_plain(meaning, facts, begin);
}

// Of the entries from next_ on. True: the line of next_ is not told, and `told` says why.
bool LogTeller::tell_entries(uint32_t base, ToldCall* calls, size_t capacity, Told* told) {
  uint32_t entered = 0;
  size_t next = next_;
  const auto stop = [&](ToldUntil until, uint32_t stopped_by) {
    told->until = until;
    told->stopped_by = stopped_by;
    return true;
  };
  bool is_over = false;
  for (; next < count_; next++) {
    const LogEntry& entry = entries_[next];
    const uint32_t slot = entry.tid % kThreadSlots;
    LogThread& thread = threads_[slot];
    if (entry.kind == EntryKind::kLine) {
      is_over = stop(ToldUntil::kLine, 0);
      break;
    }
    if (thread.tid_plus_1 != entry.tid + 1) {
      is_over = stop(ToldUntil::kThread, entry.tid);
      break;
    }
    Change change;
    if (is_watching_ && watched_[entry.name] != Watched::kNot && !watch_line(entry, thread, &change)) {
      is_over = stop(ToldUntil::kLine, 0);
      break;
    }
    if (entry.kind != EntryKind::kReturn) {
      // A call within a call: its end is not in the log.
      if (thread.open != kNothingOpen) {
        is_over = stop(ToldUntil::kLine, 0);
        break;
      }
      if (thread.program != 0) {
        const Judged judged = judge(programs_[thread.program - 1], thread, entry.name);
        if (judged != Judged::kAllowed) {
          const bool is_unknown = judged == Judged::kUnknownName;
          is_over = stop(is_unknown ? ToldUntil::kName : ToldUntil::kLine, slot << 16 | entry.name);
          break;
        }
      } else {
        if (told->calls == capacity) {
          is_over = stop(ToldUntil::kFull, 0);
          break;
        }
        calls[told->calls++] = {slot << 16 | entry.name, base + entry.offset};
      }
      entered++;
    }
    if (change.bit != 0) *change.word = change.is_open ? *change.word | change.bit : *change.word & ~change.bit;
    thread.open = entry.kind == EntryKind::kUnfinished ? entry.name : kNothingOpen;
  }
  next_ = next;
  told->entered += entered;
  return is_over;
}

}  // namespace tracefp
