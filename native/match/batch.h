// Many calls judged at once. A call is a byte here, a code, and a memo holds what is known to be right: pairs of codes
// at depth 2, steps of an automaton above that. Who fills a memo has judged each of its entries before, one by one; so
// these loops only say how far a run of calls brings nothing that is not in it, and what they do not know is never
// wrong. Programs repeat themselves: eight calls in a row that were found to be known are kept as a phrase, and next
// time are one comparison. All forms give the same answers; test/native/match holds them against loops that do one call
// at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tracefp {

enum class BatchForm : uint8_t {
  kPlain,  // C++; faster than what was tried with AVX2 (docs/benchmarks.md)
  kVbmi,   // AVX-512 with byte permutes: pairs of the first 64 codes are tested 64 at a time
};

// The fastest form that this machine runs.
BatchForm best_batch_form();
bool can_run(BatchForm form);

// Codes begin here: what is below is never in a memo.
constexpr uint32_t kFirstCode = 0x20;

// A memo of pairs: byte `from | to << 8` is 1 where `to` may follow `from`. Behind them the same of the codes
// 0x20..0x5f as bits, as kVbmi wants them: bit (to & 7) of byte (to / 8) * 64 + from, both less 0x20.
constexpr size_t kPairCount = 65536;
constexpr size_t kNearBytes = 512;
constexpr size_t kPairMemoBytes = kPairCount + kNearBytes;

// Phrases, each where its hash says; made when they are first wanted, and larger when there are many.
template <typename Phrase>
struct Phrases {
  std::vector<Phrase> places{};
  size_t entered = 0;
};

struct PairMemo {
  const uint8_t* pairs = nullptr;
  Phrases<uint64_t> phrases{};
  // What does not repeat itself is better judged pair by pair: how much it was so lately, how many calls there were
  // since the last phrase that was new, how many are judged without phrases from here on, and the next time.
  uint32_t doubt = 0;
  uint32_t quiet = 0;
  uint32_t pause = 0;
  uint32_t next_pause = 0;
};

// The first i in [from, to) where codes[i] may not follow codes[i - 1]; `to`: there is none. from >= 1. Nothing outside
// of codes[from - 1, to) is read.
size_t first_unknown_pair(BatchForm form, PairMemo& memo, const uint8_t* codes, size_t from, size_t to);

// Eight codes that lead from one row to another.
struct StepPhrase {
  uint64_t codes = 0;
  uint16_t begin = 0;
  uint16_t end = 0;
  uint16_t former = 0;  // before the last of them
};

// A memo of steps: element 8 * row + code is the row that follows, 0 = not known; row 0 is all 0. Codes from `limit` on
// are not known, and no row is so near the end that row and code could be outside.
struct StepMemo {
  const uint16_t* steps = nullptr;
  uint32_t limit = 0;
  Phrases<StepPhrase> phrases{};
};

// Where a walk ended.
struct Walked {
  size_t count;     // codes that were known
  uint32_t row;     // after them
  uint32_t former;  // before the last of them
};

// Walks codes[from, to) from `row` until a step is not known.
Walked walk_steps(StepMemo& memo, const uint8_t* codes, size_t from, size_t to, uint32_t row);

// As walk_steps, one step at a time.
Walked walk_plainly(const StepMemo& memo, const uint8_t* codes, size_t from, size_t to, uint32_t row);

}  // namespace tracefp
