// sha256 and randomBytes for JavaScript: see hash_binding.cc.
#pragma once

#include <napi.h>

namespace tracefp {

void define_hashes(Napi::Env env, Napi::Object exports);

}  // namespace tracefp
