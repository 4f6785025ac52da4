// What the kernel half and the loader agree on. Plain C, read by both compilers.
#pragma once

// A record is 16 bytes, laid out as in native/ring/layout.h; a kExec is followed by ExecFacts.
struct KernelRecord {
  unsigned int tid;
  unsigned int value;
  unsigned char kind;
  unsigned char abi;
  unsigned short flags;
  unsigned int extra;  // of a call, a signal, an exec or an end: nothing; the loader writes the time
};

// What both halves tell each other in a few words: the data of the kernel half, which is mapped by the loader.
struct Control {
  // Written by the loader, before any task is followed: how large the ring is.
  unsigned long long ring_bytes;
  // Written by the kernel half, at the first exec or walk: how deep the pid namespace is whose numbers records carry.
  unsigned int pid_level;
  // Written by the loader: 1 = wake me at the next record. The kernel half takes it back to 0 when it does.
  unsigned int is_asleep;
  // Written by the kernel half: tasks that are followed and have not ended.
  int live_count;
  // Written by the kernel half: records that found no room, of which no gap could be told (yet).
  unsigned long long lost_count;
  // Written by the kernel half: the images that began, counted; the last one's number.
  unsigned int image_count;
  // Written by the loader: which tasks are followed from when they are met on (FollowRule).
  unsigned int rule;
  // Written by the kernel half: tasks that could not be followed, since the kernel had no memory for their state.
  unsigned long long unfollowed_count;
  // Written by the loader. Rule kFollowTree: the process, as the loader numbers it. Rule kFollowCgroup: the id.
  unsigned long long rule_argument;
  // Written by the kernel half: tasks that the last walks over all tasks met.
  unsigned long long met_count;
  // Written by the loader: 1 = nothing tells which calls returned a restart code, so a call is taken for one that the
  // kernel repeats when it looks so, there was a reason, and the table does not allow it.
  unsigned int guesses_restarts;
  // Written by the kernel half: reasons for which calls are repeated, counted.
  unsigned int epoch;
  // Written by the kernel half: requests that were handed to io_uring.
  unsigned long long io_uring_count;
  // Written by the loader: of the images that it made known, only those of this epoch are.
  unsigned int known_epoch;
  // Written by the kernel half: calls that a table did not allow, and for which the ring had no room.
  unsigned long long lost_miss_count;
  // Written by the kernel half with pid_level: that namespace, as an address (0: not known yet) and as users number it.
  unsigned long long pid_namespace;
  unsigned int pid_namespace_number;
};

enum FollowRule {
  kFollowMarked = 0,  // what the loader marked, from its exec on, and what that starts
  kFollowTree = 1,    // a process and all below it
  kFollowCgroup = 2,  // what is in a cgroup or below it, from when it is met or executes there
  kFollowNames = 3,   // processes whose executable's last name is in the map `names`; others are let go at their exec
};

// In place of a signal at an end: it goes on, and is followed no longer.
#define TRACEFP_LET_GO 255

// The key of the map `names`: the last component of a path, cut, filled with 0.
#define TRACEFP_NAME_BYTES 32

// What a view says beside the table.
enum ViewFlags {
  kViewLetGo = 1,      // nothing of it is judged: it is followed no longer
  kViewKill = 2,       // SIGKILL for who makes a call that the table does not allow
  kViewStop = 4,       // SIGSTOP
  kViewTellAfter = 8,  // after a call that the table does not allow, the next ones are told too: somebody learns
  kViewFlood = 16,     // many such calls in a second are counted, not told
};

// The last calls that were only counted: as many as any reader needs to know where it stands (a depth of 8 needs 7).
#define TRACEFP_KEPT 16
#define TRACEFP_SLOTS 16384

// What is known of a task that is followed. Written by the kernel half alone. 128 bytes: two lines of the cache.
struct Track {
  unsigned long long owner;  // the task, as an address; 0 = nobody's, 1 = being made
  unsigned long long last_ip;
  int last_nr;
  unsigned int image;  // 0: it has no table yet
  unsigned int view;   // serial of the view whose states `state` is one of
  int state;
  unsigned int skipped;  // calls that were only counted since the last record
  // Where any of these is set the next call is no usual one. They are read as one word.
  unsigned char restart_due;  // the kernel will repeat the last call
  unsigned char is_flooding;  // calls are only counted, whatever they are
  unsigned char told_due;     // calls that are told whatever they are
  unsigned char is_miss;      // its table did not allow the last call
  unsigned int registers;     // of its last call, folded
  unsigned short epoch;       // of control.epoch, at its last call
  unsigned char last_abi;
  unsigned char owes_birth;  // its birth found no room
  unsigned int transparent;  // calls that are no part of transitions, only counted; not in `skipped`
  unsigned int lost;         // records since the last one told
  unsigned int tid;
  unsigned short kept[TRACEFP_KEPT];  // ABI << 12 | number
  unsigned int pid;                   // as the kernel numbers it
  unsigned int parent;
  unsigned int tgid;
  unsigned int is_end_held;    // it led its process and ended before its other threads
  unsigned short frame_count;  // handlers that run; the last FRAMES of them are known
  unsigned short known_frames;
  unsigned int flood_window;
  unsigned short flood_count;
  unsigned char birth_kind;
  unsigned char padding;
  unsigned int flood_misses;  // of `skipped`, while flooding
  unsigned int unjudged;      // of `skipped`, while flooding: what came before was not known
};

// Where a program's transition table stands in `tables`, and what of it the kernel half reads:
// src/model/table-layout.ts. Offsets are in bytes from the start of `tables`. It does not change while a `judged_by`
// names it, nor for a grace period after.
struct TableView {
  unsigned int serial;  // never 0: which view it is, of all that there were
  unsigned int flags;
  unsigned int rows;
  unsigned int next;  // 0: depth 2, the next state is the symbol
  unsigned int lookup;
  // As `rows`: the bit is set once a record of the transition was sent.
  unsigned int used;
  unsigned int words_per_row;
  unsigned int symbol_count;
  unsigned char blocks[8];  // of each ABI code
  // For the loader, and who comes after it: where in `tables` all of it stands, and how many bytes it takes.
  unsigned int start;
  unsigned int bytes;
};

#define TRACEFP_IMAGES 16384
#define TRACEFP_VIEWS 256
#define TRACEFP_TABLE_BYTES (8 * 1024 * 1024)

// The value of the map `judged`, which is mapped by the loader.
struct Judged {
  // Written by the loader, each in one store: image number << 32 | index of its view; 0 = none.
  // That of image N is judged_by[N % TRACEFP_IMAGES].
  unsigned long long judged_by[TRACEFP_IMAGES];
  struct TableView views[TRACEFP_VIEWS];
  // Written by the loader, before a view names it; `used` parts by the kernel half.
  unsigned char tables[TRACEFP_TABLE_BYTES];
};

#define TRACEFP_KNOWN_IMAGES 1024
#define TRACEFP_KEY_EXE_BYTES 224
#define TRACEFP_KEY_NAME_BYTES 128
#define TRACEFP_KEY_CWD_BYTES 104

// What, beside its file and path, makes an image the same as one that the reader has identified.
enum Sharing {
  kShareNone = 0,
  kShareAny = 1,        // nothing
  kShareByName = 2,     // the first argument: one file is many programs
  kShareByOperand = 3,  // the second: an interpreter's script, or an option that says that there is none
  kShareByScript = 4,   // the name given to execve, for which the kernel starts an interpreter
};

// What an exec began, as far as that says which program it is: the key of the map `known`. All that is not used is 0,
// and what finds no room in it is not known.
struct ImageKey {
  unsigned long long ino;
  unsigned long long size;
  long long mtime;  // ns
  long long ctime;
  unsigned long long root_ino;  // of names: the root in which they are looked up
  unsigned int dev;
  unsigned int generation;
  unsigned int sharing;
  unsigned int epoch;
  char exe[TRACEFP_KEY_EXE_BYTES];    // components, the last one first, as in a record
  char name[TRACEFP_KEY_NAME_BYTES];  // the argument, or the script
  char cwd[TRACEFP_KEY_CWD_BYTES];    // components, where `name` is relative to it
};

// The value of the map `known`. `sharing`: the key that tells more, under which to look again; kShareAny: there is
// none.
struct KnownImage {
  unsigned int image;
  unsigned int sharing;
};

#define TRACEFP_NAMES_BYTES 8192
#define TRACEFP_ARGS_BYTES 4096
#define TRACEFP_FILENAME_BYTES 4096

// What an exec began. Behind it stand `filename_bytes`, `args_bytes`, `exe_bytes` and `cwd_bytes` bytes: the name given
// to execve (the script's, for a script), the arguments, and the components of two paths, the last one first, each
// ended by 0.
struct ExecFacts {
  // The file, as stat(2) shows it.
  unsigned long long ino;
  unsigned int dev;  // as the kernel writes it: major << 20 | minor
  unsigned char is_deleted;
  unsigned char is_script;  // an interpreter runs the file that execve was given
  unsigned char is_known;   // `image` is one that was told before
  unsigned char padding;
  unsigned int image;   // the number under which its table may be given
  unsigned int parent;  // the process that it is a child of
  unsigned int filename_bytes;
  unsigned int args_bytes;
  unsigned int exe_bytes;
  unsigned int cwd_bytes;
  unsigned int root_mount;  // the root of the process: the number of its mount, and its inode
  // What is mapped: of a file of an overlay the one in the layer that it is of.
  unsigned int real_dev;
  unsigned long long real_ino;
  unsigned int generation;
  unsigned int unused;
  unsigned long long size;
  long long mtime;  // ns
  long long ctime;
  unsigned long long file_system;  // its magic number
  unsigned long long root_ino;
};
