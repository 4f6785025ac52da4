// A log whose processes are followed, with one program that may do all that it knows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "log/life_text.h"
#include "log/scanner.h"
#include "log/teller.h"
#include "small_table.h"

namespace lives {

using namespace tracefp;

// The first ones are ordinary.
inline const std::vector<std::string> kNames = {"read",    "brk",    "close",       "vfork",
                                                "clone",   "execve", "exit_group",  "rt_sigreturn",
                                                "SIGCHLD", "SIGINT", "rt_sigaction"};
constexpr uint16_t kOrdinaryCount = 3;
constexpr uint32_t kSymbols = 12;
constexpr int32_t kFork = 8;
constexpr int32_t kExec = 9;
constexpr int32_t kHandler = 10;
constexpr int32_t kEnd = 11;
constexpr uint32_t kRoot = 7;

// All may follow all, but for the end, which only exit_group may.
inline std::vector<uint32_t> make_table() {
  std::vector<uint32_t> words =
      small_table::make(kSymbols, [](uint32_t state) { return 0xffu | uint32_t{state == 6} << kEnd; });
  words[16] = kExec;
  words[17] = ~uint32_t{0};
  words[18] = kFork;
  reinterpret_cast<int16_t*>(words.data() + small_table::kSignals)[17] = kHandler;
  return words;
}

inline LogScanner make_scanner() {
  LogScanner scanner(best_simd());
  scanner.set_prefix({});
  for (uint16_t i = 0; i < kNames.size(); i++) {
    scanner.set_name(kNames[i].data(), kNames[i].size(), i < kOrdinaryCount ? i : kSpecialName);
    scanner.set_word(kNames[i].data(), kNames[i].size(), static_cast<uint16_t>(i + 1));
  }
  return scanner;
}

// Both outlive it.
class Log {
 public:
  Log(LogScanner& scanner, const std::vector<uint32_t>& table)
      : teller_(scanner, threads, processes, control, descriptors_), symbols_(kNameLimit, kToldName) {
    for (int16_t i = 0; i < 8; i++) symbols_[static_cast<size_t>(i)] = i;
    symbols_[10] = 2;
    LogLives& all = teller_.lives();
    all.set_meaning(1, Meaning::kGrows);
    all.set_meaning(3, Meaning::kForks);
    all.set_meaning(4, Meaning::kClones);
    all.set_meaning(5, Meaning::kExecutes);
    all.set_meaning(6, Meaning::kExits);
    all.set_meaning(7, Meaning::kReturns);
    all.set_meaning(10, Meaning::kHandles);
    all.set_signal(8, 17);
    all.set_signal(9, 2);
    teller_.add_program({*Table::open(table.data(), table.size() * 4), used, symbols_.data(), kEnd});
    control.is_on = control.has_modes = 1;
    control.root = kRoot;
    begin(kRoot);
  }

  // A thread that the reader knows.
  void begin(uint32_t tid) {
    LogThread& thread = threads[tid % kThreadSlots];
    thread = {};
    thread.tid_plus_1 = tid + 1;
    thread.open = kNothingOpen;
    thread.program = 1;
    processes[tid % kThreadSlots] = {1, 1u << 17, 1u << 2, 0};
  }

  void tell_all(const uint8_t* data, size_t size, bool is_new) {
    ToldCall call;
    told = teller_.tell(data, size, is_new, &call, 1);
  }

  // Of one line: whether it was taken.
  bool tell(const std::string& line) {
    text_ = line + "\n";
    tell_all(bytes(), text_.size(), true);
    return told.lines == 1;
  }

  // The line that was not taken starts the program.
  void learn_exec(uint32_t program = 0) { learn_exec(bytes(), program); }
  void learn_exec(const uint8_t* line, uint32_t program) {
    const LineFacts& facts = told.facts;
    teller_.lives().set_exec(0, static_cast<uint16_t>(facts.word - 1), exec_arguments(facts, line), program, 4);
  }

  LogLives& all() { return teller_.lives(); }

  std::vector<LifeEvent> settle() {
    std::vector<LifeEvent> events(kEventLimit);
    events.resize(teller_.lives().settle(events.data()));
    return events;
  }

  LogThread threads[kThreadSlots] = {};
  LogProcess processes[kThreadSlots] = {};
  LivesControl control = {};
  uint32_t used[kSymbols] = {};
  tracefp::Told told;

 private:
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(text_.data()); }

  Descriptors descriptors_[kDescriptorSets] = {};
  LogTeller teller_;
  std::vector<int16_t> symbols_;
  std::string text_;
};

}  // namespace lives
