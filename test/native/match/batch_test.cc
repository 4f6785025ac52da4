#include "match/batch.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace tracefp;

namespace {

// One pair at a time, as the header says it.
size_t one_by_one(const uint8_t* memo, const uint8_t* codes, size_t from, size_t to) {
  for (size_t i = from; i < to; i++)
    if (memo[codes[i - 1] | codes[i] << 8] == 0) return i;
  return to;
}

void allow(std::vector<uint8_t>& memo, unsigned from, unsigned to) {
  memo[from | to << 8] = 1;
  if (from - kFirstCode < 64 && to - kFirstCode < 64)
    memo[kPairCount + (to - kFirstCode) / 8 * 64 + from - kFirstCode] |= 1 << (to - kFirstCode) % 8;
}

std::vector<BatchForm> forms() {
  std::vector<BatchForm> forms;
  for (const BatchForm form : {BatchForm::kPlain, BatchForm::kVbmi})
    if (can_run(form)) forms.push_back(form);
  return forms;
}

}  // namespace

TEST_CASE("every form that runs here finds the unknown pair that the plain loop finds") {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; round++) {
    // Of few codes, of all that the vectors hold, and of more; with a few wrong bytes anywhere, of any value.
    const unsigned alphabet = round % 3 == 0 ? 3 : round % 3 == 1 ? 64 : 224;
    const size_t size = 1 + random() % 700;
    std::vector<uint8_t> codes(size);
    std::vector<uint8_t> memo(kPairMemoBytes);
    for (uint8_t& code : codes) code = kFirstCode + random() % alphabet;
    for (size_t i = 1; i < size; i++) allow(memo, codes[i - 1], codes[i]);
    for (unsigned wrong = random() % 3; wrong > 0; wrong--) codes[random() % size] = random() % 256;
    const size_t from = 1 + random() % size;
    const size_t to = from + random() % (size - from + 1);
    const size_t expected = one_by_one(memo.data(), codes.data(), from, to);
    // A copy of its own size: a form that reads outside of it is seen by the sanitizer.
    const std::vector<uint8_t> exact(codes.begin() + static_cast<long>(from) - 1,
                                     codes.begin() + static_cast<long>(to));
    for (const BatchForm form : forms()) {
      PairMemo pairs{memo.data()};
      // The second time there are phrases.
      for (int again = 0; again < 2; again++)
        CHECK(first_unknown_pair(form, pairs, exact.data(), 1, exact.size()) + from - 1 == expected);
    }
  }
}

TEST_CASE("what repeats itself, and what does not, is judged as one pair at a time would be") {
  std::mt19937 random(3);
  std::vector<uint8_t> memo(kPairMemoBytes);
  for (unsigned from = 0; from < 100; from++)
    for (unsigned to = 0; to < 100; to++)
      if (random() % 50 != 0) allow(memo, kFirstCode + from, kFirstCode + to);
  // Long enough for tables of phrases to grow, and for pauses in which there are none.
  std::vector<uint8_t> codes(200000);
  unsigned last = 0;
  for (size_t i = 0; i < codes.size(); i++) {
    const bool repeats = i % 50000 >= 20000 && random() % 100 != 0;
    unsigned next = repeats ? codes[i - 30] - kFirstCode : random() % 100;
    while (memo[(kFirstCode + last) | (kFirstCode + next) << 8] == 0) next = random() % 100;
    codes[i] = static_cast<uint8_t>(kFirstCode + next);
    last = next;
  }
  for (const BatchForm form : forms()) {
    PairMemo pairs{memo.data()};
    CHECK(first_unknown_pair(form, pairs, codes.data(), 1, codes.size()) == codes.size());
    for (int round = 0; round < 300; round++) {
      const size_t wrong = 1 + random() % (codes.size() - 1);
      const uint8_t right = codes[wrong];
      codes[wrong] = static_cast<uint8_t>(random() % 256);
      const size_t from = 1 + random() % wrong;
      const size_t to = from + random() % (codes.size() - from + 1);
      CHECK(first_unknown_pair(form, pairs, codes.data(), from, to) == one_by_one(memo.data(), codes.data(), from, to));
      codes[wrong] = right;
    }
  }
}

TEST_CASE("steps that are walked by phrases end where they end one at a time") {
  std::mt19937 random(2);
  for (int round = 0; round < 400; round++) {
    const unsigned alphabet = 2 + random() % 60;
    const unsigned states = 1 + random() % 300;
    const unsigned unit = (kFirstCode + alphabet + 7) / 8;
    std::vector<uint16_t> steps(8 * unit * (states + 1) + 256);
    // Nearly all is known, and after a few codes it does not matter where a flow began; or everything matters.
    const bool forgets = round % 2 == 0;
    for (unsigned state = 1; state <= states; state++) {
      for (unsigned code = 0; code < alphabet; code++) {
        const unsigned next = forgets ? code % states : random() % states;
        if (random() % 4000 != 0) steps[8 * unit * state + kFirstCode + code] = unit * (next + 1);
      }
    }
    std::vector<uint8_t> codes(random() % 5000);
    for (uint8_t& code : codes) code = kFirstCode + random() % alphabet;
    // What was before comes again, in the same rows and in others.
    for (size_t i = 40; i < codes.size(); i++)
      if (round % 3 != 0 && random() % 50 != 0) codes[i] = codes[i - 24 - random() % 2];
    if (round % 5 == 0 && !codes.empty()) codes[random() % codes.size()] = random() % 256;
    StepMemo memo;
    memo.steps = steps.data();
    memo.limit = kFirstCode + alphabet;
    for (int again = 0; again < 3; again++) {
      const size_t from = codes.empty() ? 0 : random() % codes.size();
      const uint32_t row = random() % 5 == 0 ? 0 : unit * (1 + random() % states);
      const Walked plain = walk_plainly(memo, codes.data(), from, codes.size(), row);
      const Walked walked = walk_steps(memo, codes.data(), from, codes.size(), row);
      CHECK(walked.count == plain.count);
      CHECK(walked.row == plain.row);
      CHECK(walked.former == plain.former);
    }
  }
}
