// What is needed of node:crypto whenever a program is checked: that module, with the streams it brings, takes longer to
// load than all else that a short run needs of Node. The hash is OpenSSL's, which Node carries and offers to addons.
//
//   sha256(bytes) -> string           in hexadecimal digits; not there where this Node offers no OpenSSL
//   randomBytes(count) -> Uint8Array  at most 256
#include "addon/hash_binding.h"

#include <sys/random.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

// As in <openssl/sha.h>, which only those have who build Node.
extern "C" [[gnu::weak, gnu::visibility("default")]] unsigned char* SHA256(const unsigned char* data, size_t size,
                                                                           unsigned char* digest);

namespace tracefp {

namespace {

constexpr size_t kDigestBytes = 32;
// So many getrandom(2) gives at once.
constexpr uint32_t kRandomLimit = 256;

Napi::Value sha256(const Napi::CallbackInfo& info) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto bytes = info[0].As<Napi::Uint8Array>();
  unsigned char digest[kDigestBytes];
  SHA256(bytes.Data(), bytes.ByteLength(), digest);
  char text[2 * kDigestBytes];
  for (size_t i = 0; i < kDigestBytes; i++) {
    text[2 * i] = kDigits[digest[i] >> 4];
    text[2 * i + 1] = kDigits[digest[i] & 15];
  }
  return Napi::String::New(info.Env(), text, sizeof(text));
}

Napi::Value random_bytes(const Napi::CallbackInfo& info) {
  const uint32_t count = std::min(info[0].As<Napi::Number>().Uint32Value(), kRandomLimit);
  auto bytes = Napi::Uint8Array::New(info.Env(), count);
  while (getrandom(bytes.Data(), count, 0) != static_cast<ssize_t>(count)) {
  }
  return bytes;
}

}  // namespace

void define_hashes(Napi::Env env, Napi::Object exports) {
  if (SHA256 != nullptr) exports.Set("sha256", Napi::Function::New(env, sha256));
  exports.Set("randomBytes", Napi::Function::New(env, random_bytes));
}

}  // namespace tracefp
