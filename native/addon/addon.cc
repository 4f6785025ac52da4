// Node-API, and nothing else: options objects in, an engine on a thread of its own, results out.
// Life of a session here:
//
//   start()            thread: engine->run() .......... set_state(ended) + doorbell
//   finish()           join, release the doorbell       (the reader calls it after it drained the ring)
//   env cleanup hook   stop + join: worker.terminate() and process.exit() leave no tracee behind
#include <napi.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "addon/bench_binding.h"
#include "addon/given.h"
#include "addon/hash_binding.h"
#include "addon/log_binding.h"
#include "addon/tape_binding.h"
#include "engine/ebpf/ebpf_engine.h"
#include "engine/ebpf/notebook.h"
#include "engine/engine.h"
#include "engine/host.h"
#include "engine/libc_banner.h"
#include "engine/notify/notify_engine.h"
#include "engine/privileges.h"
#include "engine/process_facts.h"
#include "engine/ptrace/launch.h"
#include "engine/scripted/scripted_engine.h"
#include "engine/thread.h"
#include "engine/trace/attach_engine.h"
#include "engine/trace/trace_engine.h"
#include "engine/unix_datagram.h"

namespace tracefp {

namespace {

Napi::Array array_of(Napi::Env env, const std::vector<std::string>& strings) {
  auto array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < strings.size(); i++) array.Set(i, strings[i]);
  return array;
}

// Whether JavaScript still runs here: in a worker that is being terminated nothing can be read of any object, and what
// was read may be empty.
bool is_running(const Napi::Value& object) {
  bool has = false;
  return napi_has_named_property(object.Env(), object, "engine", &has) == napi_ok;
}

Pin pin_of(const std::string& name) {
  if (name == "always") return Pin::kAlways;
  if (name == "never") return Pin::kNever;
  return Pin::kAuto;
}

// Options were defaulted and validated by src/addon.
LaunchOptions launch_options_of(const Napi::Value& object) {
  LaunchOptions options;
  options.path = text_of(get(object, "path"));
  const Napi::Value argv_bytes = get(object, "argvBytes");
  const Napi::Value env_bytes = get(object, "envBytes");
  options.argv = strings_of(argv_bytes.IsUndefined() ? get(object, "argv") : argv_bytes);
  options.env = strings_of(env_bytes.IsUndefined() ? get(object, "env") : env_bytes);
  options.cwd = text_of(get(object, "cwd"));
  const std::vector<int32_t> stdio = int32s_of(get(object, "stdio"));
  for (size_t i = 0; i < 3 && i < stdio.size(); i++) options.stdio[i] = stdio[i];
  const Napi::Value uid = get(object, "uid");
  const Napi::Value gid = get(object, "gid");
  if (uid.IsNumber()) options.uid = uint32_of(uid);
  if (gid.IsNumber()) options.gid = uint32_of(gid);
  options.pin = pin_of(text_of(get(object, "pin")));
  options.sends_listener = flag_of(get(object, "sendsListener"));
  options.hides_host = flag_of(get(object, "hidesHost"));
  options.stops_with_root = flag_of(get(object, "stopsWithRoot"));
  const Napi::Value ring_bytes = get(object, "kernelRingBytes");
  if (ring_bytes.IsNumber()) options.kernel_ring_bytes = uint32_of(ring_bytes);
  const Napi::Value held = get(object, "held");
  if (held.IsObject())
    options.held = HeldChild{int32_of(get(held, "pid")), int32_of(get(held, "gate")), int32_of(get(held, "outcome"))};
  const Napi::Value fault = get(object, "fault");
  if (fault.IsObject()) {
    options.fault = Fault{{static_cast<Abi>(uint32_of(get(fault, "abi"))), int32_of(get(fault, "nr"))},
                          uint32_of(get(fault, "first")),
                          flag_of(get(fault, "isLasting")),
                          int64_of(get(fault, "result"))};
  }
  return options;
}

FollowOptions follow_options_of(const Napi::Value& object) {
  FollowOptions options;
  const Napi::Value pid = get(object, "pid");
  if (pid.IsNumber()) options.pid = int32_of(pid);
  const Napi::Value cgroup = get(object, "cgroup");
  bool is_lossless = true;
  if (cgroup.IsBigInt()) options.cgroup = cgroup.As<Napi::BigInt>().Uint64Value(&is_lossless);
  const Napi::Value names = get(object, "names");
  if (names.IsArray()) options.names = strings_of(names);
  options.hides_host = flag_of(get(object, "hidesHost"));
  const Napi::Value ring_bytes = get(object, "kernelRingBytes");
  if (ring_bytes.IsNumber()) options.kernel_ring_bytes = uint32_of(ring_bytes);
  const Napi::Value pin = get(object, "pin");
  if (pin.IsObject()) {
    options.pin = text_of(get(pin, "folder"));
    options.unpins = flag_of(get(pin, "ends"));
    options.stamp = text_of(get(pin, "stamp"));
    options.session = text_of(get(pin, "session"));
    options.name = text_of(get(pin, "name"));
  }
  return options;
}

class Session final : public Napi::ObjectWrap<Session> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeSession",
                       {
                           InstanceMethod<&Session::answer>("answer"),
                           InstanceMethod<&Session::exec_image>("execImage"),
                           InstanceMethod<&Session::forget_images>("forgetImages"),
                           InstanceMethod<&Session::replace_table>("replaceTable"),
                           InstanceMethod<&Session::signal>("signal"),
                           InstanceMethod<&Session::follow_names>("followNames"),
                           InstanceMethod<&Session::unpin>("unpin"),
                           InstanceMethod<&Session::stop>("stop"),
                           InstanceMethod<&Session::finish>("finish"),
                           InstanceMethod<&Session::result>("result"),
                       });
  }

  // new NativeSession({ engine, ring, onDoorbell, isGuarded, launch | attach | follow | script })
  explicit Session(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Session>(info) {
    const Napi::Env env = info.Env();
    const Napi::Value options = info[0];
    const Napi::Value words = get(options, "ring");
    const Napi::Value on_doorbell = get(options, "onDoorbell");
    if (!is_running(options)) return;
    if (!words.IsTypedArray() || !on_doorbell.IsFunction()) {
      Napi::TypeError::New(env, "a session needs a ring and a doorbell").ThrowAsJavaScriptException();
      return;
    }
    auto ring = words.As<Napi::Uint32Array>();
    // A queue of one: a doorbell that is already ringing need not be rung again.
    if (napi_create_threadsafe_function(env, on_doorbell, nullptr, Napi::String::New(env, "tracefp doorbell"), 1, 1,
                                        nullptr, nullptr, nullptr, &Session::ring, &doorbell_) != napi_ok) {
      Napi::Error::New(env, "no thread-safe function could be made").ThrowAsJavaScriptException();
      return;
    }
    ring_ = std::make_unique<RingWriter>(
        ring.Data(), [this] { (void)napi_call_threadsafe_function(doorbell_, nullptr, napi_tsfn_nonblocking); });
    if (!ring_->is_valid(ring.ByteLength())) {
      release_doorbell();
      Napi::TypeError::New(env, "the ring was made with another layout").ThrowAsJavaScriptException();
      return;
    }
    ring_memory_ = Napi::Persistent(ring.As<Napi::Object>());
    const std::string engine = text_of(get(options, "engine"));
    const bool is_guarded = flag_of(get(options, "isGuarded"));
    const bool guesses_restarts = flag_of(get(options, "guessesRestarts"));
    if (engine == "scripted") {
      const Napi::Value given = get(options, "script");
      std::vector<Record> records;
      if (given.IsTypedArray()) {
        const auto script = given.As<Napi::Uint32Array>();
        records.resize(script.ByteLength() / kRecordBytes);
        memcpy(static_cast<void*>(records.data()), script.Data(), records.size() * kRecordBytes);
      }
      engine_ = std::make_unique<ScriptedEngine>(std::move(records), is_guarded, *ring_);
    } else if (engine == "attach") {
      const Napi::Value attach = get(options, "attach");
      engine_ = std::make_unique<AttachEngine>(
          AttachOptions{int32_of(get(attach, "pid")), flag_of(get(attach, "hidesHost")), is_guarded}, *ring_);
    } else if (get(options, "follow").IsObject()) {
      FollowOptions follow = follow_options_of(get(options, "follow"));
      follow.guesses_restarts = guesses_restarts;
      engine_ = std::make_unique<EbpfEngine>(follow, *ring_);
    } else {
      LaunchOptions launch = launch_options_of(get(options, "launch"));
      launch.is_guarded = is_guarded;
      launch.guesses_restarts = guesses_restarts;
      if (engine == "ebpf") {
        engine_ = std::make_unique<EbpfEngine>(launch, *ring_);
      } else if (engine == "notify") {
        engine_ = std::make_unique<NotifyEngine>(launch, *ring_);
      } else {
        engine_ = std::make_unique<TraceEngine>(launch, *ring_);
      }
    }
    env_ = env;
    for (const char* what : {"launch", "attach", "follow"}) {
      if (flag_of(get(get(options, what), "hidesHost"))) hides_host_ = true;
    }
    // Half of the options would start another program, or the right one as somebody else.
    if (!is_running(options)) {
      release_doorbell();
      return;
    }
    const Status started = thread_.start([this] {
      engine_->run();
      if (hides_host_) hide_host(false);
      ring_->set_state(engine_->result().failure.ok() ? RingState::kEnded : RingState::kFailed);
      is_done_.store(true);
    });
    if (!started.ok()) {
      release_doorbell();
      Napi::Error::New(env, std::string(started.op) + ": " + strerror(started.error)).ThrowAsJavaScriptException();
      return;
    }
    // After the thread-safe function: hooks run last in, first out, and the thread must be joined before it goes.
    napi_add_env_cleanup_hook(env_, &Session::clean_up, this);
    Ref();
    is_open_ = true;
  }

 private:
  // While an environment is torn down nothing can be called any more, and there is nobody to tell.
  static void ring(napi_env env, napi_value callback, void*, void*) {
    napi_value undefined;
    if (env == nullptr || callback == nullptr || napi_get_undefined(env, &undefined) != napi_ok) return;
    (void)napi_call_function(env, undefined, callback, 0, nullptr, nullptr);
  }

  void release_doorbell() { (void)napi_release_threadsafe_function(doorbell_, napi_tsfn_release); }

  static void clean_up(void* self) { static_cast<Session*>(self)->stop_and_join(); }

  void stop_and_join() {
    if (!thread_.is_joinable()) return;
    // A wake-up that comes just before the tracer waits is lost, so it is repeated until the tracer has ended.
    while (!is_done_.load()) {
      engine_->stop();
      wake_tracer_thread(thread_.handle());
      usleep(1000);
    }
    thread_.join();
  }

  // answer(question, decision, table | null, flags, sharing)
  void answer(const Napi::CallbackInfo& info) {
    Answer answer{static_cast<Decision>(info[1].As<Napi::Number>().Uint32Value())};
    if (info[2].IsTypedArray()) {
      answer.table = table_of(info[2].As<Napi::Uint8Array>());
      if (answer.table == nullptr) {
        Napi::TypeError::New(info.Env(), "the transition table has another layout").ThrowAsJavaScriptException();
        return;
      }
    }
    if (info[3].IsNumber()) answer.flags = info[3].As<Napi::Number>().Uint32Value();
    if (info[4].IsNumber()) answer.sharing = info[4].As<Napi::Number>().Uint32Value();
    engine_->answer(info[0].As<Napi::Number>().Uint32Value(), answer);
  }

  // replaceTable(old, now, flags): boolean
  Napi::Value replace_table(const Napi::CallbackInfo& info) {
    const auto old_bytes = info[0].As<Napi::Uint8Array>();
    const Table* const old = table_of(old_bytes);
    const Table* const now = table_of(info[1].As<Napi::Uint8Array>());
    if (old == nullptr || now == nullptr) {
      Napi::TypeError::New(info.Env(), "the transition table has another layout").ThrowAsJavaScriptException();
      return info.Env().Undefined();
    }
    const bool is_replaced = engine_->replace_table(*old, *now, info[2].As<Napi::Number>().Uint32Value());
    if (is_replaced && old != now) forget_table(old_bytes.Data());
    return Napi::Boolean::New(info.Env(), is_replaced);
  }

  // signal(tgid, signal)
  void signal(const Napi::CallbackInfo& info) {
    engine_->signal(info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Int32Value());
  }

  // forgetImages()
  void forget_images(const Napi::CallbackInfo&) { engine_->forget_images(); }

  // execImage(question): { dev, ino, size, mtimeNs, ctimeNs, fileSystem, path, cwd, script | null, argv, parent,
  // number, isKnown, rootIno, rootMount } | null
  Napi::Value exec_image(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::optional<ExecImage> image = engine_->exec_image(info[0].As<Napi::Number>().Uint32Value());
    if (!image.has_value()) return env.Null();
    auto object = Napi::Object::New(env);
    object.Set("dev", Napi::BigInt::New(env, image->dev));
    object.Set("ino", Napi::BigInt::New(env, image->ino));
    object.Set("size", Napi::BigInt::New(env, image->size));
    object.Set("mtimeNs", Napi::BigInt::New(env, image->mtime));
    object.Set("ctimeNs", Napi::BigInt::New(env, image->ctime));
    object.Set("fileSystem", image->file_system);
    object.Set("number", image->number);
    object.Set("isKnown", image->is_known);
    object.Set("rootIno", Napi::BigInt::New(env, image->root_ino));
    object.Set("rootMount", image->root_mount);
    object.Set("path", image->path);
    object.Set("cwd", image->cwd);
    if (image->is_met) {
      object.Set("script", env.Null());
    } else {
      object.Set("script", image->script);
    }
    object.Set("parent", image->parent);
    object.Set("argv", array_of(env, image->argv));
    return object;
  }

  // Null: not a table. A program may be executed often: its memory is opened, and kept alive, once.
  const Table* table_of(Napi::Uint8Array bytes) {
    const auto known = tables_.find(bytes.Data());
    if (known != tables_.end()) return &known->second;
    const std::optional<Table> table = Table::open(bytes.Data(), bytes.ByteLength());
    if (!table.has_value()) return nullptr;
    table_memory_.emplace(bytes.Data(), Napi::Persistent(bytes.As<Napi::Object>()));
    return &tables_.emplace(bytes.Data(), *table).first->second;
  }

  void forget_table(const uint8_t* bytes) {
    tables_.erase(bytes);
    table_memory_.erase(bytes);
  }

  // followNames(names)
  void follow_names(const Napi::CallbackInfo& info) { engine_->follow_names(strings_of(info[0])); }

  void unpin(const Napi::CallbackInfo&) { engine_->unpin(); }

  void stop(const Napi::CallbackInfo&) {
    if (!thread_.is_joinable()) return;
    engine_->stop();
    wake_tracer_thread(thread_.handle());
  }

  void finish(const Napi::CallbackInfo&) {
    if (!is_open_) return;
    is_open_ = false;
    stop_and_join();
    napi_remove_env_cleanup_hook(env_, &Session::clean_up, this);
    release_doorbell();
    ring_memory_.Reset();
    table_memory_.clear();
    Unref();
  }

  Napi::Value result(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const EngineResult& result = engine_->result();
    auto object = Napi::Object::New(env);
    object.Set("rootPid", result.root_pid);
    object.Set("exitCode", result.exit_code);
    object.Set("exitSignal", result.exit_signal);
    object.Set("faultCount", result.fault_count);
    object.Set("hasKprobe", result.has_kprobe);
    object.Set("failedOperation", result.failure.ok() ? "" : result.failure.op);
    object.Set("errno", result.failure.error);
    object.Set("errorText", result.failure.error == 0 ? "" : strerror(result.failure.error));
    return object;
  }

  napi_env env_ = nullptr;
  napi_threadsafe_function doorbell_ = nullptr;
  Napi::ObjectReference ring_memory_;
  std::unordered_map<const uint8_t*, Table> tables_;
  std::unordered_map<const uint8_t*, Napi::ObjectReference> table_memory_;
  std::unique_ptr<RingWriter> ring_;
  std::unique_ptr<Engine> engine_;
  Thread thread_;
  bool hides_host_ = false;
  std::atomic<bool> is_done_{false};
  bool is_open_ = false;
};

// [read end, write end], both close-on-exec.
Napi::Value make_pipe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    Napi::Error::New(env, std::string("pipe2: ") + strerror(errno)).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto array = Napi::Array::New(env, 2);
  array.Set(0U, ends[0]);
  array.Set(1U, ends[1]);
  return array;
}

// What src/ring believes, checked by a contract test.
Napi::Value ring_layout(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto layout = Napi::Object::New(env);
  const auto set = [&layout](const char* name, uint32_t value) { layout.Set(name, value); };
  set("RING_MAGIC", kRingMagic);
  set("RING_VERSION", kRingVersion);
  set("RING_HEADER_BYTES", kRingHeaderBytes);
  set("RECORD_BYTES", kRecordBytes);
  set("MAGIC_OFFSET", offsetof(RingHeader, magic));
  set("VERSION_OFFSET", offsetof(RingHeader, version));
  set("CAPACITY_OFFSET", offsetof(RingHeader, capacity));
  set("HEAD_OFFSET", offsetof(RingHeader, head));
  set("STATE_OFFSET", offsetof(RingHeader, state));
  set("DROPPED_COUNT_OFFSET", offsetof(RingHeader, dropped_count));
  set("TAIL_OFFSET", offsetof(RingHeader, tail));
  set("READER_ASLEEP_OFFSET", offsetof(RingHeader, reader_asleep));
  set("RECORD_TID_OFFSET", offsetof(Record, tid));
  set("RECORD_VALUE_OFFSET", offsetof(Record, value));
  set("RECORD_KIND_OFFSET", offsetof(Record, kind));
  set("RECORD_ABI_OFFSET", offsetof(Record, abi));
  set("RECORD_FLAGS_OFFSET", offsetof(Record, flags));
  set("RECORD_EXTRA_OFFSET", offsetof(Record, extra));
  set("RECORD_RESTART", kRecordRestart);
  set("RECORD_ASKED", kRecordAsked);
  set("RECORD_KNOWN", kRecordKnown);
  set("RECORD_MAYBE_RESTART", kRecordMaybeRestart);
  return layout;
}

// [clone, clone3, ...] of one ABI code, for the test that compares them with the syscall tables.
Napi::Value known_call_numbers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const KnownCalls& known = known_calls(static_cast<Abi>(info[0].As<Napi::Number>().Uint32Value()));
  auto object = Napi::Object::New(env);
  const auto set = [&object](const char* name, int32_t nr) { object.Set(name, nr); };
  set("clone", known.clone);
  set("clone3", known.clone3);
  set("fork", known.fork);
  set("vfork", known.vfork);
  set("wait4", known.wait4);
  set("waitid", known.waitid);
  set("rt_sigreturn", known.rt_sigreturn);
  set("sigreturn", known.sigreturn);
  set("restart_syscall", known.restart_syscall);
  set("sched_getaffinity", known.sched_getaffinity);
  set("sched_setaffinity", known.sched_setaffinity);
  set("seccomp", known.seccomp);
  set("prctl", known.prctl);
  return object;
}

// (address, text) -> errno, 0 when it was sent.
Napi::Value send_datagram(const Napi::CallbackInfo& info) {
  const int failure = send_unix_datagram(text_of(info[0]), text_of(info[1]));
  return Napi::Number::New(info.Env(), failure);
}

// processFacts(tid, knownMounts): ProcessFacts in src/addon; an empty text is one that could not be read.
Napi::Value process_facts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ProcessFacts facts =
      read_process_facts(info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Uint32Value());
  auto object = Napi::Object::New(env);
  const auto text_or_null = [env](const std::optional<std::string>& text) -> Napi::Value {
    return text.has_value() ? Napi::String::New(env, *text) : env.Null();
  };
  object.Set("root", facts.root);
  object.Set("exe", facts.exe);
  object.Set("cwd", facts.cwd);
  object.Set("argv", array_of(env, facts.argv));
  object.Set("executed", text_or_null(facts.executed));
  object.Set("place", facts.place);
  object.Set("mountId", facts.mount_id);
  object.Set("mountinfo", text_or_null(facts.mounts));
  object.Set("mountsVersion", facts.mounts_version);
  return object;
}

// pinned(folder): { stamp, session, name, readAt } | null
Napi::Value pinned(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<PinnedFacts> facts = read_pinned(text_of(info[0]));
  if (!facts.has_value()) return env.Null();
  auto object = Napi::Object::New(env);
  object.Set("stamp", facts->stamp);
  object.Set("session", facts->session);
  object.Set("name", facts->name);
  object.Set("readAt", static_cast<double>(facts->read_at));
  return object;
}

Napi::Value failed(Napi::Env env, const Status& status) {
  Napi::Error::New(env, std::string(status.op) + ": " + strerror(status.error)).ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Object object_of(Napi::Env env, const HeldChild& held) {
  auto object = Napi::Object::New(env);
  object.Set("pid", held.pid);
  object.Set("gate", held.gate);
  object.Set("outcome", held.outcome);
  return object;
}

// holdProgram(launch): { pid, gate, outcome }
Napi::Value hold_program(const Napi::CallbackInfo& info) {
  // Its memory is the child's until that executes, or until we do.
  auto* const launch = new Launch(launch_options_of(info[0]));
  HeldChild held{};
  const Status status = launch->hold(&held);
  return status.ok() ? object_of(info.Env(), held) : failed(info.Env(), status);
}

// keepMaker(launch): a descriptor
Napi::Value keep_maker(const Napi::CallbackInfo& info) {
  // As above, for good.
  auto* const launch = new Launch(launch_options_of(info[0]));
  int orders = -1;
  const Status status = launch->keep_maker(&orders);
  return status.ok() ? Napi::Number::New(info.Env(), orders) : failed(info.Env(), status);
}

// orderProgram(orders): { pid, gate, outcome }
Napi::Value order_program(const Napi::CallbackInfo& info) {
  HeldChild held{};
  const Status status = order_child(int32_of(info[0]), &held);
  return status.ok() ? object_of(info.Env(), held) : failed(info.Env(), status);
}

// accessWith(kept: bigint, path, mode): an errno, 0 when it may
Napi::Value may_access_with(const Napi::CallbackInfo& info) {
  bool is_lossless = true;
  const int error =
      access_with(info[0].As<Napi::BigInt>().Uint64Value(&is_lossless), text_of(info[1]), int32_of(info[2]));
  return Napi::Number::New(info.Env(), error);
}

// beginAnewWith(kept: bigint, descriptors: number[]): what failed, with its errno. Else it does not return.
Napi::Value begin_anew(const Napi::CallbackInfo& info) {
  bool is_lossless = true;
  const Status status = begin_anew_with(info[0].As<Napi::BigInt>().Uint64Value(&is_lossless), int32s_of(info[1]));
  return Napi::String::New(info.Env(), std::string(status.op) + ": " + strerror(status.error));
}

// libcBanner(): see libc_banner.h
Napi::Value tell_libc_banner(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), libc_banner()); }

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeSession", Session::define(env));
  exports.Set("LogScanner", define_log_scanner(env));
  exports.Set("TapePlayer", define_tape_player(env));
  exports.Set("bench", make_bench(env));
  define_hashes(env, exports);
  exports.Set("makePipe", Napi::Function::New(env, make_pipe));
  exports.Set("processFacts", Napi::Function::New(env, process_facts));
  exports.Set("libcBanner", Napi::Function::New(env, tell_libc_banner));
  exports.Set("pinned", Napi::Function::New(env, pinned));
  exports.Set("holdProgram", Napi::Function::New(env, hold_program));
  exports.Set("keepMaker", Napi::Function::New(env, keep_maker));
  exports.Set("orderProgram", Napi::Function::New(env, order_program));
  exports.Set("accessWith", Napi::Function::New(env, may_access_with));
  exports.Set("beginAnewWith", Napi::Function::New(env, begin_anew));
  exports.Set("sendDatagram", Napi::Function::New(env, send_datagram));
  exports.Set("ringLayout", Napi::Function::New(env, ring_layout));
  exports.Set("knownCallNumbers", Napi::Function::New(env, known_call_numbers));
  return exports;
}

}  // namespace

}  // namespace tracefp

static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) { return tracefp::initialize(env, exports); }

NODE_API_MODULE(NODE_GYP_MODULE_NAME, initialize_addon)
