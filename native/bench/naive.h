// What `tracefp bench` compares the matchers with: the same answer as one would write it without thinking of speed, the
// table one call at a time, and how fast memory can be read at all. Nothing else uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "match/table.h"

namespace tracefp {

// The exclusive or of all words: the least that can be done with every byte. `size` is divisible by 64.
uint64_t read_all(const uint8_t* bytes, size_t size);

// How many of the symbols may not follow what is before them; the first one is where it begins. All are symbols of the
// table.
size_t walk_table(const Table& table, const uint8_t* symbols, size_t count);

// The same for calls of many tracks that stand decoded in an array, each as track << 16 | code << 8, against a memo of
// pairs (match/batch.h). `last` has a place for each track, 0 where it has made no call. What the first calls of tracks
// follow is not known, so they count.
size_t walk_tracks(const uint8_t* memo, uint8_t* last, const uint32_t* records, size_t count);

// How many pairs of neighbours, or sequences of six, are not among those of `learned`: sets of numbers.
std::unordered_set<uint32_t> pairs_of(const uint8_t* learned, size_t count);
size_t count_in(const std::unordered_set<uint32_t>& pairs, const uint8_t* codes, size_t count);
std::unordered_set<uint64_t> windows_of(const uint8_t* learned, size_t count);
size_t count_in(const std::unordered_set<uint64_t>& windows, const uint8_t* codes, size_t count);

}  // namespace tracefp
