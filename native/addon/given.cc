#include "addon/given.h"

namespace tracefp {

namespace {

std::string bytes_of(const Napi::Value& value) {
  if (!value.IsTypedArray()) return text_of(value);
  const auto bytes = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()};
}

Napi::Value valid(napi_env env, napi_status status, napi_value value) {
  return status == napi_ok ? Napi::Value(env, value) : Napi::Env(env).Undefined();
}

std::vector<Napi::Value> elements_of(const Napi::Value& array) {
  const napi_env env = array.Env();
  uint32_t length = 0;
  if (napi_get_array_length(env, array, &length) != napi_ok) return {};
  std::vector<Napi::Value> elements;
  elements.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element = nullptr;
    const napi_status status = napi_get_element(env, array, i, &element);
    elements.push_back(valid(env, status, element));
  }
  return elements;
}

}  // namespace

Napi::Value get(const Napi::Value& object, const char* name) {
  const napi_env env = object.Env();
  if (!object.IsObject()) return Napi::Env(env).Undefined();
  napi_value value = nullptr;
  const napi_status status = napi_get_named_property(env, object, name, &value);
  return valid(env, status, value);
}

int32_t int32_of(const Napi::Value& value) { return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : 0; }

uint32_t uint32_of(const Napi::Value& value) { return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0; }

int64_t int64_of(const Napi::Value& value) { return value.IsNumber() ? value.As<Napi::Number>().Int64Value() : 0; }

bool flag_of(const Napi::Value& value) { return value.IsBoolean() && value.As<Napi::Boolean>().Value(); }

std::string text_of(const Napi::Value& value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

std::vector<std::string> strings_of(const Napi::Value& array) {
  std::vector<std::string> strings;
  for (const Napi::Value& element : elements_of(array)) strings.push_back(bytes_of(element));
  return strings;
}

std::vector<int32_t> int32s_of(const Napi::Value& array) {
  std::vector<int32_t> numbers;
  for (const Napi::Value& element : elements_of(array)) numbers.push_back(int32_of(element));
  return numbers;
}

}  // namespace tracefp
