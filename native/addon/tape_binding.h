// TapePlayer for JavaScript: see tape_binding.cc.
#pragma once

#include <napi.h>

namespace tracefp {

Napi::Function define_tape_player(Napi::Env env);

}  // namespace tracefp
