// The scanner of logs, called on bytes that JavaScript holds: no thread, nothing allocated per call. Arrays that are
// used again and again are asked for their memory once: that costs more than most calls.
//
//   new LogScanner(simd)                      '' = the fastest; a form that does not run here is refused
//   setPrefix(pid, time, delta, pointer)
//   setName(name, number) -> boolean
//   setWord(name, word) -> boolean            of a name that was set
//   setMeaning(number, meaning)               Meaning
//   setSignal(number, signal)                 which signal the name is
//   setWatched(number, watched)               Watched
//   descriptors                               Uint32Array: the words of each set (Descriptors)
//   threads                                   Uint32Array: the words of each slot (LogThread)
//   processes                                 Uint32Array: the words of each slot (LogProcess)
//   control                                   Uint32Array: LivesControl
//   addProgram(table, used, symbols, end) -> its number    Uint8Array, Uint32Array, Int16Array: read and written as
//   long
//                                             as it lives; the symbol of a track's end
//   makeBatch(calls) -> batch                 Uint32Array: the words of Told; then the calls
//   read(bytes)                               what is told from here on; they stay as they are
//   tell(at)                                  into the batch
//   execArguments() -> string                 of the line that ended the batch
//   setExec(program, image)                   what that line starts
//   makeEvents() -> events                    Uint32Array: the words of LifeEvent
//   concerns(tid) -> boolean                  whether there is something to tell of it
//   settle() -> count                         into the events
//   argumentsOf(tid) -> string
//   takePassed(program) -> [tracks, ends, calls, transparent calls]
#include "addon/log_binding.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "addon/given.h"
#include "log/life_text.h"
#include "log/scanner.h"
#include "log/teller.h"

namespace tracefp {

namespace {

constexpr size_t kHeaderWords = 16;
constexpr size_t kCallWords = sizeof(ToldCall) / sizeof(uint32_t);
static_assert(sizeof(Told) == kHeaderWords * sizeof(uint32_t));
constexpr size_t kThreadWords = sizeof(LogThread) / sizeof(uint32_t);
constexpr size_t kProcessWords = sizeof(LogProcess) / sizeof(uint32_t);
constexpr size_t kEventWords = sizeof(LifeEvent) / sizeof(uint32_t);
constexpr size_t kCacheLineBytes = 64;
static_assert(alignof(LogThread) == kCacheLineBytes && alignof(LifeEvent) == kCacheLineBytes);

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

// Words from where a line of the cache begins.
Napi::Uint32Array cache_lines(Napi::Env env, size_t words) {
  const auto all = Napi::Uint32Array::New(env, words + kCacheLineBytes / sizeof(uint32_t));
  const size_t skipped = -reinterpret_cast<uintptr_t>(all.Data()) % kCacheLineBytes;
  return Napi::Uint32Array::New(env, words, all.ArrayBuffer(), skipped);
}

Napi::String latin1(Napi::Env env, std::string_view text) {
  napi_value value = nullptr;
  napi_create_string_latin1(env, text.data(), text.size(), &value);
  return {env, value};
}

class ScannerObject final : public Napi::ObjectWrap<ScannerObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "LogScanner",
                       {
                           InstanceMethod<&ScannerObject::set_prefix>("setPrefix"),
                           InstanceMethod<&ScannerObject::set_name>("setName"),
                           InstanceMethod<&ScannerObject::set_word>("setWord"),
                           InstanceMethod<&ScannerObject::set_meaning>("setMeaning"),
                           InstanceMethod<&ScannerObject::set_signal>("setSignal"),
                           InstanceMethod<&ScannerObject::set_watched>("setWatched"),
                           InstanceMethod<&ScannerObject::add_program>("addProgram"),
                           InstanceMethod<&ScannerObject::read>("read"),
                           InstanceMethod<&ScannerObject::tell>("tell"),
                           InstanceAccessor<&ScannerObject::threads>("threads"),
                           InstanceAccessor<&ScannerObject::descriptors>("descriptors"),
                           InstanceAccessor<&ScannerObject::processes>("processes"),
                           InstanceAccessor<&ScannerObject::control>("control"),
                           InstanceMethod<&ScannerObject::make_batch>("makeBatch"),
                           InstanceMethod<&ScannerObject::exec_arguments>("execArguments"),
                           InstanceMethod<&ScannerObject::set_exec>("setExec"),
                           InstanceMethod<&ScannerObject::make_events>("makeEvents"),
                           InstanceMethod<&ScannerObject::concerns>("concerns"),
                           InstanceMethod<&ScannerObject::settle>("settle"),
                           InstanceMethod<&ScannerObject::arguments_of>("argumentsOf"),
                           InstanceMethod<&ScannerObject::take_passed>("takePassed"),
                       });
  }

  explicit ScannerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ScannerObject>(info) {
    Simd simd;
    if (!simd_of(text_of(info[0]), &simd)) {
      Napi::RangeError::New(info.Env(), "this form does not run here").ThrowAsJavaScriptException();
      return;
    }
    scanner_ = std::make_unique<LogScanner>(simd);
    threads_ = Napi::Persistent(cache_lines(info.Env(), kThreadSlots * kThreadWords));
    processes_ = Napi::Persistent(Napi::Uint32Array::New(info.Env(), kThreadSlots * kProcessWords));
    control_ = Napi::Persistent(Napi::Uint32Array::New(info.Env(), sizeof(LivesControl) / sizeof(uint32_t)));
    descriptors_ =
        Napi::Persistent(Napi::Uint32Array::New(info.Env(), kDescriptorSets * sizeof(Descriptors) / sizeof(uint32_t)));
    teller_ = std::make_unique<LogTeller>(*scanner_, reinterpret_cast<LogThread*>(threads_.Value().Data()),
                                          reinterpret_cast<LogProcess*>(processes_.Value().Data()),
                                          *reinterpret_cast<LivesControl*>(control_.Value().Data()),
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

  void set_meaning(const Napi::CallbackInfo& info) {
    const uint32_t name = uint32_of(info[0]);
    const uint32_t meaning = uint32_of(info[1]);
    if (name >= kNameLimit || meaning > static_cast<uint32_t>(Meaning::kClones)) return;
    teller_->lives().set_meaning(static_cast<uint16_t>(name), static_cast<Meaning>(meaning));
  }

  void set_signal(const Napi::CallbackInfo& info) {
    const uint32_t name = uint32_of(info[0]);
    if (name < kNameLimit) teller_->lives().set_signal(static_cast<uint16_t>(name), uint32_of(info[1]));
  }

  void set_watched(const Napi::CallbackInfo& info) {
    const uint32_t name = uint32_of(info[0]);
    const uint32_t watched = uint32_of(info[1]);
    if (name >= kNameLimit || watched > static_cast<uint32_t>(Watched::kCloses)) return;
    teller_->watch(static_cast<uint16_t>(name), static_cast<Watched>(watched));
  }

  Napi::Value threads(const Napi::CallbackInfo&) { return threads_.Value(); }
  Napi::Value descriptors(const Napi::CallbackInfo&) { return descriptors_.Value(); }
  Napi::Value processes(const Napi::CallbackInfo&) { return processes_.Value(); }
  Napi::Value control(const Napi::CallbackInfo&) { return control_.Value(); }

  Napi::Value add_program(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    auto used = info[1].As<Napi::Uint32Array>();
    auto symbols = info[2].As<Napi::Int16Array>();
    const std::optional<Table> table = Table::open(bytes.Data(), bytes.ByteLength());
    if (!table || used.ByteLength() != table->parts().row_bytes || symbols.ElementLength() != kNameLimit) {
      Napi::RangeError::New(info.Env(), "what was given does not belong together").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    const int32_t end = info[3].As<Napi::Number>().Int32Value();
    const bool is_symbol = end >= 0 && static_cast<uint32_t>(end) < table->parts().symbol_count;
    const LogProgram program{*table, used.Data(), symbols.Data(), is_symbol ? end : kNoSymbol};
    for (const Napi::Object& memory : {bytes.As<Napi::Object>(), used.As<Napi::Object>(), symbols.As<Napi::Object>()})
      program_memory_.push_back(Napi::Persistent(memory));
    return Napi::Number::New(info.Env(), teller_->add_program(program));
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
    told_ = teller_->tell(data_ + at, std::min(size_ - at, kScanBytesLimit), is_new_,
                          reinterpret_cast<ToldCall*>(words_ + kHeaderWords), call_limit_);
    is_new_ = false;
    memcpy(words_, &told_, sizeof(told_));
    line_ = data_ + at + told_.consumed;
  }

  Napi::Value exec_arguments(const Napi::CallbackInfo& info) {
    const bool is_exec = told_.until == ToldUntil::kExec;
    return latin1(info.Env(), is_exec ? tracefp::exec_arguments(told_.facts, line_) : std::string_view{});
  }

  void set_exec(const Napi::CallbackInfo& info) {
    const uint32_t program = uint32_of(info[0]);
    if (told_.until != ToldUntil::kExec) return;
    if (program != kNoProgram && program >= teller_->program_count()) return;
    const auto* const threads = reinterpret_cast<const LogThread*>(threads_.Value().Data());
    const uint32_t caller = threads[told_.facts.tid % kThreadSlots].program - 1;
    teller_->lives().set_exec(caller, static_cast<uint16_t>(told_.facts.word - 1),
                              tracefp::exec_arguments(told_.facts, line_), program, uint32_of(info[1]));
  }

  Napi::Value make_events(const Napi::CallbackInfo& info) {
    events_ = Napi::Persistent(cache_lines(info.Env(), kEventLimit * kEventWords));
    return events_.Value();
  }

  Napi::Value concerns(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), teller_->lives().concerns(uint32_of(info[0])));
  }

  Napi::Value settle(const Napi::CallbackInfo& info) {
    if (events_.IsEmpty()) return Napi::Number::New(info.Env(), 0);
    auto* const events = reinterpret_cast<LifeEvent*>(events_.Value().Data());
    return Napi::Number::New(info.Env(), static_cast<double>(teller_->lives().settle(events)));
  }

  Napi::Value arguments_of(const Napi::CallbackInfo& info) {
    return latin1(info.Env(), teller_->lives().arguments_of(uint32_of(info[0])));
  }

  Napi::Value take_passed(const Napi::CallbackInfo& info) {
    const PassedCounts passed = teller_->lives().take_passed(uint32_of(info[0]));
    auto counts = Napi::Float64Array::New(info.Env(), 4);
    counts[0] = static_cast<double>(passed.tracks);
    counts[1] = static_cast<double>(passed.ends);
    counts[2] = static_cast<double>(passed.calls);
    counts[3] = static_cast<double>(passed.transparent_calls);
    return counts;
  }

  static TimeForm time_form_of(const std::string& name) {
    if (name == "clock") return TimeForm::kClock;
    return name == "epoch" ? TimeForm::kEpoch : TimeForm::kNone;
  }

  std::unique_ptr<LogScanner> scanner_;
  Napi::Reference<Napi::Uint32Array> threads_;
  Napi::Reference<Napi::Uint32Array> descriptors_;
  Napi::Reference<Napi::Uint32Array> processes_;
  Napi::Reference<Napi::Uint32Array> control_;
  Napi::Reference<Napi::Uint32Array> events_;
  Napi::Reference<Napi::Uint32Array> batch_;
  uint32_t* words_ = nullptr;  // of the batch
  size_t call_limit_ = 0;
  Napi::ObjectReference bytes_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  bool is_new_ = true;
  Told told_;
  const uint8_t* line_ = nullptr;  // that ended it; meaningless where none did
  std::vector<Napi::ObjectReference> program_memory_;
  std::unique_ptr<LogTeller> teller_;
};

}  // namespace

Napi::Function define_log_scanner(Napi::Env env) { return ScannerObject::define(env); }

}  // namespace tracefp
