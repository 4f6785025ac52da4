// The seam. An engine makes records of a session and writes them to a ring; what the calls mean is not its business.
//
//        host thread                     tracer thread                         reader (worker)
//   start() ----------------------> run(): launch, wait, resume
//                                      push(record) -----------------> drain
//                                      push(question), wait <--------- answer()
//   stop() -----------------------> every tracee is killed, run() returns
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/ptrace/cpu.h"
#include "engine/status.h"
#include "match/table.h"
#include "ring/writer.h"

namespace tracefp {

// Calls that do not run but return what they are documented to return when they fail: to see what a program does then.
struct Fault {
  Call call;
  uint32_t first;   // the first such call of the session that fails, counted from 1
  bool is_lasting;  // and all after it
  int64_t result;   // -errno, or a short count
};

// A child that waits before its exec, made by who this process was before it began anew. See Launch.
struct HeldChild {
  pid_t pid;
  int gate;     // opened by a byte; closed, it ends
  int outcome;  // shared memory: what it says of itself
};

struct LaunchOptions {
  std::string path;  // resolved; not searched for in PATH
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::string cwd;           // empty = stay
  int stdio[3] = {0, 1, 2};  // what becomes the program's 0, 1, 2; -1 = /dev/null
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  Pin pin = Pin::kAuto;
  bool sends_listener = false;   // engine notify: the way for where pidfd_getfd(2) is forbidden, always
  bool hides_host = false;       // see hide_host(): only where the whole process is tracefp's own
  bool stops_with_root = false;  // CLI in a terminal: when the root stops, so do we, or the shell never sees it
  bool is_guarded = false;       // every call is judged before it runs, and a miss is asked about
  std::optional<Fault> fault;
  uint32_t kernel_ring_bytes = 16 * 1024 * 1024;  // engine ebpf: a power of two
  bool guesses_restarts = false;                  // engine ebpf: where that is cheaper, and every program is judged
  std::optional<HeldChild> held;                  // engine ebpf: who goes on, as all of the above said to its maker
};

struct AttachOptions {
  pid_t pid = 0;
  bool hides_host = false;
  bool is_guarded = false;
};

// Engine ebpf: what already runs, or begins later. One of the first three.
struct FollowOptions {
  pid_t pid = 0;                   // a process and all below it
  uint64_t cgroup = 0;             // the id of a cgroup (v2): what is in it or below it
  std::vector<std::string> names;  // of executables, without folders: whoever runs one of them
  bool hides_host = false;
  bool guesses_restarts = false;  // as above
  uint32_t kernel_ring_bytes = 16 * 1024 * 1024;
  std::string pin;      // a folder of the BPF file system: all goes on there when we are gone; empty = it ends with us
  bool unpins = false;  // what is pinned there is taken up, told, and ended
  std::string stamp;    // of this version: only what has the same is taken up
  std::string session;  // for who comes after us
  std::string name;     // of what is followed
};

// What becomes of a tracee that waits.
enum class Decision : uint8_t {
  kAllow = 0,
  kDeny = 1,  // of a call: it fails with EPERM. Of an exec, which cannot be undone, or a program that was met: as kKill
  kKill = 2,  // the whole session: the program and everything it started
};

struct Answer {
  Decision decision = Decision::kAllow;
  const Table* table = nullptr;  // of an exec or a program that was met: what it is judged by; null: it is not
  uint32_t flags = 0;            // engine ebpf: ViewFlags
  uint32_t sharing = 0;          // engine ebpf, of an exec: Sharing; which others begin the same program
};

// What an exec began, where the tracee does not wait for the reader: by now it may be gone, or have begun something
// else.
struct ExecImage {
  uint64_t dev = 0;  // as stat(2) has it
  uint64_t ino = 0;
  std::string path;  // inside the root of its process
  std::string cwd;
  uint64_t root_ino = 0;          // where that is: an inode,
  uint32_t root_mount = 0;        // and the number of its mount
  std::string script;             // what execve was given, where an interpreter runs it; empty: none does
  std::vector<std::string> argv;  // the first of them
  bool is_met = false;            // it ran already: its arguments and script are to be asked of it
  pid_t parent = 0;
  uint64_t size = 0;  // of the file, when it began
  int64_t mtime = 0;  // ns
  int64_t ctime = 0;
  uint32_t file_system = 0;  // its magic number
  uint32_t number = 0;       // of what runs; 0 = it has none
  bool is_known = false;     // the number is one that was answered before: it is the same program
};

// Written by the tracer thread, read by others after RingState::kEnded or kFailed (root_pid: from kRunning on).
struct EngineResult {
  pid_t root_pid = 0;
  int exit_code = 0;
  int exit_signal = 0;
  uint32_t fault_count = 0;  // calls that `fault` answered
  bool has_kprobe = false;   // engine ebpf: restarts are seen by a kprobe
  Status failure;            // the launch failed
};

class Engine {
 public:
  virtual ~Engine() = default;

  // The whole session, on the calling (tracer) thread. Ends when no tracee is left or stop() was called.
  // Leaves no tracee and no zombie behind. The caller sets the last state of the ring.
  virtual void run() = 0;

  // Any thread. run() kills every tracee and returns soon.
  virtual void stop() = 0;

  // Any thread: the reader has dealt with a record that is a question (kExec, a birth of BirthKind::kMet, or a kCall
  // with kRecordAsked), the `question`th of the session, counted from 1.
  virtual void answer(uint32_t question, const Answer& answer) = 0;

  // Any thread. What the exec of a question that is not answered yet began; nothing: its tracee waits, /proc tells it.
  virtual std::optional<ExecImage> exec_image(uint32_t /*question*/) { return std::nullopt; }

  // Any thread. Engine ebpf: what is judged by `old` is judged by `now`. False: it is not, and all is as before.
  virtual bool replace_table(const Table& /*old*/, const Table& /*now*/, uint32_t /*flags*/) { return false; }

  // Any thread. Engine ebpf: what was answered of images is no longer true of those that begin from now on.
  virtual void forget_images() {}

  // Any thread. Engine ebpf: a signal for a process that is followed; tgid 0 = for all.
  virtual void signal(pid_t /*tgid*/, int /*signal*/) {}

  // Any thread. Engine ebpf, where executables are followed by their names: these, too.
  virtual void follow_names(std::vector<std::string> /*names*/) {}

  // Any thread. Engine ebpf: nothing stays pinned when this session ends.
  virtual void unpin() {}

  virtual const EngineResult& result() const = 0;
};

}  // namespace tracefp
