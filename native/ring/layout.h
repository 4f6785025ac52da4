// The layout of the ring: the one place where it is written. scripts/generate-ring-layout.mjs makes
// src/ring/layout.gen.ts from it, test/contract/ring-layout.test.ts compares every offset with what the addon reports.
//
//   byte 0    64         128        192       256
//        |fixed|tracer's |reader's  |reserved |record 0|record 1| ...   capacity records of 16 bytes
//
// head and tail run freely (modulo 2^32) and are masked on use: head - tail is the number of unread records.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tracefp {

constexpr uint32_t kRingMagic = 0x50465254;  // "TRFP"
constexpr uint32_t kRingVersion = 1;
constexpr uint32_t kRingHeaderBytes = 256;
constexpr uint32_t kRecordBytes = 16;

enum class RingState : uint32_t {
  kLaunching = 0,
  kRunning = 1,
  kEnded = 2,
  kFailed = 3,
};

enum class RecordKind : uint8_t {
  // A system call is entered. value = number (int32), abi, flags = 0, kRecordRestart or kRecordAsked.
  kCall = 1,
  // A signal handler starts. value = signal number.
  kSignal = 2,
  // A new tracee. value = the tracee it was born of (0 = not known), flags = BirthKind, extra = tgid.
  kBirth = 3,
  // A successful exec. value = the tid that called it. The tracee waits until the reader answers.
  kExec = 4,
  // The tracee is gone. value = exit code, flags = the signal that killed it or 0.
  kExit = 5,
  // value records are missing here; tid 0 = of every tracee.
  kGap = 6,
  // A fact about the session. value = NoteKind, extra = its argument.
  kNote = 7,
  // value calls were judged in the kernel and are no misses; the last of them follow. extra: transparent calls beside
  // them. Only engine ebpf has these.
  kSkipped = 8,
  // value calls of a track that were judged and counted in the kernel, and are not told; extra of them are misses, abi
  // <<
  // 16 | flags of them were not judged. The last of them follow, with kRecordKnown. Only engine ebpf has these.
  kFlood = 9,
};

enum class BirthKind : uint16_t {
  kExec = 1,
  kThread = 2,
  kFork = 3,
  kJoin = 4,
  // As kJoin, and the first of a process that already ran. The tracee waits until the reader answers.
  kMet = 5,
  // As kFork, but the parent was killed before it could tell. The tracee waits until the reader answers.
  kOrphan = 6,
};

enum class NoteKind : uint32_t {
  // no_new_privs was set on the program: setuid programs lose their privileges.
  kNoNewPrivs = 1,
  // The tracee asked for an untraced child; it was refused with EPERM.
  kUntracedRefused = 2,
  // An untraced child appeared all the same; its whole thread group was killed.
  kUntracedKilled = 3,
  // The tracee installed a seccomp listener of its own: calls it answers itself are not seen.
  kListener = 4,
  // The tracee installed a seccomp filter of its own: calls that filter refuses are not seen.
  kOwnFilter = 5,
  // A tracee was met without its birth.
  kUnknownTracee = 6,
  // Whether a signal has a handler could not be read.
  kUnreadable = 7,
  // A task of those that were to be attached to could not be; argument: errno.
  kNotAttached = 8,
  // A guarded tracee asked for a seccomp listener of its own; it was refused with EPERM.
  kListenerRefused = 9,
  // A tracee asked to be traced, or to trace one of the session: the kernel refuses that, since it is traced already.
  kTracing = 10,
  // Engine ebpf: so many requests were handed to io_uring; argument: how many.
  kIoUring = 11,
  // Engine ebpf: goes on with what was pinned; argument: seconds for which nobody read.
  kAdopted = 12,
  // What was in the kernel's ring when it went on was told; argument: how many records that were.
  kCaughtUp = 13,
  // Engine ebpf: so many calls that a table did not allow found no room in the kernel's ring.
  kLostMisses = 14,
};

// Set on kCall when the kernel repeats a call that was interrupted: the program called once.
constexpr uint16_t kRecordRestart = 1;

// Set on kCall in a guarded session when the call is a miss. The tracee waits until the reader answers.
constexpr uint16_t kRecordAsked = 2;

// Set on kCall when the call was judged and counted already: it only says where the track stands.
constexpr uint16_t kRecordKnown = 4;

// Set on kCall when the kernel may be repeating a call that was interrupted: it is taken so where it would be a miss.
constexpr uint16_t kRecordMaybeRestart = 8;

struct Record {
  uint32_t tid;
  uint32_t value;
  RecordKind kind;
  uint8_t abi;
  uint16_t flags;
  uint32_t extra;  // kCall, kSignal: milliseconds since the session began
};
static_assert(sizeof(Record) == kRecordBytes);

using Word = std::atomic<uint32_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 4);

// Padded, not aligned: the memory of a SharedArrayBuffer is aligned to 16 bytes only.
struct RingHeader {
  // Written by the creator, before the tracer starts.
  uint32_t magic;
  uint32_t version;
  uint32_t capacity;  // records, a power of two
  uint32_t padding0[13];

  // Written by the tracer.
  Word head;
  // Written by the tracer. A RingState.
  Word state;
  // Written by the tracer. Records thrown away; the ptrace engines never do.
  Word dropped_count;
  uint32_t padding1[13];

  // Written by the reader.
  Word tail;
  // Written by the reader: 1 = wake me at the next record. The tracer takes it back to 0 when it does.
  Word reader_asleep;
  uint32_t padding2[30];
};
static_assert(sizeof(RingHeader) == kRingHeaderBytes);
static_assert(offsetof(RingHeader, head) == 64 && offsetof(RingHeader, tail) == 128);

}  // namespace tracefp
