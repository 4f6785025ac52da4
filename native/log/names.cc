#include "log/names.h"

namespace tracefp {

bool read_long_name(const uint8_t* text, char end, NameWords* name) {
  const uint64_t pattern = repeated(end);
  for (unsigned i = 0; i < 4; i++) {
    const uint64_t word = load_word(text + 8 * i);
    const uint64_t found = equal_bytes(word, pattern);
    name->words[i] = word & bytes_before(found);
    if (found == 0) continue;
    name->length = 8 * i + static_cast<uint32_t>(std::countr_zero(found)) / 8;
    while (++i < 4) name->words[i] = 0;
    return true;
  }
  return false;
}

NameTable::NameTable() : slots_(kSlotMask + 1) {}

bool NameTable::add(uint8_t mode, const char* text, size_t length, const Meaning& meaning) {
  if (length == 0 || length > kNameBytes) return false;
  uint64_t words[4] = {};
  memcpy(words, text, length);
  size_t at = slot_of(mode, words);
  for (; slots_[at].is_used; at = (at + 1) & kSlotMask) {
    Slot& slot = slots_[at];
    if (slot.mode != mode || memcmp(slot.words, words, sizeof(words)) != 0) continue;
    slot.meaning = meaning;
    return true;
  }
  if (is_full()) return false;
  memcpy(slots_[at].words, words, sizeof(words));
  slots_[at].meaning = meaning;
  slots_[at].mode = mode;
  slots_[at].is_used = true;
  count_++;
  return true;
}

}  // namespace tracefp
