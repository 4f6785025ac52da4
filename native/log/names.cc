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

bool NameTable::set(const char* text, size_t length, uint16_t number) {
  if (length == 0 || length > kNameBytes) return false;
  NameWords name{};
  memcpy(name.words, text, length);
  size_t at = slot_of(name.words);
  for (; slots_[at].number != kNoName; at = (at + 1) & kSlotMask) {
    if (slots_[at].length != length || memcmp(slots_[at].words, name.words, sizeof(name.words)) != 0) continue;
    slots_[at].number = number;
    return true;
  }
  if (is_full()) return false;
  memcpy(slots_[at].words, name.words, sizeof(name.words));
  slots_[at].length = static_cast<uint32_t>(length);
  slots_[at].number = number;
  count_++;
  return true;
}

const NameTable::Slot* NameTable::slot_with(const NameWords& name) const {
  for (size_t at = slot_of(name.words); slots_[at].number != kNoName; at = (at + 1) & kSlotMask)
    if (slots_[at].length == name.length && memcmp(slots_[at].words, name.words, sizeof(name.words)) == 0)
      return &slots_[at];
  return nullptr;
}

bool NameTable::set_word(const char* text, size_t length, uint16_t word) {
  if (length == 0 || length > kNameBytes) return false;
  NameWords name{};
  memcpy(name.words, text, length);
  name.length = static_cast<uint32_t>(length);
  const Slot* const slot = slot_with(name);
  if (slot != nullptr) slots_[static_cast<size_t>(slot - slots_.data())].word = word;
  return slot != nullptr;
}

uint16_t NameTable::word_of(const NameWords& name) const {
  const Slot* const slot = slot_with(name);
  return slot == nullptr ? 0 : slot->word;
}

uint16_t NameTable::find_rare(const uint8_t* text, uint32_t length) const {
  const uint64_t* const kept = kKeptBytes.words + length;
  return find({{load_word(text) & kept[24], load_word(text + 8) & kept[16], load_word(text + 16) & kept[8],
                load_word(text + 24) & kept[0]},
               length});
}

}  // namespace tracefp
