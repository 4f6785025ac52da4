// A folder of the BPF file system in which one session keeps its kernel half alive: what is pinned there lives on when
// this process dies, until the files are removed. One process at a time has it open: it is locked.
#pragma once

#include <cstddef>
#include <string>

#include "engine/status.h"

namespace tracefp {

class PinFolder {
 public:
  PinFolder() = default;
  ~PinFolder();
  PinFolder(const PinFolder&) = delete;
  PinFolder& operator=(const PinFolder&) = delete;

  // `path`: two levels below where the BPF file system is mounted. Both folders are made where they are not there, for
  // this user alone, and are refused where others may write to them. Fails with op "pin(mount)" where no BPF file
  // system is there, "pin(folder)" where it is somebody else's, "pin(locked)" where another process has it open.
  Status open(const std::string& path);

  // Everything in it; what was pinned last goes first, so that half of it is never taken for all.
  void clear();
  // And the folder.
  void remove();

  // The descriptor stays the caller's.
  Status pin(int descriptor, const std::string& name) const;

  // A descriptor, which becomes the caller's; -1: there is none of that name.
  int get(const std::string& name) const;

 private:
  std::string path_;
  int folder_ = -1;
};

constexpr size_t kPinnedPageBytes = 4096;

// What clear() removes first. Pin it last.
constexpr char kPinnedLast[] = "notebook";

// The first page of a map of make_memory_map() that is pinned there. False: there is none, or it may not be read.
bool read_pinned_page(const std::string& path, void* page);

// A map of so many bytes that can be mapped, a whole number of pages. -1: errno says why.
int make_memory_map(size_t bytes, const char* name);

}  // namespace tracefp
