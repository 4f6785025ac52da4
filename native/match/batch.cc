#include "match/batch.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tracefp {

namespace {

constexpr size_t kBlock = 64;
// So many are judged plainly after one that vectors could not judge.
constexpr size_t kPlainBlocks = 8;

// A pair is the 16 bits at its first byte: one load for both codes, and one for what is known of them.
inline uint8_t is_known_pair(const uint8_t* memo, const uint8_t* codes) {
  uint16_t pair;
  memcpy(&pair, codes, sizeof(pair));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  pair = __builtin_bswap16(pair);
#endif
  return memo[pair];
}

bool are_known_pairs(const uint8_t* memo, const uint8_t* codes) {
  uint8_t known = 1;
#pragma GCC unroll 64
  for (size_t k = 0; k < kBlock; k++) known &= is_known_pair(memo, codes + k - 1);
  return known != 0;
}

size_t plain_pairs(const uint8_t* memo, const uint8_t* codes, size_t from, size_t to) {
  size_t i = from;
  // Runs are often short: what ends them is looked for at once, and by blocks only then.
  for (const size_t near = to - from < kBlock ? to : from + kBlock; i < near; i++) {
    if (is_known_pair(memo, codes + i - 1) == 0) return i;
  }
  while (to - i >= kBlock && are_known_pairs(memo, codes + i)) i += kBlock;
  for (; i < to; i++) {
    if (is_known_pair(memo, codes + i - 1) == 0) return i;
  }
  return to;
}

#if defined(__x86_64__)

// 64 pairs at a time. `near` is eight registers, each a byte of every row: from picks the row in all of them, bits 3 to
// 5 of `to` the register, its lowest three the bit. Bit 3 is picked together with the row, as bit 6 of a permute of 128
// bytes.
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) size_t vbmi_pairs(const uint8_t* memo, const uint8_t* codes,
                                                                         size_t from, size_t to) {
  size_t i = from;
  for (const size_t near = to - from < kBlock / 4 ? to : from + kBlock / 4; i < near; i++) {
    if (is_known_pair(memo, codes + i - 1) == 0) return i;
  }
  const uint8_t* const near = memo + kPairCount;
  __m512i rows[8];
#pragma GCC unroll 8
  for (int k = 0; k < 8; k++) rows[k] = _mm512_loadu_si512(near + 64 * k);
  const __m512i first = _mm512_set1_epi8(kFirstCode);
  const __m512i bits = _mm512_set1_epi64(static_cast<int64_t>(0x8040201008040201));
  for (; to - i >= kBlock; i += kBlock) {
    const __m512i before = _mm512_sub_epi8(_mm512_loadu_si512(codes + i - 1), first);
    const __m512i after = _mm512_sub_epi8(_mm512_loadu_si512(codes + i), first);
    const __m512i place = _mm512_or_si512(_mm512_and_si512(before, _mm512_set1_epi8(0x3f)),
                                          _mm512_and_si512(_mm512_slli_epi16(after, 3), _mm512_set1_epi8(0x40)));
    const __mmask64 bit4 = _mm512_test_epi8_mask(after, _mm512_set1_epi8(0x10));
    const __mmask64 bit5 = _mm512_test_epi8_mask(after, _mm512_set1_epi8(0x20));
    const __m512i low = _mm512_mask_blend_epi8(bit4, _mm512_permutex2var_epi8(rows[0], place, rows[1]),
                                               _mm512_permutex2var_epi8(rows[2], place, rows[3]));
    const __m512i high = _mm512_mask_blend_epi8(bit4, _mm512_permutex2var_epi8(rows[4], place, rows[5]),
                                                _mm512_permutex2var_epi8(rows[6], place, rows[7]));
    const __m512i row = _mm512_mask_blend_epi8(bit5, low, high);
    const __m512i bit = _mm512_shuffle_epi8(bits, _mm512_and_si512(after, _mm512_set1_epi8(7)));
    const __mmask64 far =
        _mm512_test_epi8_mask(_mm512_or_si512(before, after), _mm512_set1_epi8(static_cast<char>(0xc0)));
    if ((_mm512_test_epi8_mask(row, bit) & ~far) == ~uint64_t{0}) continue;
    // Codes from 0x60 on are in the memo of pairs only. Where there is one there are more: it is asked for the next
    // blocks, too.
    for (size_t near = 0; near < kPlainBlocks && to - i >= kBlock && are_known_pairs(memo, codes + i); near++)
      i += kBlock;
    if (to - i < kBlock || !are_known_pairs(memo, codes + i)) break;
  }
  for (; i < to; i++) {
    if (is_known_pair(memo, codes + i - 1) == 0) return i;
  }
  return to;
}

#endif

// Steps depend on each other, and one waits for a load. So a run is cut into lanes that are walked side by side, each
// from the row in which a guess says that it begins. A lane counts only if the one before it ended in that very row: a
// wrong guess costs time and never an answer, and is put right.
constexpr size_t kLaneCount = 8;
constexpr size_t kLongestLane = 128;

// By the last five codes: more than that a state of depth 6 does not know.
inline uint16_t* guess_at(StepMemo& memo, const uint8_t* end) {
  uint64_t codes;
  memcpy(&codes, end - sizeof(codes), sizeof(codes));
  return &memo.guesses[(codes >> 24) * 0x9e3779b97f4a7c15 >> 52];
}

// How many of the bytes are codes that have a place in the rows, in steps of 16.
size_t count_codes(const uint8_t* codes, size_t size, uint32_t limit) {
  using Bytes = uint8_t __attribute__((vector_size(16)));
  const Bytes last = Bytes{} + static_cast<uint8_t>(limit - 1 - kFirstCode);
  size_t count = 0;
  for (; size - count >= sizeof(Bytes); count += sizeof(Bytes)) {
    Bytes bytes;
    memcpy(&bytes, codes + count, sizeof(bytes));
    const auto strange = (bytes - static_cast<uint8_t>(kFirstCode)) > last;
    uint64_t halves[2];
    memcpy(halves, &strange, sizeof(halves));
    if ((halves[0] | halves[1]) != 0) break;
  }
  return count;
}

// How many lanes count, 0 to kLaneCount; `walked` is where the last of these ended.
template <size_t kLength>
size_t walk_lanes(StepMemo& memo, const uint8_t* codes, Walked* walked) {
  size_t begin[kLaneCount];
  size_t rows[kLaneCount];
  size_t former[kLaneCount];
  for (size_t lane = 0; lane < kLaneCount; lane++) {
    begin[lane] = lane == 0 ? walked->row : *guess_at(memo, codes + lane * kLength);
    rows[lane] = begin[lane];
  }
  const uint16_t* const steps = memo.steps;
  for (size_t i = 0; i < kLength - 1; i++) {
#pragma GCC unroll 8
    for (size_t lane = 0; lane < kLaneCount; lane++) rows[lane] = steps[8 * rows[lane] + codes[lane * kLength + i]];
  }
  for (size_t lane = 0; lane < kLaneCount; lane++) {
    former[lane] = rows[lane];
    rows[lane] = steps[8 * rows[lane] + codes[lane * kLength + kLength - 1]];
  }
  size_t count = 0;
  for (; count < kLaneCount; count++) {
    if (count > 0 && begin[count] != rows[count - 1]) {
      *guess_at(memo, codes + count * kLength) = static_cast<uint16_t>(rows[count - 1]);
      break;
    }
    if (rows[count] == 0) break;
  }
  if (count > 0) {
    walked->count += count * kLength;
    walked->row = static_cast<uint32_t>(rows[count - 1]);
    walked->former = static_cast<uint32_t>(former[count - 1]);
  }
  return count;
}

// Goes on with `walked`, at most to `end`. False: a step was not known.
bool go_on(const StepMemo& memo, const uint8_t* codes, size_t from, size_t end, Walked* walked) {
  while (from + walked->count < end) {
    const uint8_t code = codes[from + walked->count];
    const uint32_t next = code < memo.limit ? memo.steps[8 * size_t{walked->row} + code] : 0;
    if (next == 0) return false;
    walked->former = walked->row;
    walked->row = next;
    walked->count++;
  }
  return true;
}

}  // namespace

bool can_run(BatchForm form) {
#if defined(__x86_64__)
  if (form == BatchForm::kVbmi) {
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vbmi") != 0;
  }
#endif
  return form == BatchForm::kPlain;
}

BatchForm best_batch_form() { return can_run(BatchForm::kVbmi) ? BatchForm::kVbmi : BatchForm::kPlain; }

size_t first_unknown_pair(BatchForm form, const uint8_t* memo, const uint8_t* codes, size_t from, size_t to) {
#if defined(__x86_64__)
  if (form == BatchForm::kVbmi) return vbmi_pairs(memo, codes, from, to);
#endif
  (void)form;
  return plain_pairs(memo, codes, from, to);
}

Walked walk_plainly(const StepMemo& memo, const uint8_t* codes, size_t from, size_t to, uint32_t row) {
  Walked walked{0, row, row};
  if (row != 0) go_on(memo, codes, from, to, &walked);
  return walked;
}

Walked walk_steps(StepMemo& memo, const uint8_t* codes, size_t from, size_t to, uint32_t row) {
  Walked walked{0, row, row};
  if (row == 0) return walked;
  for (;;) {
    const size_t at = from + walked.count;
    const size_t near = to - at < kLaneCount * kLongestLane ? to - at : kLaneCount * kLongestLane;
    const size_t length = count_codes(codes + at, near, memo.limit) / kLaneCount;
    if (length < 16) break;
    const size_t lanes = length >= 128  ? walk_lanes<128>(memo, codes + at, &walked)
                         : length >= 64 ? walk_lanes<64>(memo, codes + at, &walked)
                         : length >= 32 ? walk_lanes<32>(memo, codes + at, &walked)
                                        : walk_lanes<16>(memo, codes + at, &walked);
    // Something new is near: one step at a time to behind it.
    if (lanes == 0 && !go_on(memo, codes, from, at + 16, &walked)) return walked;
  }
  go_on(memo, codes, from, to, &walked);
  return walked;
}

}  // namespace tracefp
