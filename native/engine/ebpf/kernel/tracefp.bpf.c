// SPDX-License-Identifier: MIT
// The kernel half of engine `ebpf`: sees calls, births, execs, signals and ends of the tasks that are followed, and
// writes records of them. A task is followed when it has a Track, which its children get from it.
//
//   sys_enter ................. a call              fork  a Track for the child, a birth
//   signal_deliver ............ a handler begins    exec  the facts of the new image
//   on the way to signals,  ... the call will be    exit  the end
//   or sys_exit                 repeated            walk  over all tasks: a Track for those that are to be followed
//
// Where the image of a track has a table, a call that the table allows, and that was told once, is only counted. What
// is told next is preceded by how many were, and the last of them: the reader then stands where it would if it had seen
// all.
//
// Nothing here may wait. A record for which the ring has no room is lost; its Track counts that, and the next record of
// the Track is preceded by a gap that says how many are missing.
#include "types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "shared.h"

// Only helpers that are not for GPL programs alone could be called otherwise; the kernel asks for this of tracing
// programs.
char LICENSE[] SEC("license") = "Dual MIT/GPL";

// As in native/ring/layout.h; the loader compares them.
enum { kCall = 1, kSignal = 2, kBirth = 3, kExec = 4, kExit = 5, kGap = 6, kNote = 7, kSkipped = 8, kFlood = 9 };
enum { kBornByExec = 1, kBornAsThread = 2, kBornByFork = 3, kJoined = 4 };
enum { kNoteListener = 4, kNoteOwnFilter = 5 };
enum { kRestart = 1, kKnown = 4, kMaybeRestart = 8 };
enum { kX86_64 = 1, kI386 = 2, kX32 = 3 };

#define TS_COMPAT 2
#define X32_BIT 0x40000000
#define SIGNAL_GROUP_EXIT 4
#define SIGKILL 9
#define SIGSTOP 19
#define SYSCALL_BYTES 2  // the instruction that enters the kernel
#define SA_RESTART 0x10000000UL

// A handler left by siglongjmp never returns: of more than these the oldest is forgotten.
#define FRAMES 32

struct Frame {
  __u64 ip;
  __s32 nr;
  __u8 abi;
  __u8 may_restart;   // the interrupted call returned a restart code
  __u8 will_restart;  // and this handler lets it be repeated
  __u8 told_due;
  __s32 state;
  __u32 view;
};

// After what makes the state unknown so many calls are told whatever they are, so that it is as long as the reader's.
#define TOLD_FIRST 8
#define UNKNOWN_STATE -1
// Calls of a track that are no part of what the table allows: so many are told in a window of time, then they are
// counted until it is over.
#define FLOOD_LIMIT 1000
#define FLOOD_WINDOW_SHIFT 30  // of nanoseconds: 1.07 s

// Where a task finds its Track without a call: under the low bits of its number. Where two meet, and for what is seldom
// needed, a task has storage of its own.

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, TRACEFP_SLOTS);
  __type(key, __u32);
  __type(value, struct Track);
} slots SEC(".maps");

struct Extra {
  struct Track track;  // of a task whose slot is another one's
  __u32 is_marked;     // by the loader: it is followed from its exec on
  __u32 padding;
  struct Frame frames[FRAMES];
};

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct Extra);
} extras SEC(".maps");

// Rule kFollowNames.
struct Name {
  char bytes[TRACEFP_NAME_BYTES];
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, struct Name);
  __type(value, __u32);
} names SEC(".maps");

// Images that the reader has identified.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, TRACEFP_KNOWN_IMAGES);
  __type(key, struct ImageKey);
  __type(value, struct KnownImage);
} known SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 16 * 1024 * 1024);
} ring SEC(".maps");

// Calls leave a sixteenth of the ring free: births, execs and ends are lost last.
#define RESERVED_SHIFT 4

struct ExecRecord {
  struct KernelRecord record;
  struct ExecFacts facts;
  char bytes[TRACEFP_FILENAME_BYTES + TRACEFP_ARGS_BYTES + 2 * TRACEFP_NAMES_BYTES + 4096];
};

// A path that is being walked upwards. Not on the stack: the verifier would follow each value that its fields can have.
struct Walk {
  __u64 dentry, mount, root, root_mount;
  __u32 at, end;
};

// The stack of a program is 512 bytes.
struct Scratch {
  struct Walk walk;
  struct Name name;
  struct ImageKey key;
  struct ExecRecord out;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct Scratch);
} scratch SEC(".maps");

struct Control control = {};

// Not among the data of this file: the loader program would carry 4 MiB of zeros.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct Judged);
} judged SEC(".maps");

static __always_inline __u64 wake_flag(void) {
  if (!control.is_asleep) return BPF_RB_NO_WAKEUP;
  control.is_asleep = 0;
  return BPF_RB_FORCE_WAKEUP;
}

static __always_inline bool put(const struct Track* track, __u8 kind, __u32 value, __u8 abi, __u16 flags, __u32 extra) {
  struct KernelRecord* record = bpf_ringbuf_reserve(&ring, sizeof *record, 0);
  if (!record) return false;
  record->tid = track->tid;
  record->value = value;
  record->kind = kind;
  record->abi = abi;
  record->flags = flags;
  record->extra = extra;
  bpf_ringbuf_submit(record, wake_flag());
  return true;
}

__noinline int put_birth(struct Track* track) {
  if (!track) return false;
  const bool is_told = put(track, kBirth, track->parent, 0, track->birth_kind, track->tgid);
  track->owes_birth = !is_told;
  return is_told;
}

// What could not be told before comes before anything else of the track. False: there is still no room.
__noinline int settle(struct Track* track) {
  if (!track) return false;
  if (track->owes_birth && !put_birth(track)) return false;
  if (!track->lost) return true;
  if (!put(track, kGap, track->lost, 0, 0, 0)) return false;
  __sync_fetch_and_sub(&control.lost_count, track->lost);
  track->lost = 0;
  return true;
}

static __always_inline void lose(struct Track* track, __u32 count) {
  track->lost += count;
  __sync_fetch_and_add(&control.lost_count, count);
}

// A call of which no record can be written: what was only counted before it is missing with it.
__noinline int lose_call(struct Track* track) {
  if (!track) return 0;
  if (track->is_miss) __sync_fetch_and_add(&control.lost_miss_count, 1);
  lose(track, 1 + track->skipped + track->transparent);
  track->is_flooding = 0;
  track->skipped = 0;
  track->transparent = 0;
  return 0;
}

// Calls that were only counted: how many, and the last of them as if they were told.
__noinline int tell_skipped(struct Track* track) {
  if (!track) return 0;
  const __u32 count = track->skipped;
  const __u32 transparent = track->transparent;
  const __u32 kept = count < TRACEFP_KEPT ? count : TRACEFP_KEPT;
  const bool was_flooding = track->is_flooding;
  track->skipped = 0;
  track->transparent = 0;
  track->is_flooding = 0;
  if ((track->lost || track->owes_birth) && !settle(track)) {
    lose(track, count + transparent);
    return 0;
  }
  if (was_flooding) {
    if (transparent && !put(track, kSkipped, 0, 0, 0, transparent)) lose(track, transparent);
    if (!put(track, kFlood, count, track->unjudged >> 16, track->unjudged, track->flood_misses)) {
      lose(track, count);
      __sync_fetch_and_add(&control.lost_miss_count, track->flood_misses);
      return 0;
    }
  }
  if (!was_flooding && (count > TRACEFP_KEPT || transparent) && !put(track, kSkipped, count - kept, 0, 0, transparent)) {
    lose(track, count + transparent);
    return 0;
  }
  for (__u32 i = 0; i < TRACEFP_KEPT; i++) {
    if (i >= kept) break;
    const __u16 call = track->kept[(count - kept + i) % TRACEFP_KEPT];
    if (!put(track, kCall, call & 0xfff, call >> 12, was_flooding ? kKnown : 0, 0)) {
      lose(track, kept - i);
      return 0;
    }
  }
  return 0;
}

static __always_inline void tell(struct Track* track, __u8 kind, __u32 value, __u8 abi, __u16 flags, __u32 extra) {
  if (track->skipped | track->transparent) tell_skipped(track);
  if ((track->lost || track->owes_birth) && !settle(track)) {
    lose(track, 1);
    return;
  }
  if (!put(track, kind, value, abi, flags, extra)) lose(track, 1);
}

static __always_inline struct Judged* shared_memory(void) {
  const __u32 zero = 0;
  return bpf_map_lookup_elem(&judged, &zero);
}

// NULL: the image is judged by nothing.
static __always_inline const struct TableView* view_of(struct Judged* by, __u32 image) {
  const __u64 judged_by = by->judged_by[image % TRACEFP_IMAGES];
  return judged_by && (judged_by >> 32) == image ? &by->views[judged_by % TRACEFP_VIEWS] : NULL;
}

static __always_inline __u32* word_at(struct Judged* by, __u32 offset) {
  return (__u32*)(by->tables + (offset & (TRACEFP_TABLE_BYTES - 4)));
}

// A call in the form in which it is kept; there is none for numbers that no table has.
#define NOT_KEPT 0xffffffff

static __always_inline __u32 kept_form(__u8 abi, __s32 nr) {
  return (__u32)nr < 0x1000 ? (__u32)abi << 12 | nr : NOT_KEPT;
}

static __always_inline void keep(struct Track* track, __u32 call) {
  track->kept[track->skipped % TRACEFP_KEPT] = call;
  track->skipped++;
}

// A call that the table does not allow: what is done about it at once, and whether it is told.
__noinline int is_flood(struct Track* track, __u32 flags, __u32 call) {
  if (!track) return false;
  track->is_miss = 1;
  if (flags & kViewKill) bpf_send_signal(SIGKILL);
  if (flags & kViewStop) bpf_send_signal(SIGSTOP);
  if (flags & kViewTellAfter) track->told_due = TOLD_FIRST;
  if (!(flags & kViewFlood) || call == NOT_KEPT) return false;
  const __u32 window = bpf_ktime_get_ns() >> FLOOD_WINDOW_SHIFT;
  if (track->flood_window != window) {
    track->flood_window = window;
    track->flood_count = 0;
    if (!track->is_flooding) return false;
    track->flood_misses++;
    keep(track, call);
    tell_skipped(track);
    return true;
  }
  if (track->flood_count < FLOOD_LIMIT) {
    track->flood_count++;
    return false;
  }
  if (!track->is_flooding) {
    if (track->skipped | track->transparent) tell_skipped(track);
    track->is_flooding = 1;
    track->flood_misses = 0;
    track->unjudged = 0;
  }
  track->flood_misses++;
  keep(track, call);
  return true;
}

// While it floods: an allowed call, or one that is not judged.
__noinline int count_in_flood(struct Track* track, int is_judged, __u32 call) {
  if (!track) return true;
  if (!is_judged) track->unjudged++;
  keep(track, call);
  const __u32 window = bpf_ktime_get_ns() >> FLOOD_WINDOW_SHIFT;
  if (track->flood_window != window) {
    track->flood_window = window;
    track->flood_count = 0;
    tell_skipped(track);
  }
  return true;
}

// It is followed no longer. For the reader that is an end without a cause.
__noinline int let_go(struct Track* track) {
  if (!track) return 0;
  tell(track, kExit, 0, 0, TRACEFP_LET_GO, 0);
  track->owner = 0;
  __sync_fetch_and_sub(&control.live_count, 1);
  return 0;
}

// The track makes a call. True: its table allows it, and the reader has seen it there before; or it was counted.
static __always_inline bool is_known(struct Track* track, __u8 abi, __s32 nr, bool may_repeat) {
  struct Judged* by = shared_memory();
  if (!by) return false;
  const struct TableView* view = view_of(by, track->image);
  if (!view) return false;
  const __u32 flags = view->flags;
  if (flags & kViewLetGo) {
    let_go(track);
    return true;
  }
  __s32 state = track->state;
  if (track->view != view->serial) {
    track->view = view->serial;
    state = UNKNOWN_STATE;
  }
  const __u32 place = view->lookup + (view->blocks[abi & 7] * 1024 + nr) * 2;
  const __u32 call = kept_form(abi, nr);
  const __s32 symbol =
      (__u32)nr < 1024 ? *(const __s16*)(by->tables + (place & (TRACEFP_TABLE_BYTES - 2))) : UNKNOWN_STATE;
  if (symbol == -2) {  // transparent: what came before stays what came before
    track->state = state;
    if (!track->is_flooding && (track->told_due || state < 0)) return false;
    track->transparent++;
    return true;
  }
  if (symbol < 0 || state < 0) {
    if (symbol < 0 && may_repeat) return false;
    track->state = symbol;
    if (symbol < 0 && is_flood(track, state < 0 ? flags & kViewFlood : flags, call)) {
      if (state < 0) track->unjudged++;
      return true;
    }
    if (track->is_flooding && symbol >= 0) return count_in_flood(track, false, call);
    track->told_due = TOLD_FIRST;
    return false;
  }
  const __u32 at = (state * view->words_per_row + (symbol >> 5)) * 4;
  const __u32 bit = 1u << (symbol & 31);
  const bool is_allowed = *word_at(by, view->rows + at) & bit;
  if (!is_allowed && may_repeat) {
    track->state = state;
    return false;
  }
  track->state = view->next ? (__s32)*word_at(by, view->next + (state * view->symbol_count + symbol) * 4) : symbol;
  if (!is_allowed) return is_flood(track, flags, call);
  __u32* used = word_at(by, view->used + at);
  const bool is_first = !(*used & bit);
  if (is_first) __sync_fetch_and_or(used, bit);
  if (track->is_flooding) return count_in_flood(track, true, call);
  if (track->told_due) {
    track->told_due--;
    return false;
  }
  if (is_first) return false;
  keep(track, call);
  return true;
}

static __always_inline struct Track* slot_of(__u32 pid) {
  const __u32 index = pid % TRACEFP_SLOTS;
  return bpf_map_lookup_elem(&slots, &index);
}

static __always_inline struct Track* track_of(struct task_struct* task) {
  struct Track* track = slot_of(task->pid);
  if (track && track->owner == (__u64)task) return track;
  // What has no storage has no Track there: a load instead of a call.
  if (!task->bpf_storage) return NULL;
  struct Extra* extra = bpf_task_storage_get(&extras, task, 0, 0);
  return extra && extra->track.owner == (__u64)task ? &extra->track : NULL;
}

static __always_inline struct Extra* extra_of(struct task_struct* task) {
  struct Extra* extra = bpf_task_storage_get(&extras, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!extra) __sync_fetch_and_add(&control.unfollowed_count, 1);
  return extra;
}

// A new Track of the task. It is the task's once its `owner` is set, as the last of its fields.
static __always_inline struct Track* claim(struct task_struct* task) {
  struct Track* track = slot_of(task->pid);
  if (!track || __sync_val_compare_and_swap(&track->owner, 0, 1) != 0) {
    struct Extra* extra = extra_of(task);
    if (!extra) return NULL;
    track = &extra->track;
  }
  __builtin_memset((char*)track + sizeof track->owner, 0, sizeof *track - sizeof track->owner);
  track->pid = task->pid;
  track->last_nr = -1;
  track->state = UNKNOWN_STATE;
  return track;
}

// Records carry the numbers of this task's pid namespace from now on.
static __always_inline void know_namespace(struct task_struct* task) {
  struct pid* pid = BPF_CORE_READ(task, thread_pid);
  const __u32 level = BPF_CORE_READ(pid, level);
  struct pid_namespace* namespace = NULL;
  const char* numbers = (const char*)&pid->numbers[0];
  bpf_probe_read_kernel(&namespace, sizeof namespace,
                        numbers + level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns));
  control.pid_level = level;
  control.pid_namespace_number = BPF_CORE_READ(namespace, ns.inum);
  control.pid_namespace = (__u64)namespace;
}

// The number under which the loader knows a task; 0: it knows none, the task is not in its pid namespace or below it.
static __always_inline __u32 tid_of(struct task_struct* task) {
  // Read, not followed: the verifier lets nobody add to a pointer that it knows.
  struct pid* pid = BPF_CORE_READ(task, thread_pid);
  const __u32 level = control.pid_level;
  if (BPF_CORE_READ(pid, level) < level) return 0;
  const char* number = (const char*)&pid->numbers[0] + level * bpf_core_type_size(struct upid);
  __u64 namespace = 0;
  bpf_probe_read_kernel(&namespace, sizeof namespace, number + bpf_core_field_offset(struct upid, ns));
  if (!namespace || namespace != control.pid_namespace) return 0;
  __u32 nr = 0;
  bpf_probe_read_kernel(&nr, sizeof nr, number + bpf_core_field_offset(struct upid, nr));
  return nr;
}

// -ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND, -ERESTART_RESTARTBLOCK: include/linux/errno.h. A 32-bit program's
// result need not be sign-extended. orig_ax is -1 where no call was interrupted.
static __always_inline int restart_code(long orig_ax, long ax) {
  const int code = -(int)ax;
  const bool is_code = code == 512 || code == 513 || code == 514 || code == 516;
  return (int)orig_ax >= 0 && is_code ? code : 0;
}

// Where the sigframe says that the program goes on: struct rt_sigframe and its 32-bit twins.
static __always_inline bool read_return(struct pt_regs* regs, __u8 abi, bool is_rt, __u64* ip) {
  if (abi == kX86_64 || abi == kX32) return bpf_probe_read_user(ip, 8, (void*)(regs->sp + 168)) == 0;
  __u32 low = 0;
  const bool is_read = bpf_probe_read_user(&low, 4, (void*)(regs->sp + (is_rt ? 216 : 56))) == 0;
  *ip = low;
  return is_read;
}

static __always_inline void pop_frame(struct Track* track, struct task_struct* task, __u64 ip, bool is_read) {
  track->state = UNKNOWN_STATE;
  if (!track->known_frames) return;
  track->frame_count--;
  track->known_frames--;
  struct Extra* extra = bpf_task_storage_get(&extras, task, 0, 0);
  if (!extra) return;
  const struct Frame* frame = &extra->frames[track->frame_count & (FRAMES - 1)];
  track->last_ip = frame->ip;
  track->last_nr = frame->nr;
  track->last_abi = frame->abi;
  // Of another table than the one that judges by now it says nothing.
  if (frame->view == track->view) track->state = frame->state;
  track->told_due = frame->told_due;
  track->restart_due = frame->may_restart && (is_read ? ip == frame->ip - SYSCALL_BYTES : frame->will_restart);
}

static __always_inline bool is_sigreturn(__u8 abi, __s32 nr) {
  return nr == (abi == kX86_64 ? 15 : abi == kI386 ? 173 : 513) || (abi == kI386 && nr == 119);
}

// The few calls that mean something to a tracer.
static __always_inline void on_known_call(struct Track* track, struct task_struct* task, struct pt_regs* regs, __u8 abi,
                                          __s32 nr) {
  const bool is_32 = abi == kI386;
  if (is_sigreturn(abi, nr)) {
    const bool is_rt = nr != 119;
    __u64 ip = 0;
    const bool is_read = read_return(regs, abi, is_rt, &ip);
    pop_frame(track, task, ip, is_read);
    return;
  }
  // The kernel reads 32 bits of each argument; what stands in the upper halves is of no account.
  const __u32 first = is_32 ? regs->bx : regs->di;
  const __u32 second = is_32 ? regs->cx : regs->si;
  if (nr == (is_32 ? 354 : 317) && first == 1 /* SECCOMP_SET_MODE_FILTER */) {
    const bool listens = second & 8 /* SECCOMP_FILTER_FLAG_NEW_LISTENER */;
    tell(track, kNote, listens ? kNoteListener : kNoteOwnFilter, 0, 0, 0);
  } else if (nr == (is_32 ? 172 : 157) && first == 22 /* PR_SET_SECCOMP */) {
    tell(track, kNote, kNoteOwnFilter, 0, 0, 0);
  }
}

static __always_inline __u32 folded(const struct pt_regs* regs) {
  const __u64 all = (regs->sp + regs->di * 3) ^ (regs->si + regs->dx * 5) ^ (regs->bx + regs->bp * 3) ^
                    (regs->r12 + regs->r10 * 5) ^ (regs->r8 + regs->r9 * 3);
  return all ^ (all >> 32);
}

// Where nothing tells which calls returned a restart code: since the track's last call there was a reason for one, and
// nothing ran in between that changed a register.
static __always_inline bool looks_repeated(struct Track* track, const struct pt_regs* regs) {
  const __u32 registers = folded(regs);
  const __u16 epoch = control.epoch;
  const bool does = registers == track->registers && epoch != track->epoch;
  track->registers = registers;
  track->epoch = epoch;
  return does;
}

// What most calls are: native, allowed, told before, and nothing else is due. False: nothing was done. `see_call` would
// do the same of it, for 10 ns more.
static __always_inline bool is_usual(struct Track* track, __u32 nr) {
  if (*(const __u32*)&track->restart_due) return false;
  // rt_sigreturn, prctl, restart_syscall, seccomp
  if (nr == 15 || nr == 157 || nr == 219 || nr == 317 || nr >= 1024) return false;
  struct Judged* by = shared_memory();
  if (!by) return false;
  const struct TableView* view = view_of(by, track->image);
  // The one by which tracks are let go is none of theirs.
  if (!view || track->view != view->serial) return false;
  const __s32 state = track->state;
  if (state < 0) return false;
  const __u32 place = view->lookup + (view->blocks[kX86_64] * 1024 + nr) * 2;
  const __s32 symbol = *(const __s16*)(by->tables + (place & (TRACEFP_TABLE_BYTES - 2)));
  if (symbol < 0) return false;
  // What was told was allowed.
  const __u32 used = *word_at(by, view->used + (state * view->words_per_row + (symbol >> 5)) * 4);
  if (!(used >> (symbol & 31) & 1)) return false;
  track->state = view->next ? (__s32)*word_at(by, view->next + (state * view->symbol_count + symbol) * 4) : symbol;
  keep(track, kept_form(kX86_64, nr));
  return true;
}

static __noinline int see_call(struct Track* track, struct task_struct* task, struct pt_regs* regs, __s32 nr) {
  __u8 abi = kX86_64;
  if (task->thread_info.status & TS_COMPAT) {
    abi = kI386;
  } else if (nr >= 0 && (nr & X32_BIT)) {
    abi = kX32;
    nr &= ~X32_BIT;
  }
  const __u64 ip = regs->ip;
  // Programs do not call restart_syscall: the kernel makes it, at the address of the call it goes on with.
  const bool is_same_place = ip == track->last_ip && abi == track->last_abi;
  const bool continues = is_same_place && nr == (abi == kI386 ? 0 : 219);
  const bool repeats = is_same_place && track->restart_due && nr == track->last_nr;
  track->restart_due = 0;
  track->is_miss = 0;
  const bool is_restart = continues || repeats;
  const bool may_repeat = control.guesses_restarts && looks_repeated(track, regs) && is_same_place && nr == track->last_nr;
  if (!is_restart && !is_sigreturn(abi, nr) && is_known(track, abi, nr, may_repeat)) goto entered;
  const __u64 ring_bytes = control.ring_bytes;
  if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) + (ring_bytes >> RESERVED_SHIFT) > ring_bytes) {
    lose_call(track);
  } else {
    tell(track, kCall, nr, abi, is_restart ? kRestart : may_repeat ? kMaybeRestart : 0, 0);
  }
  if (is_restart) return 0;
entered:
  track->last_ip = ip;
  track->last_nr = nr;
  track->last_abi = abi;
  on_known_call(track, task, regs, abi, nr);
  return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_call, struct pt_regs* regs, long id) {
  struct task_struct* task = bpf_get_current_task_btf();
  // Whoever is interrupted by a debugger is so without a signal.
  if (id == 101 /* ptrace */) __sync_fetch_and_add(&control.epoch, 1);
  struct Track* track = track_of(task);
  if (!track) return 0;
  if (task->thread_info.status & TS_COMPAT || !is_usual(track, (__u32)id)) return see_call(track, task, regs, (__s32)id);
  track->last_ip = regs->ip;
  track->last_nr = (__s32)id;
  track->last_abi = kX86_64;
  if (control.guesses_restarts) looks_repeated(track, regs);
  return 0;
}

static __always_inline void see_restart(struct pt_regs* regs, long result) {
  struct Track* track = track_of(bpf_get_current_task_btf());
  if (track && restart_code(regs->orig_ax, result)) track->restart_due = 1;
}

// A call that returned a restart code will be repeated, unless a handler runs. The kernel comes by here on the way out
// of a call when there is something to do for a signal, and only then.
SEC("kprobe/arch_do_signal_or_restart")
int on_way_to_signals(void* unused) {
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
  see_restart(regs, regs->ax);
  return 0;
}

// Where the kernel has no kprobes. All other results are none of ours: what this costs is what is paid for every call.
SEC("tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs* regs, long result) {
  if ((int)result > -512 || (int)result < -516) return 0;
  see_restart(regs, result);
  return 0;
}

// Only where restarts are guessed: a signal for a process may interrupt a thread that does not get it.
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal_sent, int signal, void* info, struct task_struct* task) {
  if (track_of(task) || track_of(task->group_leader)) __sync_fetch_and_add(&control.epoch, 1);
  return 0;
}

SEC("raw_tp/cgroup_notify_frozen")
int on_freeze(void* unused) {
  __sync_fetch_and_add(&control.epoch, 1);
  return 0;
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(on_signal, int signal, void* info, struct k_sigaction* action) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct Track* track = track_of(task);
  if (!track) return 0;
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  const int code = restart_code(regs->orig_ax, regs->ax);
  if ((unsigned long)action->sa.sa_handler <= 1) {  // SIG_DFL, SIG_IGN
    if (code) track->restart_due = 1;
    return 0;
  }
  tell(track, kSignal, signal, 0, 0, 0);
  struct Extra* extra = extra_of(task);
  if (extra) {
    struct Frame* frame = &extra->frames[track->frame_count & (FRAMES - 1)];
    frame->ip = track->last_ip;
    frame->nr = track->last_nr;
    frame->abi = track->last_abi;
    frame->state = track->state;
    frame->view = track->view;
    frame->told_due = track->told_due;
    frame->may_restart = track->restart_due || code;
    frame->will_restart =
        code == 513 || (code == 512 && (action->sa.sa_flags & SA_RESTART)) || (!code && track->restart_due);
    track->frame_count++;
    if (track->known_frames < FRAMES) track->known_frames++;
  }
  track->state = UNKNOWN_STATE;
  track->restart_due = 0;
  return 0;
}

static __always_inline void copy_frames(struct task_struct* parent, struct task_struct* child, struct Track* track) {
  struct Extra* from = bpf_task_storage_get(&extras, parent, 0, 0);
  struct Extra* to = extra_of(child);
  if (!from || !to) {
    track->known_frames = 0;
    return;
  }
  __builtin_memcpy(to->frames, from->frames, sizeof to->frames);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
  struct Track* from = track_of(parent);
  if (!from) return 0;
  struct Track* track = claim(child);
  if (!track) return 0;
  const bool is_thread = child->tgid == parent->tgid;
  track->tid = tid_of(child);
  track->parent = from->tid;
  track->tgid = is_thread ? from->tgid : track->tid;
  track->birth_kind = is_thread ? kBornAsThread : kBornByFork;
  track->image = from->image;
  if (!is_thread && from->known_frames) {
    track->frame_count = from->frame_count;
    track->known_frames = from->known_frames;
    copy_frames(parent, child, track);
  }
  __sync_fetch_and_add(&control.live_count, 1);
  put_birth(track);
  track->owner = (__u64)child;
  return 0;
}

static __always_inline long put_name(struct Scratch* scratch, const struct dentry* dentry) {
  struct ExecRecord* out = &scratch->out;
  const __u32 at = scratch->walk.at;
  if (at >= scratch->walk.end || at >= sizeof out->bytes - 256) return 1;
  const long count = bpf_probe_read_kernel_str(&out->bytes[at], 256, BPF_CORE_READ(dentry, d_name.name));
  if (count > 0 && count <= 256) scratch->walk.at = at + count;
  return 0;
}

static __always_inline struct mount* mount_of(const struct vfsmount* vfsmount) {
  return (struct mount*)((char*)vfsmount - bpf_core_field_offset(struct mount, mnt));
}

// One step of a path, upwards. 1: that was the last.
static long step_up(__u32 index, void* unused) {
  const __u32 zero = 0;
  struct Scratch* space = bpf_map_lookup_elem(&scratch, &zero);
  if (!space) return 1;
  struct Walk* walk = &space->walk;
  const struct dentry* dentry = (const struct dentry*)walk->dentry;
  const struct vfsmount* vfsmount = (const struct vfsmount*)walk->mount;
  if (walk->dentry == walk->root && walk->mount == walk->root_mount) return 1;
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  if (dentry != BPF_CORE_READ(vfsmount, mnt_root) && dentry != parent) {
    if (put_name(space, dentry)) return 1;
    walk->dentry = (__u64)parent;
    return 0;
  }
  struct mount* mount = mount_of(vfsmount);
  struct mount* above = BPF_CORE_READ(mount, mnt_parent);
  if (above == mount) {
    // Nothing is above it. A memfd is a root of its own, and has a name.
    if (index == 0) put_name(space, dentry);
    return 1;
  }
  walk->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
  walk->mount = (__u64)above + bpf_core_field_offset(struct mount, mnt);
  return 0;
}

// Appends the components of a path, the last one first, and returns where they end. What is too deep, or too long, is
// cut at its beginning.
static __always_inline __u32 put_path(struct Scratch* scratch, __u32 at, struct path* path, struct path* root) {
  struct Walk* walk = &scratch->walk;
  walk->dentry = (__u64)BPF_CORE_READ(path, dentry);
  walk->mount = (__u64)BPF_CORE_READ(path, mnt);
  walk->root = (__u64)BPF_CORE_READ(root, dentry);
  walk->root_mount = (__u64)BPF_CORE_READ(root, mnt);
  walk->at = at;
  walk->end = at + TRACEFP_NAMES_BYTES - 256;
  bpf_loop(1024, step_up, NULL, 0);
  return walk->at;
}

static __always_inline __s64 in_ns(__s64 seconds, __s64 ns) {
  return seconds * 1000000000 + (ns & 0x3fffffff);  // the bits above are the kernel's own
}

#define OVERLAYFS 0x794c7630
#define OVL_INDEX 2  // bit of ovl_inode.flags

// As ovl_getattr() answers: where the layers are of several file systems each has a device of its own, and a file that was
// copied up keeps the number of what it was copied from, unless that has other names.
static __always_inline void put_overlaid(struct ExecFacts* facts, struct inode* inode) {
  if (!bpf_core_type_exists(struct ovl_inode)) return;
  struct ovl_inode* at = (struct ovl_inode*)((char*)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode));
  struct dentry* upper = BPF_CORE_READ(at, __upperdentry);
  struct ovl_path* path = NULL;
  if (bpf_core_field_exists(at->oe)) {
    struct ovl_entry* entry = BPF_CORE_READ(at, oe);
    if (entry && BPF_CORE_READ(entry, __numlower)) path = &entry->__lowerstack[0];
  } else if (bpf_core_field_exists(((struct ovl_inode___6_4*)at)->lowerpath)) {
    path = &((struct ovl_inode___6_4*)at)->lowerpath;
  }
  struct inode* lower = path ? BPF_CORE_READ(path, dentry, d_inode) : NULL;
  int layer = 0;
  if (lower && (!upper || BPF_CORE_READ(lower, i_nlink) == 1 || BPF_CORE_READ(at, flags) & (1 << OVL_INDEX))) {
    facts->ino = BPF_CORE_READ(lower, i_ino);
    layer = BPF_CORE_READ(path, layer, fsid);
  } else if (upper) {
    facts->ino = BPF_CORE_READ(upper, d_inode, i_ino);
  }
  struct ovl_fs* overlay = (struct ovl_fs*)BPF_CORE_READ(inode, i_sb, s_fs_info);
  if (BPF_CORE_READ(overlay, xino_mode) >= 0) return;
  const char* systems = (const char*)BPF_CORE_READ(overlay, fs);
  bpf_probe_read_kernel(
      &facts->dev, sizeof facts->dev,
      systems + layer * bpf_core_type_size(struct ovl_sb) + bpf_core_field_offset(struct ovl_sb, pseudo_dev));
}

static long see_mapped(struct task_struct* task, struct vm_area_struct* vma, __u64* inode) {
  *inode = (__u64)BPF_CORE_READ(vma, vm_file, f_inode);
  return 0;
}

// Which file it is, and which one its pages are of.
static __always_inline struct inode* put_file(struct ExecFacts* facts, struct task_struct* task, struct inode* inode,
                                              bool is_fresh) {
  __u64 mapped = 0;
  facts->ino = BPF_CORE_READ(inode, i_ino);
  facts->dev = BPF_CORE_READ(inode, i_sb, s_dev);
  if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS) return inode;
  put_overlaid(facts, inode);
  // Of a program that has not begun nobody has changed what is mapped.
  if (is_fresh) bpf_find_vma(task, BPF_CORE_READ(task, mm, start_code), see_mapped, &mapped, 0);
  return mapped ? (struct inode*)mapped : inode;
}

// As long as these are the same, so is the content, for all that a user can do.
static __always_inline void put_version(struct ExecFacts* facts, struct inode* inode) {
  facts->real_ino = BPF_CORE_READ(inode, i_ino);
  facts->real_dev = BPF_CORE_READ(inode, i_sb, s_dev);
  facts->file_system = BPF_CORE_READ(inode, i_sb, s_magic);
  facts->size = BPF_CORE_READ(inode, i_size);
  facts->generation = BPF_CORE_READ(inode, i_generation);
  if (bpf_core_field_exists(inode->i_ctime_sec)) {
    facts->mtime = in_ns(BPF_CORE_READ(inode, i_mtime_sec), BPF_CORE_READ(inode, i_mtime_nsec));
    facts->ctime = in_ns(BPF_CORE_READ(inode, i_ctime_sec), BPF_CORE_READ(inode, i_ctime_nsec));
    return;
  }
  struct timespec64 mtime = {};
  struct timespec64 ctime = {};
  if (bpf_core_field_exists(((struct inode___6_10*)inode)->__i_mtime)) {
    mtime = BPF_CORE_READ((struct inode___6_10*)inode, __i_mtime);
    ctime = BPF_CORE_READ((struct inode___6_10*)inode, __i_ctime);
  } else if (bpf_core_field_exists(((struct inode___6_6*)inode)->__i_ctime)) {
    mtime = BPF_CORE_READ((struct inode___6_6*)inode, i_mtime);
    ctime = BPF_CORE_READ((struct inode___6_6*)inode, __i_ctime);
  } else {
    mtime = BPF_CORE_READ((struct inode___6_5*)inode, i_mtime);
    ctime = BPF_CORE_READ((struct inode___6_5*)inode, i_ctime);
  }
  facts->mtime = in_ns(mtime.tv_sec, mtime.tv_nsec);
  facts->ctime = in_ns(ctime.tv_sec, ctime.tv_nsec);
}

// Said where it is used: what an older verifier knew of a number it forgets when that is put on the stack.
#define LIMIT(number, most)          \
  barrier_var(number);               \
  if ((number) > (most)) return 0

// The image number of an exec that is like one that was identified; 0: it is to be identified. All that it is known by stands
// in the record, which is not sent yet.
__noinline __u32 known_image(void) {
  const __u32 zero = 0;
  struct Scratch* space = bpf_map_lookup_elem(&scratch, &zero);
  if (!space) return 0;
  struct ImageKey* key = &space->key;
  const struct ExecRecord* out = &space->out;
  const struct ExecFacts* facts = &out->facts;
  const __u32 args_bytes = facts->args_bytes;
  const __u32 exe = facts->filename_bytes + args_bytes;
  __u32 at = exe;
  __u32 size = facts->exe_bytes;
  __builtin_memset(key, 0, sizeof *key);
  key->ino = facts->real_ino;
  key->size = facts->size;
  key->mtime = facts->mtime;
  key->ctime = facts->ctime;
  key->dev = facts->real_dev;
  key->generation = facts->generation;
  key->epoch = control.known_epoch;
  key->sharing = kShareAny;
  LIMIT(at, TRACEFP_FILENAME_BYTES + TRACEFP_ARGS_BYTES);
  LIMIT(size, TRACEFP_KEY_EXE_BYTES);
  if (bpf_probe_read_kernel(key->exe, size, &out->bytes[at]) != 0) return 0;
  __u32 sharing = kShareByScript;
  if (!facts->is_script) {
    const struct KnownImage* found = bpf_map_lookup_elem(&known, key);
    if (!found) return 0;
    sharing = found->sharing;
    if (sharing == kShareAny) return found->image;
  }
  key->sharing = sharing;
  at = 0;
  if (sharing != kShareByScript) {
    at = facts->filename_bytes;
    LIMIT(at, TRACEFP_FILENAME_BYTES);
    const long first = bpf_probe_read_kernel_str(key->name, sizeof key->name, &out->bytes[at]);
    if (first <= 0 || first >= TRACEFP_KEY_NAME_BYTES || first > args_bytes) return 0;
    if (sharing == kShareByOperand) {
      at += first;
      __builtin_memset(key->name, 0, sizeof key->name);
      if (first == args_bytes) goto look;
    }
  }
  if (sharing != kShareByName) {
    LIMIT(at, TRACEFP_FILENAME_BYTES + TRACEFP_KEY_NAME_BYTES);
    const long count = bpf_probe_read_kernel_str(key->name, sizeof key->name, &out->bytes[at]);
    if (count <= 0 || count >= TRACEFP_KEY_NAME_BYTES) return 0;
    if (sharing == kShareByOperand && at + count > exe) return 0;
    const char begin = key->name[0];
    if (sharing == kShareByOperand && (begin == '-' || begin == '+' || !begin)) goto look;
    key->root_ino = facts->root_ino;
    if (begin != '/') {
      at = exe + facts->exe_bytes;
      size = facts->cwd_bytes;
      LIMIT(at, sizeof out->bytes - TRACEFP_KEY_CWD_BYTES);
      LIMIT(size, TRACEFP_KEY_CWD_BYTES);
      if (bpf_probe_read_kernel(key->cwd, size, &out->bytes[at]) != 0) return 0;
    }
  }
look:;
  const struct KnownImage* found = bpf_map_lookup_elem(&known, key);
  return found ? found->image : 0;
}

// A record with what stands in the file that a process runs, or will run. `bprm`: of an exec; null: it already runs.
static __always_inline bool put_image(struct Track* track, struct KernelRecord record, struct task_struct* task,
                                      struct file* file, struct linux_binprm* bprm) {
  const __u32 zero = 0;
  struct Scratch* space = bpf_map_lookup_elem(&scratch, &zero);
  if (!space) return false;
  struct ExecRecord* out = &space->out;
  out->record = record;
  put_version(&out->facts, put_file(&out->facts, task, BPF_CORE_READ(file, f_inode), bprm != NULL));
  out->facts.is_script = 0;
  out->facts.is_deleted = BPF_CORE_READ(file, f_path.dentry, d_hash.pprev) == NULL;
  out->facts.parent = tid_of((struct task_struct*)BPF_CORE_READ(task, real_parent, group_leader));
  __u32 at = 0;
  __u32 size = 0;
  if (bprm) {
    out->facts.is_script = BPF_CORE_READ(bprm, interp) != BPF_CORE_READ(bprm, filename);
    const long count = bpf_probe_read_kernel_str(out->bytes, TRACEFP_FILENAME_BYTES, BPF_CORE_READ(bprm, filename));
    at = count > 0 ? count : 0;
    barrier_var(at);  // or the limit is one of another register than the one that is used
    if (at > TRACEFP_FILENAME_BYTES) at = 0;
    const unsigned long start = BPF_CORE_READ(task, mm, arg_start);
    size = BPF_CORE_READ(task, mm, arg_end) - start;
    if (size > TRACEFP_ARGS_BYTES) size = TRACEFP_ARGS_BYTES;
    if (bpf_probe_read_user(&out->bytes[at], size, (void*)start) != 0) size = 0;
  }
  out->facts.filename_bytes = at;
  out->facts.args_bytes = size;
  at += size;
  struct fs_struct* fs = BPF_CORE_READ(task, fs);
  const __u32 exe_end = put_path(space, at, &file->f_path, &fs->root);
  out->facts.exe_bytes = exe_end - at;
  const __u32 cwd_end = put_path(space, exe_end, &fs->pwd, &fs->root);
  out->facts.cwd_bytes = cwd_end - exe_end;
  out->facts.root_ino = BPF_CORE_READ(fs, root.dentry, d_inode, i_ino);
  const struct vfsmount* root_mount = BPF_CORE_READ(fs, root.mnt);
  out->facts.root_mount = BPF_CORE_READ(mount_of(root_mount), mnt_id);
  const __u32 image = bprm && !out->facts.is_deleted ? known_image() : 0;
  const __u32 fresh = image ? 0 : __sync_fetch_and_add(&control.image_count, 1) + 1;
  track->image = image | fresh;
  out->facts.image = track->image;
  out->facts.is_known = image != 0;
  __u32 total = sizeof out->record + sizeof out->facts + cwd_end;
  if (total > sizeof *out) total = sizeof *out;
  // The sooner it is looked at, the more can be read of who began, and the sooner there is a table.
  if (!image) control.is_asleep = 0;
  if (bpf_ringbuf_output(&ring, out, total, image ? wake_flag() : BPF_RB_FORCE_WAKEUP) == 0) return true;
  // The reader does not know what runs, and judges what it is told as it did before.
  track->image = __sync_fetch_and_add(&control.image_count, 1) + 1;
  return false;
}

static __always_inline bool is_named(struct file* file) {
  const __u32 zero = 0;
  struct Scratch* space = bpf_map_lookup_elem(&scratch, &zero);
  if (!space) return false;
  struct Name* name = &space->name;
  __builtin_memset(name, 0, sizeof *name);
  bpf_probe_read_kernel_str(name->bytes, sizeof name->bytes, BPF_CORE_READ(file, f_path.dentry, d_name.name));
  return bpf_map_lookup_elem(&names, name) != NULL;
}

#define CGROUP_LEVELS 64

struct CgroupWalk {
  struct cgroup* at;
  bool is_found;
};

static long step_up_cgroup(__u32 index, struct CgroupWalk* walk) {
  struct cgroup* at = walk->at;
  if (!at) return 1;
  if (BPF_CORE_READ(at, kn, id) == control.rule_argument) {
    walk->is_found = true;
    return 1;
  }
  // A cgroup begins with its own state.
  walk->at = (struct cgroup*)BPF_CORE_READ(at, self.parent);
  return 0;
}

static __always_inline bool is_in_cgroup(struct task_struct* task) {
  struct CgroupWalk walk = {BPF_CORE_READ(task, cgroups, dfl_cgrp), false};
  bpf_loop(CGROUP_LEVELS, step_up_cgroup, &walk, 0);
  return walk.is_found;
}

// Whether a task that begins something else is to be followed from then on.
static __always_inline bool is_to_be_followed(struct task_struct* task, struct file* file) {
  if (control.rule == kFollowCgroup) return is_in_cgroup(task);
  if (control.rule == kFollowNames) return is_named(file);
  struct Extra* extra = bpf_task_storage_get(&extras, task, 0, 0);
  if (!extra || !extra->is_marked) return false;
  extra->is_marked = 0;
  return true;
}

// The thread that calls exec gets the number of its leader, whose own Track is over, and with the number its slot.
static __always_inline struct Track* move_to_leader(struct task_struct* task, pid_t old_pid) {
  if (old_pid == task->pid) return track_of(task);
  struct Track* from = slot_of(old_pid);
  if (!from || from->owner != (__u64)task) {
    struct Extra* extra = bpf_task_storage_get(&extras, task, 0, 0);
    if (!extra || extra->track.owner != (__u64)task) return NULL;
    from = &extra->track;
  }
  struct Track* to = slot_of(task->pid);
  if (!to || (to->owner && to->pid != (__u32)task->pid)) {
    struct Extra* extra = extra_of(task);
    if (!extra) return NULL;
    to = &extra->track;
  }
  if (to != from) {
    *to = *from;
    from->owner = 0;
  }
  to->pid = task->pid;
  to->is_end_held = 0;
  return to;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* task, pid_t old_pid, struct linux_binprm* bprm) {
  struct file* file = bprm->file;
  struct Track* track = move_to_leader(task, old_pid);
  const __u32 former = track ? track->tid : 0;
  if (!track) {
    if (!is_to_be_followed(task, file)) return 0;
    if (control.rule == kFollowMarked) know_namespace(task);
    // Of who cannot be named nothing can be told.
    if (!tid_of(task)) return 0;
    track = claim(task);
    if (!track) return 0;
  }
  track->tid = tid_of(task);
  track->tgid = track->tid;
  if (!former) {
    track->birth_kind = kBornByExec;
    __sync_fetch_and_add(&control.live_count, 1);
    put_birth(track);
    track->owner = (__u64)task;
  }
  track->last_ip = 0;
  track->last_nr = -1;
  track->restart_due = 0;
  track->frame_count = 0;
  track->known_frames = 0;
  if (track->skipped | track->transparent) tell_skipped(track);
  track->image = 0;
  track->state = UNKNOWN_STATE;
  const struct KernelRecord record = {track->tid, former ? former : track->tid, kExec, 0, 0, 0};
  if (((track->lost || track->owes_birth) && !settle(track)) || !put_image(track, record, task, file, bprm)) {
    lose(track, 1);
  }
  if (control.rule == kFollowNames && former && !is_named(file)) let_go(track);
  return 0;
}

static __always_inline void tell_end(struct Track* track, int status) {
  tell(track, kExit, (status >> 8) & 0xff, 0, status & 0x7f, 0);
}

static __always_inline void end(struct Track* track, int status) {
  tell_end(track, status);
  track->owner = 0;
}

// The end of a leader is the end of its process: where threads of it live on it is held back, as wait(2) does, and told
// by the last of them. `live` was decremented before either comes here, so one of the two sees that it is 0.
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct* task) {
  struct Track* track = track_of(task);
  if (!track) return 0;
  struct signal_struct* signal = task->signal;
  const int status = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->exit_code;
  if (task->pid == task->tgid) {
    __sync_lock_test_and_set(&track->is_end_held, 1);
    if (signal->live.counter == 0 && __sync_lock_test_and_set(&track->is_end_held, 0)) end(track, status);
  } else {
    end(track, status);
    if (signal->live.counter == 0) {
      struct Track* leader = track_of(task->group_leader);
      if (leader && __sync_lock_test_and_set(&leader->is_end_held, 0)) end(leader, status);
    }
  }
  __sync_fetch_and_sub(&control.live_count, 1);
  return 0;
}

// Work that was handed to io_uring makes no calls. The task may be a thread of the kernel's in the process.
static __always_inline int count_submission(void) {
  struct task_struct* task = bpf_get_current_task_btf();
  if (track_of(task) || track_of(task->group_leader)) __sync_fetch_and_add(&control.io_uring_count, 1);
  return 0;
}

SEC("raw_tp/io_uring_submit_req")
int on_submission(void* unused) { return count_submission(); }

// Who is met while it runs. Its leader's record says what runs in the process; the image is that of all its threads.
static __always_inline bool meet(struct task_struct* task, struct Track* leader) {
  struct Track* track = claim(task);
  if (!track) return false;
  track->tid = tid_of(task);
  track->birth_kind = kJoined;
  __sync_fetch_and_add(&control.live_count, 1);
  if (leader) {
    track->tgid = leader->tgid;
    track->image = leader->image;
    put_birth(track);
  } else {
    track->tgid = track->tid;
    const struct KernelRecord record = {track->tid, 0, kBirth, 0, kJoined, track->tgid};
    if (!put_image(track, record, task, BPF_CORE_READ(task, mm, exe_file), NULL)) track->owes_birth = 1;
  }
  track->owner = (__u64)task;
  return true;
}

// Over all tasks, for the loader: who is to be followed by the rule and is not yet. Repeated until nobody is new: whose
// parent is followed by then is followed from its birth.
SEC("iter/task")
int walk(struct bpf_iter__task* context) {
  struct task_struct* task = context->task;
  if (!task || track_of(task)) return 0;
  if (!control.pid_namespace) know_namespace(bpf_get_current_task_btf());
  if (!BPF_CORE_READ(task, mm) || !tid_of(task)) return 0;
  struct Track* leader = NULL;
  if (task->pid != task->tgid) {
    leader = track_of(task->group_leader);
    if (!leader) return 0;
  } else if (control.rule == kFollowTree) {
    if (tid_of(task) != control.rule_argument && !track_of(task->real_parent) &&
        !track_of((struct task_struct*)task->real_parent->group_leader))
      return 0;
  } else if (control.rule == kFollowCgroup) {
    if (!is_in_cgroup(task)) return 0;
  } else if (control.rule == kFollowNames) {
    if (!is_named(BPF_CORE_READ(task, mm, exe_file))) return 0;
  } else {
    return 0;
  }
  if (meet(task, leader)) __sync_fetch_and_add(&control.met_count, 1);
  return 0;
}

// When nothing else runs any more: what was only counted so far.
SEC("iter/task")
int settle_all(struct bpf_iter__task* context) {
  struct task_struct* task = context->task;
  if (!task) return 0;
  struct Track* track = track_of(task);
  if (track && (track->skipped | track->transparent)) tell_skipped(track);
  return 0;
}
