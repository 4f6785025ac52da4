// The scanner of logs, called on bytes that JavaScript holds: no thread, nothing of them kept, nothing allocated per
// call.
//
//   new LogScanner(simd)                      '' = the fastest; a form that does not run here is refused
//   setPrefix(pid, time, delta, pointer)
//   setName(name, number) -> boolean
//   threads                                   Uint32Array: of each slot its tid + 1 and what it has open
//   tell(bytes, isNew, batch)                 batch = Uint32Array: the words of Told; then the calls
#include "addon/log_binding.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "log/scanner.h"
#include "log/teller.h"

namespace tracefp {

namespace {

constexpr size_t kHeaderWords = 8;
constexpr size_t kCallWords = sizeof(ToldCall) / sizeof(uint32_t);
static_assert(sizeof(Told) <= kHeaderWords * sizeof(uint32_t));

// False: there is no such form, or not on this machine.
bool simd_of(const std::string& name, Simd* simd) {
  if (name.empty()) {
    *simd = best_simd();
    return true;
  }
  if (name == "portable")
    *simd = Simd::kPortable;
  else if (name == "avx2")
    *simd = Simd::kAvx2;
  else if (name == "avx512")
    *simd = Simd::kAvx512;
  else if (name == "neon")
    *simd = Simd::kNeon;
  else
    return false;
  return can_run(*simd);
}

class ScannerObject final : public Napi::ObjectWrap<ScannerObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "LogScanner",
                       {
                           InstanceMethod<&ScannerObject::set_prefix>("setPrefix"),
                           InstanceMethod<&ScannerObject::set_name>("setName"),
                           InstanceMethod<&ScannerObject::tell>("tell"),
                           InstanceAccessor<&ScannerObject::threads>("threads"),
                       });
  }

  explicit ScannerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ScannerObject>(info) {
    Simd simd;
    if (!simd_of(info[0].ToString().Utf8Value(), &simd)) {
      Napi::RangeError::New(info.Env(), "this form does not run here").ThrowAsJavaScriptException();
      return;
    }
    scanner_ = std::make_unique<LogScanner>(simd);
    auto threads = Napi::Uint32Array::New(info.Env(), kThreadSlots * sizeof(LogThread) / sizeof(uint32_t));
    threads_ = Napi::Persistent(threads);
    teller_ = std::make_unique<LogTeller>(*scanner_, reinterpret_cast<LogThread*>(threads.Data()));
  }

 private:
  void set_prefix(const Napi::CallbackInfo& info) {
    scanner_->set_prefix({info[0].ToString().Utf8Value() == "column" ? PidForm::kColumn : PidForm::kBracket,
                          time_form_of(info[1].ToString().Utf8Value()), info[2].ToBoolean(), info[3].ToBoolean()});
  }

  Napi::Value set_name(const Napi::CallbackInfo& info) {
    const std::string name = info[0].ToString().Utf8Value();
    const auto number = static_cast<uint16_t>(info[1].ToNumber().Uint32Value());
    return Napi::Boolean::New(info.Env(), scanner_->set_name(name.data(), name.size(), number));
  }

  Napi::Value threads(const Napi::CallbackInfo&) { return threads_.Value(); }

  void tell(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    auto batch = info[2].As<Napi::Uint32Array>();
    const size_t length = batch.ElementLength();
    if (length < kHeaderWords + kCallWords) {
      Napi::RangeError::New(info.Env(), "a batch has room for one call at least").ThrowAsJavaScriptException();
      return;
    }
    uint32_t* const words = batch.Data();
    const size_t size = std::min(bytes.ByteLength(), kScanBytesLimit);
    const Told told =
        teller_->tell(bytes.Data(), size, info[1].ToBoolean(), reinterpret_cast<ToldCall*>(words + kHeaderWords),
                      (length - kHeaderWords) / kCallWords);
    memcpy(words, &told, sizeof(told));
  }

  static TimeForm time_form_of(const std::string& name) {
    if (name == "clock") return TimeForm::kClock;
    return name == "epoch" ? TimeForm::kEpoch : TimeForm::kNone;
  }

  std::unique_ptr<LogScanner> scanner_;
  Napi::Reference<Napi::Uint32Array> threads_;
  std::unique_ptr<LogTeller> teller_;
};

}  // namespace

Napi::Function define_log_scanner(Napi::Env env) { return ScannerObject::define(env); }

}  // namespace tracefp
