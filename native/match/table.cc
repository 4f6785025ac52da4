#include "match/table.h"

namespace tracefp {

namespace {

// Indexes of header words: src/model/table-layout.ts.
enum Word : uint32_t {
  kMagic = 0,
  kVersion = 1,
  kByteLength = 2,
  kSymbolCount = 4,
  kStateCount = 5,
  kWordsPerRow = 6,
  kRows = 8,
  kNext = 9,
  kLookup = 10,
  kBlockCount = 11,
  kExtras = 12,
  kExtraCount = 13,
  kSignals = 14,
  kExec = 16,
  kThread = 17,
  kFork = 18,
  kAbiBlock = 20,
};

constexpr size_t kHeaderBytes = 128;

int32_t start_state(int32_t symbol) { return symbol < 0 ? kUnseenStart : symbol; }

}  // namespace

std::optional<Table> Table::open(const void* bytes, size_t size) {
  if (size < kHeaderBytes || reinterpret_cast<uintptr_t>(bytes) % 4 != 0) return std::nullopt;
  const auto* base = static_cast<const uint8_t*>(bytes);
  const auto* words = static_cast<const uint32_t*>(bytes);
  if (words[kMagic] != kTableMagic || words[kVersion] != kTableVersion || words[kByteLength] != size) {
    return std::nullopt;
  }
  // No product of two 32-bit numbers overflows here.
  const auto fits = [&](uint32_t offset, uint64_t count, uint64_t unit) {
    return offset % 4 == 0 && offset <= size && count <= (size - offset) / unit;
  };
  const uint64_t row_words = uint64_t{words[kStateCount]} * words[kWordsPerRow];
  const uint64_t next_words = words[kNext] == 0 ? 0 : uint64_t{words[kStateCount]} * words[kSymbolCount];
  if (!fits(words[kRows], row_words, 4) || !fits(words[kNext], next_words, 4) ||
      !fits(words[kLookup], words[kBlockCount], kLookupSize * 2) || !fits(words[kExtras], words[kExtraCount], 12) ||
      !fits(words[kSignals], kSignalLimit, 2)) {
    return std::nullopt;
  }

  Table table;
  table.bytes_ = bytes;
  table.size_ = static_cast<uint32_t>(size);
  table.row_bytes_ = static_cast<uint32_t>(row_words * 4);
  table.rows_ = reinterpret_cast<const uint32_t*>(base + words[kRows]);
  if (words[kNext] != 0) table.next_ = reinterpret_cast<const uint32_t*>(base + words[kNext]);
  table.lookup_ = reinterpret_cast<const int16_t*>(base + words[kLookup]);
  table.extras_ = reinterpret_cast<const int32_t*>(base + words[kExtras]);
  table.signals_ = reinterpret_cast<const int16_t*>(base + words[kSignals]);
  table.words_per_row_ = words[kWordsPerRow];
  table.symbol_count_ = words[kSymbolCount];
  table.extra_count_ = words[kExtraCount];
  for (uint32_t abi = 0; abi < kAbiLimit; abi++) {
    table.blocks_[abi] = words[kAbiBlock + abi];
    if (table.blocks_[abi] >= words[kBlockCount]) return std::nullopt;
  }
  const Word starts[] = {kExec, kThread, kFork};
  for (int i = 0; i < 3; i++) table.starts_[i] = start_state(static_cast<int32_t>(words[starts[i]]));
  return table;
}

int32_t Table::extra_of(const Call& call) const {
  const auto abi = static_cast<int32_t>(call.abi);
  uint32_t low = 0;
  uint32_t high = extra_count_;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const int32_t* extra = extras_ + middle * size_t{3};
    if (extra[0] == abi && extra[1] == call.nr) return extra[2];
    if (extra[0] < abi || (extra[0] == abi && extra[1] < call.nr)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return kNoSymbol;
}

TableParts Table::parts() const {
  const auto offset = [this](const void* part) {
    return static_cast<uint32_t>(static_cast<const uint8_t*>(part) - static_cast<const uint8_t*>(bytes_));
  };
  return {bytes_,          size_,          offset(rows_), row_bytes_, next_ == nullptr ? 0 : offset(next_),
          offset(lookup_), words_per_row_, symbol_count_, blocks_};
}

int32_t Table::start_of(Start start) const { return starts_[static_cast<uint8_t>(start)]; }

int32_t Table::start_of_signal(int signal) const {
  if (signal < 0 || signal >= static_cast<int>(kSignalLimit)) return kUnseenStart;
  return start_state(signals_[signal]);
}

}  // namespace tracefp
