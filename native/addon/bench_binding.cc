// What `tracefp bench` needs of C++, on bytes that JavaScript holds.
//
//   childCpuUs() -> number                           CPU time of all children that were waited for, and theirs
//   readAll(bytes)  walkTable(table, symbols) -> misses
//   walkTracks(memo, last, records) -> misses        records: Uint32Array of track << 16 | code << 8
//   pairSet(learned)  stide(learned) -> a function of codes that counts misses
#include "addon/bench_binding.h"

#include <sys/resource.h>

#include <memory>
#include <optional>

#include "bench/naive.h"

namespace tracefp {

namespace {

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

Napi::Value child_cpu_us(const Napi::CallbackInfo& info) {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return Napi::Number::New(info.Env(), microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
}

Napi::Value read_all_bytes(const Napi::CallbackInfo& info) {
  auto bytes = info[0].As<Napi::Uint8Array>();
  return Napi::Number::New(info.Env(), static_cast<double>(read_all(bytes.Data(), bytes.ByteLength()) & 0xffff));
}

Napi::Value walk(const Napi::CallbackInfo& info) {
  auto bytes = info[0].As<Napi::Uint8Array>();
  auto symbols = info[1].As<Napi::Uint8Array>();
  const std::optional<Table> table = Table::open(bytes.Data(), bytes.ByteLength());
  if (!table.has_value()) {
    Napi::TypeError::New(info.Env(), "the transition table has another layout").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), static_cast<double>(walk_table(*table, symbols.Data(), symbols.ByteLength())));
}

Napi::Value walk_all_tracks(const Napi::CallbackInfo& info) {
  auto records = info[2].As<Napi::Uint32Array>();
  return Napi::Number::New(info.Env(), static_cast<double>(walk_tracks(info[0].As<Napi::Uint8Array>().Data(),
                                                                       info[1].As<Napi::Uint8Array>().Data(),
                                                                       records.Data(), records.ElementLength())));
}

// learned -> a function that counts the misses of codes.
template <auto make>
Napi::Value learn(const Napi::CallbackInfo& info) {
  auto learned = info[0].As<Napi::Uint8Array>();
  auto known = std::make_shared<decltype(make(nullptr, 0))>(make(learned.Data(), learned.ByteLength()));
  return Napi::Function::New(info.Env(), [known](const Napi::CallbackInfo& call) -> Napi::Value {
    auto codes = call[0].As<Napi::Uint8Array>();
    return Napi::Number::New(call.Env(), static_cast<double>(count_in(*known, codes.Data(), codes.ByteLength())));
  });
}

}  // namespace

Napi::Object make_bench(Napi::Env env) {
  auto bench = Napi::Object::New(env);
  bench.Set("childCpuUs", Napi::Function::New(env, child_cpu_us));
  bench.Set("readAll", Napi::Function::New(env, read_all_bytes));
  bench.Set("walkTable", Napi::Function::New(env, walk));
  bench.Set("walkTracks", Napi::Function::New(env, walk_all_tracks));
  bench.Set("pairSet", Napi::Function::New(env, learn<pairs_of>));
  bench.Set("stide", Napi::Function::New(env, learn<windows_of>));
  return bench;
}

}  // namespace tracefp
