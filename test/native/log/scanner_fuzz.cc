// libFuzzer: whatever the bytes are, the scanner says nothing of a line that its plain twin does not say, all its
// forms and all cuts give the same, and nothing outside of the bytes is touched. scripts/fuzz-log.mjs builds and
// runs it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "log/scanner.h"
#include "log/teller.h"
#include "log_lives.h"
#include "plain_line.h"
#include "small_table.h"

using namespace tracefp;

namespace {

const std::vector<std::string> kNames = {"read", "write", "close", "mmap", "futex", "set_robust_list", "poll", "a"};
// Numbers of these begin behind those. The last is a signal.
const std::vector<std::string> kSpecialNames = {"execve", "gettid", "rt_sigaction", "SIGCHLD"};

std::string name_of(uint32_t number) {
  return number < kNames.size() ? kNames[number] : kSpecialNames.at(number - kNames.size());
}

void fail(const char* what, plain::Text line) {
  fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(line.size()), line.data());
  abort();
}

// What is known of a line: the same for all forms and cuts.
struct Known {
  uint32_t line;
  plain::Line read;
  bool operator==(const Known&) const = default;
};

// Made once: a table of names is larger than any input.
LogScanner& scanner_of(Simd simd) {
  static std::vector<LogScanner> scanners = [] {
    std::vector<LogScanner> made;
    for (const Simd form : {Simd::kPortable, Simd::kSse2, Simd::kAvx2, Simd::kAvx512, Simd::kNeon}) {
      LogScanner& scanner = made.emplace_back(can_run(form) ? form : Simd::kPortable);
      for (size_t i = 0; i < kNames.size(); i++)
        scanner.set_name(kNames[i].data(), kNames[i].size(), static_cast<uint16_t>(i));
      for (const std::string& name : kSpecialNames) scanner.set_name(name.data(), name.size(), kSpecialName);
      for (uint16_t i = 0; i < kNames.size() + kSpecialNames.size(); i++) {
        const std::string name = name_of(i);
        if (!scanner.set_word(name.data(), name.size(), static_cast<uint16_t>(i + 1))) abort();
      }
    }
    return made;
  }();
  return scanners[static_cast<size_t>(simd)];
}

std::vector<Known> scan(plain::Text log, const Prefix& prefix, Simd simd, size_t capacity, size_t cut) {
  LogScanner& scanner = scanner_of(simd);
  scanner.set_prefix(prefix);
  std::vector<LogEntry> entries(capacity);
  std::vector<Known> told;
  uint32_t lines = 0;
  size_t at = 0;
  for (size_t size = std::min(cut, log.size());; size = std::min(size + cut, log.size())) {
    for (bool is_done = false; !is_done;) {
      // A copy of exactly these bytes: a read past them is seen.
      const std::vector<uint8_t> data(log.begin() + static_cast<ptrdiff_t>(at),
                                      log.begin() + static_cast<ptrdiff_t>(size));
      const ScanResult result = scanner.scan(data.data(), data.size(), entries.data(), capacity);
      if (result.entries != result.lines) fail("an entry is missing", log);
      for (size_t i = 0; i < result.entries; i++) {
        const LogEntry& entry = entries[i];
        const auto* const begin = reinterpret_cast<const char*>(data.data()) + entry.offset;
        const auto* const end = static_cast<const char*>(memchr(begin, '\n', data.size() - entry.offset));
        if (end == nullptr || (entry.offset > 0 && begin[-1] != '\n')) fail("not a line", log);
        const plain::Text line(begin, static_cast<size_t>(end - begin));
        plain::Line read;
        if (entry.kind != EntryKind::kLine) {
          read = {entry.kind == EntryKind::kCall         ? plain::Kind::kCall
                  : entry.kind == EntryKind::kUnfinished ? plain::Kind::kUnfinished
                                                         : plain::Kind::kReturn,
                  entry.tid, kNames.at(entry.name)};
          if (plain::read_line(line) != read) fail("the plain twin reads it in another way", line);
        }
        told.push_back({lines + static_cast<uint32_t>(i), read});
      }
      lines += result.lines;
      at += result.consumed;
      is_done = result.is_done;
    }
    if (size == log.size()) return told;
  }
}

// A table of five symbols, at depth 2: what may follow what has no meaning.
constexpr int16_t kSymbols = 5;
bool may_follow(int32_t state, int32_t symbol) { return (state + 2 * symbol) % 3 != 0; }

uint32_t successors(uint32_t state) {
  uint32_t bits = 0;
  for (int32_t symbol = 0; symbol < kSymbols; symbol++)
    if (may_follow(static_cast<int32_t>(state), symbol)) bits |= 1u << symbol;
  return bits;
}

long number_in(plain::Text text) { return strtol(std::string(text.substr(0, 20)).c_str(), nullptr, 10); }

// A thread as the plain twin sees it.
struct PlainThread {
  int32_t state = 0;
  uint32_t calls = 0;
  uint32_t transparent_calls = 0;
  uint32_t told_calls = 0;
  std::string open;
  bool operator==(const PlainThread&) const = default;
};

// Told call by call, with all threads known, and every second of them judged: no line is lost, what is told of one is
// what was read, and no call is let through that is a miss.
void tell(plain::Text log, const Prefix& prefix, size_t capacity) {
  LogScanner& scanner = scanner_of(best_simd());
  scanner.set_prefix(prefix);
  LogThread threads[kThreadSlots] = {};
  Descriptors descriptors[kDescriptorSets] = {};
  std::set<long> expected_open;
  LogProcess processes[kThreadSlots] = {};
  LivesControl control = {};
  LogTeller teller(scanner, threads, processes, control, descriptors);
  // close and `a` in place of open: threads of odd tids share what they have open.
  teller.watch(2, Watched::kCloses);
  teller.watch(7, Watched::kOpens);
  teller.lives().set_meaning(8, Meaning::kExecutes);
  teller.lives().set_meaning(9, Meaning::kOwnTid);
  teller.lives().set_meaning(10, Meaning::kHandles);
  static const std::vector<uint32_t> bytes = small_table::make(kSymbols, successors);
  const std::optional<Table> table = Table::open(bytes.data(), bytes.size() * 4);
  if (!table) fail("no table", log);
  std::vector<int16_t> symbols(kNameLimit, kUnknownName);
  uint32_t used[kSymbols] = {};
  uint32_t expected_used[kSymbols] = {};
  teller.add_program({*table, used, symbols.data()});
  std::map<uint32_t, PlainThread> twins;
  std::vector<ToldCall> calls(capacity);
  const std::vector<uint8_t> data(log.begin(), log.end());
  const auto symbol_of = [](const std::string& name) {
    uint32_t number = 0;
    while (name_of(number) != name) number++;
    return static_cast<int16_t>(number == 5 ? kTransparentName : number == 6 ? kToldName : number % kSymbols);
  };
  const auto read_whole = [&](plain::Text line) {
    const plain::Line read = plain::read_line(line);
    if (read.kind == plain::Kind::kOther || !twins.contains(read.tid)) fail("a line is told that is none", line);
    if (std::find(kSpecialNames.begin(), kSpecialNames.end(), read.name) != kSpecialNames.end()) {
      const plain::Facts facts = plain::read_facts(line);
      const plain::Text arguments = line.substr(facts.arguments);
      const bool asks = arguments.substr(plain::skip(arguments, 0, plain::is_word)).starts_with(", NULL, ");
      const bool is_own = read.name == "gettid" && facts.value == facts.tid;
      const bool is_plain = is_own || (read.name == "rt_sigaction" && asks);
      const bool fails = facts.has_failed && read.name != "gettid" && read.kind == plain::Kind::kCall;
      if (!fails && (facts.of != plain::FactOf::kCall || facts.is_unknown || !is_plain))
        fail("a line that means more is told", line);
    }
    PlainThread& twin = twins[read.tid];
    if (read.name == "close" && read.kind != plain::Kind::kReturn) {
      if (read.tid % 2 == 0) fail("what is closed is not followed", line);
      expected_open.erase(number_in(line.substr(line.find("close(") + 6)));
    }
    if (read.name == "a" && read.kind != plain::Kind::kUnfinished) {
      if (read.tid % 2 == 0) fail("what is opened is not followed", line);
      const long opened = number_in(line.substr(line.rfind("= ") + 2));
      if (opened != -1 && !expected_open.insert(opened).second) fail("a sign is overlooked", line);
    }
    if (read.kind != plain::Kind::kReturn) {
      const int16_t symbol = symbol_of(read.name);
      if (!twin.open.empty() || (read.tid % 2 == 0 && symbol == kToldName)) fail("not to be told", line);
      if (read.tid % 2 == 1) {
        twin.told_calls++;
      } else if (symbol == kTransparentName) {
        twin.transparent_calls++;
      } else {
        if (!may_follow(twin.state, symbol)) fail("a miss is let through", line);
        expected_used[twin.state] |= 1u << symbol;
        twin.state = symbol;
        twin.calls++;
      }
    }
    twin.open = read.kind == plain::Kind::kUnfinished ? read.name : "";
  };
  size_t at = 0;
  size_t lines = 0;
  for (bool is_new = true;; is_new = false) {
    const tracefp::Told told = teller.tell(data.data() + at, data.size() - at, is_new, calls.data(), capacity);
    for (size_t i = 0; i < told.calls; i++) {
      const plain::Text rest = log.substr(at + calls[i].offset);
      const plain::Line line = plain::read_line(rest.substr(0, rest.find('\n')));
      const LogThread& thread = threads[calls[i].slot_and_name >> 16];
      if (line.kind == plain::Kind::kOther || line.kind == plain::Kind::kReturn || line.tid + 1 != thread.tid_plus_1 ||
          line.name != kNames.at(calls[i].slot_and_name & 0xffff) || thread.program != 0)
        fail("the teller tells another call", rest);
      twins[line.tid].told_calls--;
    }
    const size_t end = at + told.consumed;
    for (; at < end; at = log.find('\n', at) + 1) read_whole(log.substr(at, log.find('\n', at) - at));
    if (told.facts.kind != FactKind::kNone) {
      const plain::Text line = log.substr(at, log.find('\n', at) - at);
      const plain::Facts read = plain::read_facts(line);
      const LineFacts& facts = told.facts;
      const bool has_name = facts.kind != FactKind::kExited;
      const bool has_value = facts.kind != FactKind::kUnfinished && facts.kind != FactKind::kSignal;
      if (static_cast<uint32_t>(read.of) != static_cast<uint32_t>(facts.kind) || read.tid != facts.tid ||
          facts.length != line.size() || (has_name && read.name != name_of(facts.word - 1)) ||
          read.arguments != facts.arguments || read.is_unknown != ((facts.flags & kFactOfUnknown) != 0) ||
          (has_value && !read.is_unknown && read.value != facts.value))
        fail("the plain twin says other facts", line);
      if ((facts.flags & kFactOfJudged) != 0) {
        if (read.of != plain::FactOf::kCall && read.of != plain::FactOf::kUnfinished) fail("no call was judged", line);
        PlainThread& twin = twins.at(read.tid);
        const int16_t symbol = symbol_of(read.name);
        if (symbol == kToldName || read.tid % 2 == 1 || !twin.open.empty()) fail("not to be judged", line);
        if (symbol == kTransparentName) {
          twin.transparent_calls++;
        } else {
          if (!may_follow(twin.state, symbol)) fail("a miss is judged", line);
          expected_used[twin.state] |= 1u << symbol;
          twin.state = symbol;
          twin.calls++;
        }
      }
    }
    for (const LogThread& thread : threads) {
      if (thread.tid_plus_1 == 0) continue;
      const PlainThread& twin = twins[thread.tid_plus_1 - 1];
      const PlainThread known{thread.state, thread.calls, thread.transparent_calls, 0,
                              thread.open == kNothingOpen ? "" : kNames.at(thread.open)};
      if (twin != known) fail("the thread stands elsewhere", log);
    }
    lines += told.lines;
    if (told.until == ToldUntil::kEnd) break;
    if (told.until == ToldUntil::kThread) {
      const uint32_t tid = told.stopped_by;
      LogThread& slot = threads[tid % kThreadSlots];
      if (slot.tid_plus_1 != 0) twins.erase(slot.tid_plus_1 - 1);
      slot = {};
      slot.tid_plus_1 = tid + 1;
      slot.open = kNothingOpen;
      slot.program = tid % 2 == 0 ? 1 : 0;
      slot.descriptors = tid % 2;
      twins[tid] = {};
    } else if (told.until == ToldUntil::kName) {
      const uint32_t name = told.stopped_by & 0xffff;
      if (symbols[name] != kUnknownName) fail("the name is known", log);
      symbols[name] = symbol_of(name_of(name));
    } else if (told.until == ToldUntil::kLine) {
      at = log.find('\n', at) + 1;
      lines++;
      for (LogThread& thread : threads) thread = {};
      twins.clear();
    }
  }
  if (lines != static_cast<size_t>(std::count(log.begin(), log.end(), '\n'))) fail("a line is lost", log);
  for (long i = 0; i < static_cast<long>(kDescriptorLimit); i++)
    if (((descriptors[0].bits[i / 32] >> i % 32 & 1) != 0) != expected_open.contains(i)) fail("others are open", log);
  if (memcmp(used, expected_used, sizeof(used)) != 0) fail("other transitions are used", log);
}

// Processes are followed, and the reader is told of them whenever it reads a line: no call that was judged is missing
// in what it is told.
void follow(plain::Text log, size_t reads) {
  static LogScanner scanner = lives::make_scanner();
  static const std::vector<uint32_t> words = lives::make_table();
  lives::Log all(scanner, words);
  uint64_t judged = 0;
  uint64_t entered = 0;
  size_t lines = 0;
  size_t at = 0;
  const auto take_back = [&](const LogThread& thread, uint32_t handled) {
    judged += uint64_t{thread.calls} + thread.transparent_calls + handled;
  };
  const auto settle = [&] {
    for (const LifeEvent& event : all.settle()) {
      const bool has_thread =
          event.kind == LifeKind::kExec || event.kind == LifeKind::kSignal || event.kind == LifeKind::kEnded;
      if (has_thread) take_back(event.thread, event.handled_calls);
      // What is to be told by the reader.
      if (event.kind == LifeKind::kExit || event.kind == LifeKind::kEnded) judged++;
      const LogThread& thread = all.threads[event.tid % kThreadSlots];
      if (event.kind == LifeKind::kBirth && event.is_known == 0 && thread.tid_plus_1 == event.tid + 1 &&
          (thread.calls != 0 || thread.program != 1))
        fail("a thread is unseen that was seen", log);
    }
    for (const LogThread& thread : all.threads)
      if ((thread.tid_plus_1 & kAway) != 0) fail("a thread is away that is settled", log);
  };
  const auto leave = [&](uint32_t slot) {
    take_back(all.threads[slot], all.processes[slot].handled_calls);
    all.threads[slot] = {};
    all.processes[slot] = {};
  };
  const std::vector<uint8_t> data(log.begin(), log.end());
  for (bool is_new = true;; is_new = false) {
    all.tell_all(data.data() + at, data.size() - at, is_new);
    lines += all.told.lines;
    entered += all.told.entered;
    at += all.told.consumed;
    if (all.told.until == ToldUntil::kEnd) break;
    if (all.told.until == ToldUntil::kExec && lines % reads != 0) {
      all.learn_exec(data.data() + at, lines % 3 == 0 && all.told.facts.kind == FactKind::kUnfinished ? kNoProgram : 0);
      continue;
    }
    settle();
    if (all.told.until == ToldUntil::kThread) {
      const uint32_t tid = all.told.stopped_by;
      leave(tid % kThreadSlots);
      all.begin(tid);
      continue;
    }
    // A call in the line may have been judged.
    if ((all.told.facts.flags & kFactOfJudged) != 0) entered++;
    if (all.told.facts.tid != 0 && all.threads[all.told.facts.tid % kThreadSlots].tid_plus_1 == all.told.facts.tid + 1)
      leave(all.told.facts.tid % kThreadSlots);
    at = log.find('\n', at) + 1;
    lines++;
  }
  settle();
  for (uint32_t slot = 0; slot < kThreadSlots; slot++) leave(slot);
  const PassedCounts passed = all.all().take_passed(0);
  if (judged + passed.calls + passed.transparent_calls != entered) fail("a call is missing, or one too many", log);
  if (lines != static_cast<size_t>(std::count(log.begin(), log.end(), '\n'))) fail("a line is lost", log);
}

}  // namespace

// Two bytes say how the log is read, the others are the log.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const Prefix prefix{(data[0] & 1) != 0 ? PidForm::kColumn : PidForm::kBracket,
                      static_cast<TimeForm>((data[0] >> 1) % 3), (data[0] & 8) != 0, (data[0] & 16) != 0};
  const plain::Text log(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::vector<Known> whole = scan(log, prefix, Simd::kPortable, 1000, log.size() + 1);
  for (const Simd simd : {Simd::kSse2, Simd::kAvx2, Simd::kAvx512, Simd::kNeon})
    if (can_run(simd) && scan(log, prefix, simd, 1000, log.size() + 1) != whole) fail("another form differs", log);
  if (scan(log, prefix, best_simd(), 1 + data[1] % 4, 1 + data[1]) != whole) fail("cuts make a difference", log);
  tell(log, prefix, 1 + data[1] % 4);
  follow(log, 1 + data[1] % 4);
  return 0;
}
