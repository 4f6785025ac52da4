#include "match/batch.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tracefp {

namespace {

constexpr size_t kBlock = 64;
// Codes of a phrase.
constexpr size_t kPhrase = 8;
// Places of phrases: more of the pairs would not fit into a cache of the second level with all that is beside them.
constexpr size_t kMinPlaces = 1024;
constexpr size_t kMaxPlaces = 16384;
// A phrase that is new costs as much as a few that are known save: more than one in so many calls is too often, and
// after so much too often the next calls are judged by pairs. More of them each time, until it was seldom for long.
constexpr uint32_t kCallsPerNew = 56;
constexpr uint32_t kMaxDoubt = 2048;
constexpr uint32_t kMinPause = 1024;
constexpr uint32_t kMaxPause = 65536;
// So many blocks are judged plainly when vectors could not judge one.
constexpr size_t kPlainBlocks = 9;
// So many calls are judged one by one before that is done at all.
constexpr size_t kNear = 16;

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

inline uint64_t phrase_at(const uint8_t* codes) {
  uint64_t phrase;
  memcpy(&phrase, codes, sizeof(phrase));
  return phrase;
}

template <typename Phrase>
inline size_t place_of(const Phrases<Phrase>& phrases, uint64_t key) {
  return key * 0x9e3779b97f4a7c15 >> 50 & (phrases.places.size() - 1);
}

// 0 stands where there is none: no phrase begins with a code that is not known, or in row 0.
template <typename Phrase>
void make_places(Phrases<Phrase>& phrases, size_t count) {
  phrases.places.assign(count, Phrase{});
  phrases.entered = 0;
}

template <typename Phrase>
void enter(Phrases<Phrase>& phrases, size_t place, const Phrase& phrase) {
  phrases.places[place] = phrase;
  const size_t count = phrases.places.size();
  if (++phrases.entered > count / 2 && count < kMaxPlaces) make_places(phrases, 2 * count);
}

// A phrase was new after `quiet` calls without one.
void doubt(PairMemo& memo, size_t quiet) {
  const size_t level = size_t{memo.doubt} + kCallsPerNew;
  memo.doubt = level > quiet ? static_cast<uint32_t>(level - quiet) : 0;
  if (quiet >= kMaxDoubt) memo.next_pause = 0;
  if (memo.doubt <= kMaxDoubt) return;
  memo.doubt = 0;
  memo.pause = memo.next_pause < kMinPause ? kMinPause : memo.next_pause;
  memo.next_pause = memo.pause < kMaxPause ? 2 * memo.pause : kMaxPause;
}

// From *i on one by one, at most to `to`. False: codes[*i] may not follow.
bool go_by_pairs(const uint8_t* memo, const uint8_t* codes, size_t* i, size_t to) {
  for (; *i < to; ++*i) {
    if (is_known_pair(memo, codes + *i - 1) == 0) return false;
  }
  return true;
}

// How far phrases are known, from i on. The first code of a phrase is the last of the one before, so that all pairs are
// in one.
size_t pass_phrases(const Phrases<uint64_t>& phrases, const uint8_t* codes, size_t i, size_t to) {
#pragma GCC unroll 4
  for (; to - i >= kPhrase - 1; i += kPhrase - 1) {
    const uint64_t phrase = phrase_at(codes + i - 1);
    if (phrases.places[place_of(phrases, phrase)] != phrase) break;
  }
  return i;
}

// The same as go_by_pairs by phrases, until less than one is left or a pause begins.
bool go_by_phrases(PairMemo& memo, const uint8_t* codes, size_t* i, size_t to) {
  if (memo.phrases.places.empty()) make_places(memo.phrases, kMinPlaces);
  size_t quiet_from = *i - memo.quiet;
  bool is_known = true;
  while (memo.pause == 0) {
    *i = pass_phrases(memo.phrases, codes, *i, to);
    if (to - *i < kPhrase - 1) break;
    const uint64_t phrase = phrase_at(codes + *i - 1);
    is_known = go_by_pairs(memo.pairs, codes, i, *i + kPhrase - 1);
    if (!is_known) break;
    enter(memo.phrases, place_of(memo.phrases, phrase), phrase);
    doubt(memo, *i - quiet_from);
    quiet_from = *i;
  }
  const size_t quiet = *i - quiet_from;
  memo.quiet = static_cast<uint32_t>(quiet < kMaxDoubt ? quiet : kMaxDoubt);
  return is_known;
}

// The same by blocks, as long as a pause lasts. False: something in the next block is not known.
bool go_by_blocks(PairMemo& memo, const uint8_t* codes, size_t* i, size_t to) {
  const size_t end = to - *i < memo.pause ? to : *i + memo.pause;
  size_t at = *i;
  while (end - at >= kBlock && are_known_pairs(memo.pairs, codes + at)) at += kBlock;
  memo.pause -= static_cast<uint32_t>(at - *i);
  *i = at;
  return end - at < kBlock;
}

// The same by what is fastest.
bool go_on(PairMemo& memo, const uint8_t* codes, size_t* i, size_t to) {
  while (to - *i >= kBlock) {
    if (memo.pause > 0 ? !go_by_blocks(memo, codes, i, to) : !go_by_phrases(memo, codes, i, to)) break;
  }
  return go_by_pairs(memo.pairs, codes, i, to);
}

size_t plain_pairs(PairMemo& memo, const uint8_t* codes, size_t from, size_t to) {
  size_t i = from;
  // Runs are often short: what ends them is looked for at once.
  if (go_by_pairs(memo.pairs, codes, &i, to - from < kNear ? to : from + kNear)) go_on(memo, codes, &i, to);
  return i;
}

#if defined(__x86_64__)

// 64 pairs at a time. `near` is eight registers, each a byte of every row: from picks the row in all of them, bits 3 to
// 5 of `to` the register, its lowest three the bit. Bit 3 is picked together with the row, as bit 6 of a permute of 128
// bytes.
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) size_t vbmi_pairs(PairMemo& memo, const uint8_t* codes,
                                                                         size_t from, size_t to) {
  size_t i = from;
  if (!go_by_pairs(memo.pairs, codes, &i, to - from < kNear ? to : from + kNear)) return i;
  const uint8_t* const near = memo.pairs + kPairCount;
  __m512i rows[8];
#pragma GCC unroll 8
  for (int k = 0; k < 8; k++) rows[k] = _mm512_loadu_si512(near + 64 * k);
  const __m512i first = _mm512_set1_epi8(kFirstCode);
  const __m512i bits = _mm512_set1_epi64(static_cast<int64_t>(0x8040201008040201));
  while (to - i >= kBlock) {
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
    if ((_mm512_test_epi8_mask(row, bit) & ~far) == ~uint64_t{0}) {
      i += kBlock;
      continue;
    }
    // Codes from 0x60 on are in the memo of pairs only. Where there is one there are more: it is asked for the next
    // blocks, too.
    constexpr size_t kMore = kPlainBlocks * kBlock;
    if (!go_on(memo, codes, &i, to - i < kMore ? to : i + kMore)) return i;
  }
  go_by_pairs(memo.pairs, codes, &i, to);
  return i;
}

#endif

// By the codes of a phrase and the last five before it: more than that a state of depth 6 does not know. So what is
// looked for does not wait for where the walk stands; that is only compared.
inline size_t place_of(const Phrases<StepPhrase>& phrases, uint64_t before, uint64_t phrase) {
  return place_of(phrases, phrase + (before >> 24) * 9);
}

// Goes on with `walked`, which has walked one phrase at least, as long as phrases are known and `size` has place for
// one. Answers where the next one would be.
size_t pass_phrases(const Phrases<StepPhrase>& phrases, const uint8_t* codes, size_t size, Walked* walked) {
  size_t count = walked->count;
  StepPhrase last{0, 0, static_cast<uint16_t>(walked->row), static_cast<uint16_t>(walked->former)};
  uint64_t before = phrase_at(codes + count - kPhrase);
  size_t place = 0;
  for (; size - count >= kPhrase; count += kPhrase) {
    const uint64_t phrase = phrase_at(codes + count);
    place = place_of(phrases, before, phrase);
    const StepPhrase& known = phrases.places[place];
    if (known.codes != phrase || known.begin != last.end) break;
    last = known;
    before = phrase;
  }
  *walked = {count, last.end, last.former};
  return place;
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

size_t first_unknown_pair(BatchForm form, PairMemo& memo, const uint8_t* codes, size_t from, size_t to) {
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
  Walked walked = walk_plainly(memo, codes, from, to - from < kPhrase ? to : from + kPhrase, row);
  if (walked.count < kPhrase) return walked;
  if (memo.phrases.places.empty()) make_places(memo.phrases, kMinPlaces);
  while (to - from - walked.count >= kPhrase) {
    const size_t place = pass_phrases(memo.phrases, codes + from, to - from, &walked);
    if (to - from - walked.count < kPhrase) break;
    const uint64_t phrase = phrase_at(codes + from + walked.count);
    const auto begin = static_cast<uint16_t>(walked.row);
    if (!go_on(memo, codes, from, from + walked.count + kPhrase, &walked)) return walked;
    enter(memo.phrases, place,
          {phrase, begin, static_cast<uint16_t>(walked.row), static_cast<uint16_t>(walked.former)});
  }
  go_on(memo, codes, from, to, &walked);
  return walked;
}

}  // namespace tracefp
