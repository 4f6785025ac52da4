#include "log/masks.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace tracefp;

namespace {

constexpr uint64_t kUntouched = 0x5a5a5a5a5a5a5a5a;

struct Masks {
  std::vector<uint64_t> line_feeds;
  std::vector<uint64_t> equals;
  bool operator==(const Masks&) const = default;
};

Masks masks_of(Simd simd, const uint8_t* data, size_t size) {
  const size_t blocks = (size + kBlockBytes - 1) / kBlockBytes;
  Masks masks{std::vector<uint64_t>(blocks + 1, kUntouched), std::vector<uint64_t>(blocks + 1, kUntouched)};
  mask_function(simd)(data, size, masks.line_feeds.data(), masks.equals.data());
  return masks;
}

// Byte by byte, as the header says it.
Masks plain_masks(const uint8_t* data, size_t size) {
  const size_t blocks = (size + kBlockBytes - 1) / kBlockBytes;
  Masks masks{std::vector<uint64_t>(blocks, 0), std::vector<uint64_t>(blocks, 0)};
  for (size_t i = 0; i < size; i++) {
    const uint64_t bit = uint64_t{1} << i % kBlockBytes;
    if (data[i] == '\n') masks.line_feeds[i / kBlockBytes] |= bit;
    if (data[i] == '=') masks.equals[i / kBlockBytes] |= bit;
  }
  masks.line_feeds.push_back(kUntouched);
  masks.equals.push_back(kUntouched);
  return masks;
}

std::vector<Simd> forms() {
  std::vector<Simd> forms;
  for (const Simd simd : {Simd::kPortable, Simd::kAvx2, Simd::kAvx512, Simd::kNeon})
    if (can_run(simd)) forms.push_back(simd);
  return forms;
}

}  // namespace

TEST_CASE("every form that runs here gives the masks that the plain loop gives, bit for bit") {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; round++) {
    const size_t size = random() % 400;
    const size_t offset = random() % 64;
    // All byte values, and few of them, so that neighbours of the searched bytes and the searched bytes themselves
    // abound.
    std::vector<uint8_t> data(offset + size);
    for (uint8_t& byte : data)
      byte = round % 2 == 0 ? random() % 256 : std::string("\n=\x0b\x09<>\x8a\xbd\0\x3f")[random() % 10];
    const Masks expected = plain_masks(data.data() + offset, size);
    for (const Simd simd : forms()) {
      CAPTURE(static_cast<int>(simd));
      CHECK(masks_of(simd, data.data() + offset, size) == expected);
    }
  }
}

TEST_CASE("the portable form runs everywhere, and the best one runs here") {
  CHECK(can_run(Simd::kPortable));
  CHECK(can_run(best_simd()));
}
