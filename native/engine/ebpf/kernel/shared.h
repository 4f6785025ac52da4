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
  // Written by the kernel half, at the first exec: how deep the pid namespace is whose numbers records carry.
  unsigned int pid_level;
  // Written by the loader: 1 = wake me at the next record. The kernel half takes it back to 0 when it does.
  unsigned int is_asleep;
  // Written by the kernel half: tasks that are followed and have not ended.
  int live_count;
  // Written by the kernel half: records that found no room, of which no gap could be told (yet).
  unsigned long long lost_count;
  // Written by the kernel half: the images that began, counted; the last one's number.
  unsigned int image_count;
  unsigned int padding;
  // Written by the kernel half: tasks that could not be followed, since the kernel had no memory for their state.
  unsigned long long unfollowed_count;
};

// Where a program's transition table stands in `tables`, and what of it the kernel half reads:
// src/model/table-layout.ts. Offsets are in bytes from the start of `tables`.
struct TableView {
  // Written last: the image that is judged by it, 0 = none.
  unsigned int image;
  unsigned int rows;
  unsigned int next;  // 0: depth 2, the next state is the symbol
  unsigned int lookup;
  // As `rows`: the bit is set once a record of the transition was sent.
  unsigned int used;
  unsigned int words_per_row;
  unsigned int symbol_count;
  unsigned int padding;
  unsigned char blocks[8];  // of each ABI code
};

#define TRACEFP_VIEWS 1024
#define TRACEFP_TABLE_BYTES (4 * 1024 * 1024)

// The value of the map `judged`, which is mapped by the loader.
struct Judged {
  // Written by the loader. The view of image N is views[N % TRACEFP_VIEWS].
  struct TableView views[TRACEFP_VIEWS];
  // Written by the loader, before a view names it; `used` parts by the kernel half.
  unsigned char tables[TRACEFP_TABLE_BYTES];
};

#define TRACEFP_NAMES_BYTES 8192
#define TRACEFP_ARGS_BYTES 4096
#define TRACEFP_FILENAME_BYTES 4096

// What an exec began. Behind it stand `filename_bytes`, `args_bytes`, `exe_bytes` and `cwd_bytes` bytes: the name given
// to execve (the script's, for a script), the arguments, and the components of two paths, the last one first, each
// ended by 0.
struct ExecFacts {
  unsigned long long ino;
  unsigned int dev;  // as the kernel writes it: major << 20 | minor
  unsigned char is_deleted;
  unsigned char is_script;  // an interpreter runs the file that execve was given
  unsigned char padding[2];
  unsigned int image;  // the number under which its table may be given
  unsigned int filename_bytes;
  unsigned int args_bytes;
  unsigned int exe_bytes;
  unsigned int cwd_bytes;
};
