// Node-API of native/bench: functions for `tracefp bench`.
#pragma once

#include <napi.h>

namespace tracefp {

Napi::Object make_bench(Napi::Env env);

}  // namespace tracefp
