// The scanner of logs, called on bytes that JavaScript holds: no thread, no reference kept, nothing allocated per scan.
//
//   new LogScanner(simd)                      '' = the fastest; a form that does not run here is refused
//   setPrefix(pid, time, delta, pointer)
//   setName(name, number) -> boolean
//   scan(bytes, batch)                        batch = Uint32Array: consumed, entries, lines, is done; then the entries
#include "addon/log_binding.h"

#include <algorithm>
#include <memory>
#include <string>

#include "log/scanner.h"

namespace tracefp {

namespace {

constexpr size_t kHeaderWords = 4;
constexpr size_t kEntryWords = sizeof(LogEntry) / sizeof(uint32_t);

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
                           InstanceMethod<&ScannerObject::scan>("scan"),
                       });
  }

  explicit ScannerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ScannerObject>(info) {
    Simd simd;
    if (!simd_of(info[0].ToString().Utf8Value(), &simd)) {
      Napi::RangeError::New(info.Env(), "this form does not run here").ThrowAsJavaScriptException();
      return;
    }
    scanner_ = std::make_unique<LogScanner>(simd);
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

  void scan(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    auto batch = info[1].As<Napi::Uint32Array>();
    uint32_t* const words = batch.Data();
    const size_t length = batch.ElementLength();
    if (length < kHeaderWords + kEntryWords) {
      Napi::RangeError::New(info.Env(), "a batch has room for one entry at least").ThrowAsJavaScriptException();
      return;
    }
    const size_t size = std::min(bytes.ByteLength(), kScanBytesLimit);
    const ScanResult result = scanner_->scan(bytes.Data(), size, reinterpret_cast<LogEntry*>(words + kHeaderWords),
                                             (length - kHeaderWords) / kEntryWords);
    words[0] = static_cast<uint32_t>(result.consumed);
    words[1] = static_cast<uint32_t>(result.entries);
    words[2] = result.lines;
    words[3] = result.is_done ? 1 : 0;
  }

  static TimeForm time_form_of(const std::string& name) {
    if (name == "clock") return TimeForm::kClock;
    return name == "epoch" ? TimeForm::kEpoch : TimeForm::kNone;
  }

  std::unique_ptr<LogScanner> scanner_;
};

}  // namespace

Napi::Function define_log_scanner(Napi::Env env) { return ScannerObject::define(env); }

}  // namespace tracefp
