#include "log/names.h"

#include <doctest/doctest.h>

#include <string>

using namespace tracefp;

namespace {

bool read(const std::string& text, char end, NameWords* name) {
  std::string readable = text;
  readable.resize(text.size() + 40);
  return read_name(reinterpret_cast<const uint8_t*>(readable.data()), end, name);
}

const Meaning* find(const NameTable& table, uint8_t mode, const std::string& name) {
  NameWords words;
  REQUIRE(read(name + "(", '(', &words));
  CHECK(words.length == name.size());
  return table.find(mode, words);
}

void add(NameTable& table, uint8_t mode, const std::string& name, int32_t nr) {
  CHECK(table.add(mode, name.data(), name.size(), {nr, 1, NameKind::kOrdinary}));
}

}  // namespace

TEST_CASE("names of every length up to 31 bytes are found, and are not mistaken for each other") {
  NameTable table;
  const std::string letters = "abcdefghijklmnopqrstuvwxyz_01234";
  for (size_t length = 1; length <= kNameBytes; length++)
    add(table, 0, letters.substr(0, length), static_cast<int32_t>(length));
  for (size_t length = 1; length <= kNameBytes; length++) {
    const Meaning* const meaning = find(table, 0, letters.substr(0, length));
    REQUIRE(meaning != nullptr);
    CHECK(meaning->nr == static_cast<int32_t>(length));
    CHECK(find(table, 1, letters.substr(0, length)) == nullptr);
    CHECK(find(table, 0, letters.substr(1, length - 1) + "Z") == nullptr);
  }
  NameWords words;
  CHECK_FALSE(read(letters + "(", '(', &words));
  CHECK_FALSE(table.add(0, letters.data(), letters.size(), {1, 1, NameKind::kOrdinary}));
  CHECK_FALSE(table.add(0, letters.data(), 0, {1, 1, NameKind::kOrdinary}));
}

TEST_CASE("a name ends at the first byte that ends it, whatever stands behind") {
  NameWords words;
  NameWords same;
  for (const std::string name : {"read", "restart", "set_robust_list", "sched_rr_get_interval_time64"}) {
    REQUIRE(read(name + "((((((((((((((", '(', &words));
    REQUIRE(read(name + "(\xff\x28\x00 x", '(', &same));
    CHECK(memcmp(words.words, same.words, sizeof(words.words)) == 0);
    REQUIRE(read(name + " resumed>", ' ', &same));
    CHECK(memcmp(words.words, same.words, sizeof(words.words)) == 0);
  }
}

TEST_CASE("a name means in each mode what was said last") {
  NameTable table;
  add(table, 0, "read", 0);
  add(table, 1, "read", 3);
  CHECK(find(table, 0, "read")->nr == 0);
  CHECK(find(table, 1, "read")->nr == 3);
  add(table, 0, "read", 63);
  CHECK(find(table, 0, "read")->nr == 63);
}

TEST_CASE("a full table takes no more names and still finds those that it has and that it has not") {
  NameTable table;
  int32_t count = 0;
  while (!table.is_full()) {
    add(table, 0, "name" + std::to_string(count), count);
    count++;
  }
  const std::string more = "one_more";
  CHECK_FALSE(table.add(0, more.data(), more.size(), {1, 1, NameKind::kOrdinary}));
  CHECK(find(table, 0, more) == nullptr);
  for (int32_t i = 0; i < count; i++) CHECK(find(table, 0, "name" + std::to_string(i))->nr == i);
  add(table, 0, "name7", 70);
  CHECK(find(table, 0, "name7")->nr == 70);
}
