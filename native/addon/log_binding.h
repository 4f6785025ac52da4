// Node-API of native/log: class LogScanner.
#pragma once

#include <napi.h>

namespace tracefp {

Napi::Function define_log_scanner(Napi::Env env);

}  // namespace tracefp
