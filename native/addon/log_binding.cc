// The scanner of logs, called on bytes that JavaScript holds: no thread, nothing allocated per call. Arrays that are
// used again and again are asked for their memory once: that costs more than most calls.
//
//   new LogScanner(simd)                      '' = the fastest; a form that does not run here is refused
//   setPrefix(pid, time, delta, pointer)
//   setName(name, number) -> boolean
//   setWord(name, word) -> boolean            of a name that was set
//   setPlain(number, plain)                   Plain
//   setWatched(number, watched)               Watched
//   descriptors                               Uint32Array: the words of each set (Descriptors)
//   threads                                   Uint32Array: the words of each slot (LogThread)
//   addProgram(table, used, symbols) -> its number    Uint8Array, Uint32Array, Int16Array: read and written as long as
//   it lives tell(bytes, at, isNew, batch)             batch = Uint32Array: the words of Told; then the calls
#include "addon/log_binding.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "addon/given.h"
#include "log/scanner.h"
#include "log/teller.h"

namespace tracefp {

namespace {

constexpr size_t kHeaderWords = 16;
constexpr size_t kCallWords = sizeof(ToldCall) / sizeof(uint32_t);
static_assert(sizeof(Told) == kHeaderWords * sizeof(uint32_t));
constexpr size_t kThreadWords = sizeof(LogThread) / sizeof(uint32_t);
constexpr size_t kLineWords = alignof(LogThread) / sizeof(uint32_t);

// False: there is no such form, or not on this machine.
bool simd_of(const std::string& name, Simd* simd) {
  if (name.empty()) {
    *simd = best_simd();
    return true;
  }
  if (name == "portable")
    *simd = Simd::kPortable;
  else if (name == "sse2")
    *simd = Simd::kSse2;
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
                           InstanceMethod<&ScannerObject::set_word>("setWord"),
                           InstanceMethod<&ScannerObject::set_plain>("setPlain"),
                           InstanceMethod<&ScannerObject::set_watched>("setWatched"),
                           InstanceMethod<&ScannerObject::add_program>("addProgram"),
                           InstanceMethod<&ScannerObject::read>("read"),
                           InstanceMethod<&ScannerObject::tell>("tell"),
                           InstanceAccessor<&ScannerObject::threads>("threads"),
                           InstanceAccessor<&ScannerObject::descriptors>("descriptors"),
                           InstanceMethod<&ScannerObject::make_batch>("makeBatch"),
                       });
  }

  explicit ScannerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ScannerObject>(info) {
    Simd simd;
    if (!simd_of(text_of(info[0]), &simd)) {
      Napi::RangeError::New(info.Env(), "this form does not run here").ThrowAsJavaScriptException();
      return;
    }
    scanner_ = std::make_unique<LogScanner>(simd);
    auto threads = Napi::Uint32Array::New(info.Env(), kThreadSlots * kThreadWords + kLineWords);
    // A thread is a line of the cache, if the array begins with one.
    const size_t skipped = -reinterpret_cast<uintptr_t>(threads.Data()) % alignof(LogThread);
    threads_ = Napi::Persistent(
        Napi::Uint32Array::New(info.Env(), kThreadSlots * kThreadWords, threads.ArrayBuffer(), skipped));
    descriptors_ =
        Napi::Persistent(Napi::Uint32Array::New(info.Env(), kDescriptorSets * sizeof(Descriptors) / sizeof(uint32_t)));
    teller_ = std::make_unique<LogTeller>(*scanner_, reinterpret_cast<LogThread*>(threads_.Value().Data()),
                                          reinterpret_cast<Descriptors*>(descriptors_.Value().Data()));
  }

 private:
  void set_prefix(const Napi::CallbackInfo& info) {
    scanner_->set_prefix({text_of(info[0]) == "column" ? PidForm::kColumn : PidForm::kBracket,
                          time_form_of(text_of(info[1])), flag_of(info[2]), flag_of(info[3])});
  }

  Napi::Value set_name(const Napi::CallbackInfo& info) {
    const std::string name = text_of(info[0]);
    const auto number = static_cast<uint16_t>(uint32_of(info[1]));
    return Napi::Boolean::New(info.Env(), scanner_->set_name(name.data(), name.size(), number));
  }

  Napi::Value set_word(const Napi::CallbackInfo& info) {
    const std::string name = text_of(info[0]);
    const auto word = static_cast<uint16_t>(uint32_of(info[1]));
    return Napi::Boolean::New(info.Env(), scanner_->set_word(name.data(), name.size(), word));
  }

  void set_plain(const Napi::CallbackInfo& info) {
    const uint32_t name = uint32_of(info[0]);
    const uint32_t plain = uint32_of(info[1]);
    if (name >= kNameLimit || plain > static_cast<uint32_t>(Plain::kAsks)) return;
    teller_->set_plain(static_cast<uint16_t>(name), static_cast<Plain>(plain));
  }

  void set_watched(const Napi::CallbackInfo& info) {
    const uint32_t name = uint32_of(info[0]);
    const uint32_t watched = uint32_of(info[1]);
    if (name >= kNameLimit || watched > static_cast<uint32_t>(Watched::kCloses)) return;
    teller_->watch(static_cast<uint16_t>(name), static_cast<Watched>(watched));
  }

  Napi::Value threads(const Napi::CallbackInfo&) { return threads_.Value(); }
  Napi::Value descriptors(const Napi::CallbackInfo&) { return descriptors_.Value(); }

  Napi::Value add_program(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    auto used = info[1].As<Napi::Uint32Array>();
    auto symbols = info[2].As<Napi::Int16Array>();
    const std::optional<Table> table = Table::open(bytes.Data(), bytes.ByteLength());
    if (!table || used.ByteLength() != table->parts().row_bytes || symbols.ElementLength() != kNameLimit) {
      Napi::RangeError::New(info.Env(), "what was given does not belong together").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    for (const Napi::Object& memory : {bytes.As<Napi::Object>(), used.As<Napi::Object>(), symbols.As<Napi::Object>()})
      program_memory_.push_back(Napi::Persistent(memory));
    return Napi::Number::New(info.Env(), teller_->add_program({*table, used.Data(), symbols.Data()}));
  }

  Napi::Value make_batch(const Napi::CallbackInfo& info) {
    call_limit_ = std::max(uint32_of(info[0]), 1u);
    batch_ = Napi::Persistent(Napi::Uint32Array::New(info.Env(), kHeaderWords + call_limit_ * kCallWords));
    words_ = batch_.Value().Data();
    return batch_.Value();
  }

  void read(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    bytes_ = Napi::Persistent(bytes.As<Napi::Object>());
    data_ = bytes.Data();
    size_ = bytes.ByteLength();
    is_new_ = true;
  }

  void tell(const Napi::CallbackInfo& info) {
    if (words_ == nullptr) return;
    const size_t at = std::min<size_t>(info[0].As<Napi::Number>().Uint32Value(), size_);
    const Told told = teller_->tell(data_ + at, std::min(size_ - at, kScanBytesLimit), is_new_,
                                    reinterpret_cast<ToldCall*>(words_ + kHeaderWords), call_limit_);
    is_new_ = false;
    memcpy(words_, &told, sizeof(told));
  }

  static TimeForm time_form_of(const std::string& name) {
    if (name == "clock") return TimeForm::kClock;
    return name == "epoch" ? TimeForm::kEpoch : TimeForm::kNone;
  }

  std::unique_ptr<LogScanner> scanner_;
  Napi::Reference<Napi::Uint32Array> threads_;
  Napi::Reference<Napi::Uint32Array> descriptors_;
  Napi::Reference<Napi::Uint32Array> batch_;
  uint32_t* words_ = nullptr;  // of the batch
  size_t call_limit_ = 0;
  Napi::ObjectReference bytes_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  bool is_new_ = true;
  std::vector<Napi::ObjectReference> program_memory_;
  std::unique_ptr<LogTeller> teller_;
};

}  // namespace

Napi::Function define_log_scanner(Napi::Env env) { return ScannerObject::define(env); }

}  // namespace tracefp
