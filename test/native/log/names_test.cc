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

uint16_t find(const NameTable& table, const std::string& name) {
  NameWords words;
  REQUIRE(read(name + "(", '(', &words));
  CHECK(words.length == name.size());
  const std::string readable = name + std::string(40, '(');
  CHECK(table.find(words) ==
        table.find(reinterpret_cast<const uint8_t*>(readable.data()), static_cast<uint32_t>(name.size())));
  return table.find(words);
}

bool add(NameTable& table, const std::string& name, uint16_t number) {
  return table.set(name.data(), name.size(), number);
}

}  // namespace

TEST_CASE("names of every length up to 31 bytes are found, and are not mistaken for each other") {
  NameTable table;
  const std::string letters = "abcdefghijklmnopqrstuvwxyz_01234";
  for (uint16_t length = 1; length <= kNameBytes; length++) CHECK(add(table, letters.substr(0, length), length));
  for (uint16_t length = 1; length <= kNameBytes; length++) {
    CHECK(find(table, letters.substr(0, length)) == length);
    CHECK(find(table, letters.substr(1, length - 1U) + "Z") == kNoName);
  }
  NameWords words;
  CHECK_FALSE(read(letters + "(", '(', &words));
  CHECK_FALSE(add(table, letters, 1));
  CHECK_FALSE(add(table, "", 1));
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

TEST_CASE("a name with zeros behind it is another one") {
  NameTable table;
  CHECK(add(table, "mmap", 9));
  CHECK(find(table, std::string("mmap\0\0", 6)) == kNoName);
  CHECK(find(table, "mmap") == 9);
}

TEST_CASE("a name has the number that it was given last") {
  NameTable table;
  CHECK(add(table, "read", 7));
  CHECK(add(table, "read", 8));
  CHECK(find(table, "read") == 8);
  CHECK(add(table, "execve", kSpecialName));
  CHECK(find(table, "execve") == kSpecialName);
}

TEST_CASE("a full table takes no more names and still finds those that it has, and none that it has not") {
  NameTable table;
  uint16_t count = 0;
  while (!table.is_full()) {
    CHECK(add(table, "name" + std::to_string(count), count));
    count++;
  }
  CHECK_FALSE(add(table, "one_more", 1));
  CHECK(find(table, "one_more") == kNoName);
  for (uint16_t i = 0; i < count; i++) CHECK(find(table, "name" + std::to_string(i)) == i);
  CHECK(add(table, "name7", 70));
  CHECK(find(table, "name7") == 70);
}
