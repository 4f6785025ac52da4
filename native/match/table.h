// Native reader of a transition table. The bytes are those that TypeScript compiled (src/model/table-layout.ts has the
// layout) and stand in a SharedArrayBuffer: they are the same for both, and never change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "syscall/abi.h"

namespace tracefp {

constexpr uint32_t kTableMagic = 0x42544654;  // "TFTB"
constexpr uint32_t kTableVersion = 3;

// Symbols that are none.
constexpr int32_t kNoSymbol = -1;     // the program was never seen to make the call
constexpr int32_t kTransparent = -2;  // the call is no part of transitions

// States that are none; the same as in src/match/track.ts.
constexpr int32_t kNoState = -1;      // the chain is broken: the next transition is not judged
constexpr int32_t kUnseenStart = -2;  // the track began as no track of this program ever did: what comes is a miss
constexpr int32_t kJoined = -3;       // met mid-stream: its next call is not judged at all

// Where the parts of a table stand in its bytes, for those who read them elsewhere: the kernel half of engine `ebpf`.
struct TableParts {
  const void* bytes;
  uint32_t size;
  uint32_t rows;
  uint32_t row_bytes;  // of all rows
  uint32_t next;       // 0: depth 2, the next state is the symbol
  uint32_t lookup;
  uint32_t words_per_row;
  uint32_t symbol_count;
  const uint32_t* blocks;  // of each ABI code
};

enum class Start : uint8_t { kExec, kThread, kFork };

class Table {
 public:
  // Nothing: these bytes are no table of this layout. They must outlive the table, and be aligned to 4.
  static std::optional<Table> open(const void* bytes, size_t size);

  // The symbol of a call, kNoSymbol or kTransparent.
  int32_t symbol_of(const Call& call) const {
    const auto abi = static_cast<uint32_t>(call.abi);
    if (static_cast<uint32_t>(call.nr) < kLookupSize && abi < kAbiLimit) {
      return lookup_[blocks_[abi] * kLookupSize + static_cast<uint32_t>(call.nr)];
    }
    return extra_of(call);
  }

  // Whether `symbol` may follow `state`; both are none of the constants above.
  bool allows(int32_t state, int32_t symbol) const {
    const auto word = static_cast<uint32_t>(symbol) >> 5;
    return ((rows_[static_cast<uint32_t>(state) * words_per_row_ + word] >> (symbol & 31)) & 1) != 0;
  }

  // Sets the bit of the transition in `used`, words that stand as the rows of the table do.
  void mark(uint32_t* used, int32_t state, int32_t symbol) const {
    used[static_cast<uint32_t>(state) * words_per_row_ + (static_cast<uint32_t>(symbol) >> 5)] |= uint32_t{1}
                                                                                                  << (symbol & 31);
  }

  // The state after `symbol` in `state`, allowed or not. Depth 2: the symbol itself.
  int32_t next(int32_t state, int32_t symbol) const {
    if (next_ == nullptr) return symbol;
    return static_cast<int32_t>(next_[static_cast<uint32_t>(state) * symbol_count_ + static_cast<uint32_t>(symbol)]);
  }

  // The state after a START symbol; kUnseenStart: never learned.
  int32_t start_of(Start start) const;
  int32_t start_of_signal(int signal) const;

  TableParts parts() const;

  static constexpr uint32_t kAbiLimit = 8;

 private:
  static constexpr uint32_t kLookupSize = 1024;
  static constexpr uint32_t kSignalLimit = 65;

  Table() = default;
  int32_t extra_of(const Call& call) const;

  const void* bytes_ = nullptr;
  uint32_t size_ = 0;
  uint32_t row_bytes_ = 0;
  const uint32_t* rows_ = nullptr;
  const uint32_t* next_ = nullptr;
  const int16_t* lookup_ = nullptr;
  const int32_t* extras_ = nullptr;  // {abi, nr, symbol}, sorted by (abi, nr)
  const int16_t* signals_ = nullptr;
  uint32_t words_per_row_ = 0;
  uint32_t symbol_count_ = 0;
  uint32_t extra_count_ = 0;
  uint32_t blocks_[kAbiLimit] = {};
  int32_t starts_[3] = {};
};

}  // namespace tracefp
