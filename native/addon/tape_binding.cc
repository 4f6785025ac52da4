// The player of tapes, on memory that JavaScript holds: no thread, nothing allocated per call.
//
//   new TapePlayer(head, slots, places, form)   Uint32Arrays of a Tape; form '' = the fastest
//   addPairs(bytes)  addSteps(elements, limit)           memos, numbered from 1
//   play(bytes)
#include "addon/tape_binding.h"

#include <memory>
#include <string>
#include <vector>

#include "addon/given.h"
#include "match/tape.h"

namespace tracefp {

namespace {

class PlayerObject final : public Napi::ObjectWrap<PlayerObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "TapePlayer",
                       {
                           InstanceMethod<&PlayerObject::add_pairs>("addPairs"),
                           InstanceMethod<&PlayerObject::add_steps>("addSteps"),
                           InstanceMethod<&PlayerObject::play>("play"),
                       });
  }

  explicit PlayerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PlayerObject>(info) {
    const std::string name = text_of(info[3]);
    const BatchForm form = name.empty() ? best_batch_form() : name == "vbmi" ? BatchForm::kVbmi : BatchForm::kPlain;
    if (!can_run(form) || (form == BatchForm::kPlain && !name.empty() && name != "plain")) {
      Napi::RangeError::New(info.Env(), "this form does not run here").ThrowAsJavaScriptException();
      return;
    }
    const auto words = [&info](size_t index) { return info[index].As<Napi::Uint32Array>(); };
    const size_t slot_count = words(1).ByteLength() / sizeof(TapeSlot);
    const size_t places = words(2).ElementLength();
    if (words(0).ByteLength() != sizeof(TapeHead) || places <= slot_count || (places & (places - 1)) != 0) {
      Napi::RangeError::New(info.Env(), "this is no tape").ThrowAsJavaScriptException();
      return;
    }
    for (size_t i = 0; i < 3; i++) held_.push_back(Napi::Persistent(info[i].As<Napi::TypedArray>()));
    tape_ = {reinterpret_cast<TapeHead*>(words(0).Data()), reinterpret_cast<TapeSlot*>(words(1).Data()),
             words(2).Data(), static_cast<uint32_t>(places)};
    player_ = std::make_unique<TapePlayer>(form);
  }

 private:
  void add_pairs(const Napi::CallbackInfo& info) {
    auto pairs = info[0].As<Napi::Uint8Array>();
    if (pairs.ByteLength() < kPairMemoBytes) return refuse(info);
    held_.push_back(Napi::Persistent(info[0].As<Napi::TypedArray>()));
    player_->add_pairs(pairs.Data());
  }

  void add_steps(const Napi::CallbackInfo& info) {
    held_.push_back(Napi::Persistent(info[0].As<Napi::TypedArray>()));
    player_->add_steps(info[0].As<Napi::Uint16Array>().Data(), uint32_of(info[1]));
  }

  void play(const Napi::CallbackInfo& info) {
    auto bytes = info[0].As<Napi::Uint8Array>();
    player_->play(tape_, bytes.Data(), bytes.ByteLength());
  }

  static void refuse(const Napi::CallbackInfo& info) {
    Napi::RangeError::New(info.Env(), "this is no memo").ThrowAsJavaScriptException();
  }

  std::vector<Napi::Reference<Napi::TypedArray>> held_;
  Tape tape_{};
  std::unique_ptr<TapePlayer> player_;
};

}  // namespace

Napi::Function define_tape_player(Napi::Env env) { return PlayerObject::define(env); }

}  // namespace tracefp
