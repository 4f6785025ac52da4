#include "bench/naive.h"

#include <cstring>

namespace tracefp {

namespace {

constexpr size_t kWindow = 6;

uint64_t window_at(const uint8_t* codes) {
  uint64_t window = 0;
  for (size_t i = 0; i < kWindow; i++) window = window << 8 | codes[i];
  return window;
}

}  // namespace

uint64_t read_all(const uint8_t* bytes, size_t size) {
  using Words = uint64_t __attribute__((vector_size(16)));
  Words a{}, b{}, c{}, d{};
  for (size_t i = 0; i + 64 <= size; i += 64) {
    Words words[4];
    memcpy(words, bytes + i, sizeof(words));
    a ^= words[0], b ^= words[1], c ^= words[2], d ^= words[3];
  }
  const Words all = a ^ b ^ c ^ d;
  return all[0] ^ all[1];
}

size_t walk_table(const Table& table, const uint8_t* symbols, size_t count) {
  if (count == 0) return 0;
  size_t misses = 0;
  int32_t state = symbols[0];
  for (size_t i = 1; i < count; i++) {
    misses += table.allows(state, symbols[i]) ? 0 : 1;
    state = table.next(state, symbols[i]);
  }
  return misses;
}

size_t walk_tracks(const uint8_t* memo, uint8_t* last, const uint32_t* records, size_t count) {
  size_t misses = 0;
  for (size_t i = 0; i < count; i++) {
    const uint32_t track = records[i] >> 16;
    const uint32_t from = last[track];
    last[track] = static_cast<uint8_t>(records[i] >> 8);
    misses += memo[from | (records[i] & 0xff00)] ^ 1;
  }
  return misses;
}

std::unordered_set<uint32_t> pairs_of(const uint8_t* learned, size_t count) {
  std::unordered_set<uint32_t> pairs;
  for (size_t i = 1; i < count; i++) pairs.insert(learned[i - 1] << 8 | learned[i]);
  return pairs;
}

size_t count_in(const std::unordered_set<uint32_t>& pairs, const uint8_t* codes, size_t count) {
  size_t misses = 0;
  for (size_t i = 1; i < count; i++) misses += pairs.count(codes[i - 1] << 8 | codes[i]) == 0 ? 1 : 0;
  return misses;
}

std::unordered_set<uint64_t> windows_of(const uint8_t* learned, size_t count) {
  std::unordered_set<uint64_t> windows;
  for (size_t i = 0; i + kWindow <= count; i++) windows.insert(window_at(learned + i));
  return windows;
}

size_t count_in(const std::unordered_set<uint64_t>& windows, const uint8_t* codes, size_t count) {
  size_t misses = 0;
  for (size_t i = 0; i + kWindow <= count; i++) misses += windows.count(window_at(codes + i)) == 0 ? 1 : 0;
  return misses;
}

}  // namespace tracefp
