// What JavaScript gave. In a worker that is being terminated nothing of an object can be read any more, and what the
// C++ wrapper answers then has no environment: to use it is fatal. These answer undefined, 0, false or "" instead, so
// that whoever is about to act on what was read must ask whether JavaScript still runs.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tracefp {

// Undefined too where it is no object.
Napi::Value get(const Napi::Value& object, const char* name);

// As they are: nothing is made of another type.
int32_t int32_of(const Napi::Value& value);
uint32_t uint32_of(const Napi::Value& value);
int64_t int64_of(const Napi::Value& value);
bool flag_of(const Napi::Value& value);
std::string text_of(const Napi::Value& value);

// Arguments and variables are bytes to the kernel, and need be no UTF-8: texts may come as Uint8Array.
std::vector<std::string> strings_of(const Napi::Value& array);
std::vector<int32_t> int32s_of(const Napi::Value& array);

}  // namespace tracefp
