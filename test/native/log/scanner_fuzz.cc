// libFuzzer: whatever the bytes are, the scanner says nothing of a line that its plain twin does not say, all forms of
// the masks and all cuts give the same, and nothing outside of the bytes is touched. scripts/fuzz-log.mjs builds and
// runs it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "log/scanner.h"
#include "log/teller.h"
#include "plain_line.h"

using namespace tracefp;

namespace {

const std::vector<std::string> kNames = {"read", "write", "close", "mmap", "futex", "set_robust_list", "poll", "a"};

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
    for (const Simd form : {Simd::kPortable, Simd::kAvx2, Simd::kAvx512, Simd::kNeon}) {
      LogScanner& scanner = made.emplace_back(can_run(form) ? form : Simd::kPortable);
      for (size_t i = 0; i < kNames.size(); i++)
        scanner.set_name(kNames[i].data(), kNames[i].size(), static_cast<uint16_t>(i));
      scanner.set_name("execve", 6, kSpecialName);
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
        if (entry.line != i) fail("lines are not counted", line);
        plain::Line read;
        if (entry.kind != EntryKind::kLine) {
          read = {entry.kind == EntryKind::kCall         ? plain::Kind::kCall
                  : entry.kind == EntryKind::kUnfinished ? plain::Kind::kUnfinished
                                                         : plain::Kind::kReturn,
                  entry.tid, kNames.at(entry.name)};
          if (plain::read_line(line) != read) fail("the plain twin reads it in another way", line);
        }
        told.push_back({lines + entry.line, read});
      }
      lines += result.lines;
      at += result.consumed;
      is_done = result.is_done;
    }
    if (size == log.size()) return told;
  }
}

// Told call by call, with all threads known: no line is lost, and what is told of one is what was read.
void tell(plain::Text log, const Prefix& prefix, size_t capacity) {
  LogScanner& scanner = scanner_of(best_simd());
  scanner.set_prefix(prefix);
  LogThread threads[kThreadSlots] = {};
  LogTeller teller(scanner, threads);
  std::vector<ToldCall> calls(capacity);
  const std::vector<uint8_t> data(log.begin(), log.end());
  size_t at = 0;
  size_t lines = 0;
  for (bool is_new = true;; is_new = false) {
    const tracefp::Told told = teller.tell(data.data() + at, data.size() - at, is_new, calls.data(), capacity);
    for (size_t i = 0; i < told.calls; i++) {
      const plain::Text rest = log.substr(at + calls[i].offset);
      const plain::Line line = plain::read_line(rest.substr(0, rest.find('\n')));
      const LogThread& thread = threads[calls[i].slot_and_name >> 16];
      if (line.kind == plain::Kind::kOther || line.kind == plain::Kind::kReturn || line.tid + 1 != thread.tid_plus_1 ||
          line.name != kNames.at(calls[i].slot_and_name & 0xffff))
        fail("the teller tells another call", rest);
    }
    at += told.consumed;
    lines += told.lines;
    if (told.until == ToldUntil::kEnd) break;
    if (told.until == ToldUntil::kThread) {
      threads[told.tid % kThreadSlots] = {told.tid + 1, kNothingOpen};
    } else if (told.until == ToldUntil::kLine) {
      at = log.find('\n', at) + 1;
      lines++;
      for (LogThread& thread : threads) thread.tid_plus_1 = 0;
    }
  }
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
  for (const Simd simd : {Simd::kAvx2, Simd::kAvx512, Simd::kNeon})
    if (can_run(simd) && scan(log, prefix, simd, 1000, log.size() + 1) != whole)
      fail("another form of the masks differs", log);
  if (scan(log, prefix, best_simd(), 1 + data[1] % 4, 1 + data[1]) != whole) fail("cuts make a difference", log);
  tell(log, prefix, 1 + data[1] % 4);
  return 0;
}
