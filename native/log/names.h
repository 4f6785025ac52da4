// The names of calls in the log being read, as the reader in TypeScript met and numbered them. What a name means is not
// known here.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "log/words.h"

namespace tracefp {

// The number of a name. Given to names of which every line is handed on: exec, clone, rt_sigaction ...
constexpr uint16_t kSpecialName = 0xffff;
// No number: not in the table.
constexpr uint16_t kNoName = 0xfffe;

constexpr size_t kNameBytes = 31;

// What words of strace are made of.
inline bool is_name_byte(uint8_t byte) {
  return static_cast<uint8_t>((byte | 0x20) - 'a') < 26 || static_cast<uint8_t>(byte - '0') < 10 || byte == '_';
}

// A name as words that are zero past its end.
struct NameWords {
  uint64_t words[4];
  uint32_t length;
};

// Mask of the bytes before the first one found; of all when there is none.
inline uint64_t bytes_before(uint64_t found) { return found == 0 ? ~uint64_t{0} : (found & -found) / 0x80 - 1; }

// Word 24 + n has its first n bytes set: none below 0, all from 8 on.
struct KeptBytes {
  uint64_t words[24 + kNameBytes + 1] = {};
  constexpr KeptBytes() {
    for (size_t i = 24; i < std::size(words); i++)
      words[i] = i >= 32 ? ~uint64_t{0} : (uint64_t{1} << 8 * (i - 24)) - 1;
  }
};
inline constexpr KeptBytes kKeptBytes;

// As read_name, for names that are longer than 15 bytes.
bool read_long_name(const uint8_t* text, char end, NameWords* name);

// The text up to the first `end`, which must come within kNameBytes: false otherwise. 32 bytes must be readable. The
// bytes are not looked at for what they are.
inline bool read_name(const uint8_t* text, char end, NameWords* name) {
  const uint64_t pattern = repeated(end);
  const uint64_t found[2] = {equal_bytes(load_word(text), pattern), equal_bytes(load_word(text + 8), pattern)};
  if ((found[0] | found[1]) == 0) return read_long_name(text, end, name);
  // Without a branch: names of up to seven bytes and longer ones come in no order.
  name->words[0] = load_word(text) & bytes_before(found[0]);
  name->words[1] = load_word(text + 8) & bytes_before(found[1]) & (found[0] == 0 ? ~uint64_t{0} : 0);
  name->words[2] = 0;
  name->words[3] = 0;
  name->length =
      static_cast<uint32_t>(found[0] == 0 ? 64 + std::countr_zero(found[1]) : std::countr_zero(found[0])) / 8;
  return true;
}

// Open addressing over a fixed number of slots.
class NameTable {
 public:
  NameTable();

  // Adds the name, or gives it another number. False when the table is full, or the name too long.
  bool set(const char* text, size_t length, uint16_t number);

  // kNoName when it is not in the table.
  uint16_t find(const NameWords& name) const {
    for (size_t at = slot_of(name.words);; at = (at + 1) & kSlotMask) {
      const Slot& slot = slots_[at];
      const uint64_t difference = (slot.words[0] ^ name.words[0]) | (slot.words[1] ^ name.words[1]) |
                                  (slot.words[2] ^ name.words[2]) | (slot.words[3] ^ name.words[3]);
      // Bytes that are 0 look like what is past the end of a name.
      if ((difference == 0 && slot.length == name.length) || slot.number == kNoName) return slot.number;
    }
  }

  // The same for the `length` bytes at `text`, at most kNameBytes; kNameBytes + 1 must be readable.
  uint16_t find(const uint8_t* text, uint32_t length) const {
    const uint64_t* const kept = kKeptBytes.words + length;
    const uint64_t first = load_word(text) & kept[24];
    const uint64_t second = load_word(text + 8) & kept[16];
    // Of a name of up to 16 bytes the other words are 0, in its slot too.
    const Slot& slot = slots_[slot_of({first, second, 0, 0})];
    if (((slot.words[0] ^ first) | (slot.words[1] ^ second) | (slot.length ^ length)) == 0) return slot.number;
    return find_rare(text, length);
  }

  // What a name of the table is in facts, which is not 0. False when it is not in the table.
  bool set_word(const char* text, size_t length, uint16_t word);

  // 0 when there is none.
  uint16_t word_of(const NameWords& name) const;

  bool is_full() const { return count_ == kLimit; }

 private:
  static constexpr size_t kSlotMask = 4095;
  static constexpr size_t kLimit = 2048;

  struct alignas(64) Slot {
    uint64_t words[4] = {};
    uint32_t length = 0;
    uint16_t number = kNoName;
    uint16_t word = 0;
  };

  // Null when the name is not in the table.
  const Slot* slot_with(const NameWords& name) const;

  // A longer name, or one that another has the place of, or none.
  uint16_t find_rare(const uint8_t* text, uint32_t length) const;

  static size_t slot_of(const uint64_t (&words)[4]) {
    return ((words[0] ^ words[1] ^ words[2] << 7 ^ words[3] << 13) * 0x9e3779b97f4a7c15) >> 52;
  }

  std::vector<Slot> slots_;
  size_t count_ = 0;
};

}  // namespace tracefp
