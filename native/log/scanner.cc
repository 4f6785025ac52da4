#include "log/scanner.h"

namespace tracefp {

LogScanner::LogScanner(Simd simd) : scan_(scan_function(simd)) {}

void LogScanner::set_prefix(const Prefix& prefix) {
  form_.prefix = prefix;
  form_.has_prefix = true;
  for (PrefixShape& shape : form_.shapes) shape = {};
}

bool LogScanner::set_name(const char* name, size_t length, uint16_t number) {
  return form_.names.set(name, length, number);
}

bool LogScanner::set_word(const char* name, size_t length, uint16_t word) {
  return form_.names.set_word(name, length, word);
}

ScanResult LogScanner::scan(const uint8_t* data, size_t size, LogEntry* entries, size_t capacity) {
  return scan_(form_, data, size, entries, capacity);
}

}  // namespace tracefp
