// A transition table of depth 2 and at most 16 symbols, as TypeScript lays it out (src/model/table-layout.ts).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "match/table.h"

namespace small_table {

constexpr size_t kRows = 128 / 4;
constexpr size_t kLookup = kRows + 16;
constexpr size_t kSignals = kLookup + 2048 / 4;

// No call has a symbol. `successors(state)`: the bits of those that may follow.
template <typename Successors>
std::vector<uint32_t> make(uint32_t symbols, Successors successors) {
  std::vector<uint32_t> words(kSignals + 192 / 4);
  words[0] = tracefp::kTableMagic;
  words[1] = tracefp::kTableVersion;
  words[2] = static_cast<uint32_t>(words.size() * 4);
  words[3] = 2;
  words[4] = words[5] = symbols;
  words[6] = 1;
  words[8] = kRows * 4;
  words[10] = kLookup * 4;
  words[11] = 1;
  words[12] = words[14] = kSignals * 4;
  for (uint32_t state = 0; state < symbols; state++) words[kRows + state] = successors(state);
  return words;
}

}  // namespace small_table
