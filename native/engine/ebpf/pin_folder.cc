#include "engine/ebpf/pin_folder.h"

#include <dirent.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

namespace tracefp {

namespace {

constexpr int kMaxAttempts = 100;  // while others make and remove it

long bpf(bpf_cmd command, bpf_attr* attributes) { return syscall(SYS_bpf, command, attributes, sizeof *attributes); }

std::string above(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Whoever could write there could have us adopt what is not ours.
Status make_private(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return {"pin(mkdir)", errno};
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) return {"pin(stat)", errno};
  const bool is_ours = S_ISDIR(facts.st_mode) && facts.st_uid == geteuid() && (facts.st_mode & 077) == 0;
  return is_ours ? Status{} : Status{"pin(folder)", EPERM};
}

// Who held the lock before us may have removed the folder, and somebody else made another.
bool is_at(int folder, const std::string& path) {
  struct stat opened {};
  struct stat found {};
  return fstat(folder, &opened) == 0 && lstat(path.c_str(), &found) == 0 && opened.st_dev == found.st_dev &&
         opened.st_ino == found.st_ino;
}

// Only of such a map a value has so many bytes: it need not be one of ours.
bool is_memory_map(int map) {
  bpf_map_info info{};
  bpf_attr attributes{};
  attributes.info.bpf_fd = static_cast<uint32_t>(map);
  attributes.info.info_len = sizeof info;
  attributes.info.info = reinterpret_cast<uint64_t>(&info);
  return bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) == 0 && info.type == BPF_MAP_TYPE_ARRAY && info.key_size == 4 &&
         info.value_size == kPinnedPageBytes;
}

int get_object(const std::string& path, uint32_t flags) {
  bpf_attr attributes{};
  attributes.pathname = reinterpret_cast<uint64_t>(path.c_str());
  attributes.file_flags = flags;
  return static_cast<int>(bpf(BPF_OBJ_GET, &attributes));
}

}  // namespace

PinFolder::~PinFolder() {
  if (folder_ >= 0) close(folder_);
}

Status PinFolder::open(const std::string& path) {
  struct statfs mount {};
  const std::string parent = above(path);
  if (statfs(above(parent).c_str(), &mount) != 0 || mount.f_type != BPF_FS_MAGIC) return {"pin(mount)", ENOENT};
  path_ = path;
  for (int i = 0; i < kMaxAttempts; i++) {
    for (const std::string& folder : {parent, path}) {
      const Status made = make_private(folder);
      if (made.ok()) continue;
      if (made.error != ENOENT) return made;
    }
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 && errno != ENOENT) return {"pin(open)", errno};
    if (folder < 0) continue;
    const bool is_locked = flock(folder, LOCK_EX | LOCK_NB) == 0;
    if (is_locked && is_at(folder, path)) {
      folder_ = folder;
      return {};
    }
    const int error = errno;
    close(folder);
    if (!is_locked) return {"pin(locked)", error};
  }
  return {"pin(locked)", EAGAIN};
}

void PinFolder::clear() {
  DIR* const folder = opendir(path_.c_str());
  if (folder == nullptr) return;
  std::vector<std::string> names{kPinnedLast};
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(folder);
  for (const std::string& name : names) unlinkat(folder_, name.c_str(), 0);
}

void PinFolder::remove() {
  clear();
  rmdir(path_.c_str());
}

Status PinFolder::pin(int descriptor, const std::string& name) const {
  const std::string path = path_ + "/" + name;
  bpf_attr attributes{};
  attributes.pathname = reinterpret_cast<uint64_t>(path.c_str());
  attributes.bpf_fd = static_cast<uint32_t>(descriptor);
  if (bpf(BPF_OBJ_PIN, &attributes) != 0) return {"bpf(BPF_OBJ_PIN)", errno};
  return {};
}

int PinFolder::get(const std::string& name) const { return get_object(path_ + "/" + name, 0); }

bool read_pinned_page(const std::string& path, void* page) {
  const int map = get_object(path, BPF_F_RDONLY);
  if (map < 0) return false;
  const uint32_t key = 0;
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(map);
  attributes.key = reinterpret_cast<uint64_t>(&key);
  attributes.value = reinterpret_cast<uint64_t>(page);
  const bool is_read = is_memory_map(map) && bpf(BPF_MAP_LOOKUP_ELEM, &attributes) == 0;
  close(map);
  return is_read;
}

int make_memory_map(size_t bytes, const char* name) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = kPinnedPageBytes;
  attributes.max_entries = static_cast<uint32_t>(bytes / kPinnedPageBytes);
  attributes.map_flags = BPF_F_MMAPABLE;
  strncpy(attributes.map_name, name, sizeof attributes.map_name - 1);
  return static_cast<int>(bpf(BPF_MAP_CREATE, &attributes));
}

}  // namespace tracefp
