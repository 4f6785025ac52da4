#include "engine/process_facts.h"

#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "engine/ptrace/proc.h"

namespace tracefp {

namespace {

constexpr size_t kMaxArgumentBytes = 65'536;
constexpr size_t kMaxAuxvBytes = 4096;
constexpr size_t kMaxMountsBytes = 64 << 20;

class ProcPath {
 public:
  ProcPath(pid_t tid, const char* entry) { snprintf(text_, sizeof text_, "/proc/%d/%s", tid, entry); }
  operator const char*() const { return text_; }

 private:
  char text_[64];
};

std::string read_link(const char* path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path, target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<size_t>(size));
}

std::vector<std::string> arguments_of(pid_t tid) {
  const std::string bytes = read_proc_file(ProcPath(tid, "cmdline"), kMaxArgumentBytes);
  std::vector<std::string> argv;
  for (size_t at = 0;;) {
    const size_t end = bytes.find('\0', at);
    if (end == std::string::npos) return argv;
    argv.push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
}

std::optional<std::string> string_at(pid_t tid, uint64_t address) {
  const int fd = open(ProcPath(tid, "mem"), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char bytes[PATH_MAX];
  // It lies near the top of the stack: the page after it may not exist, and then the read is short.
  const ssize_t size = pread(fd, bytes, sizeof bytes, static_cast<off_t>(address));
  close(fd);
  const size_t length = size <= 0 ? 0 : strnlen(bytes, static_cast<size_t>(size));
  if (size <= 0 || length == static_cast<size_t>(size)) return std::nullopt;
  return std::string(bytes, length);
}

std::optional<std::string> executed_name(pid_t tid) {
  const std::string auxv = read_proc_file(ProcPath(tid, "auxv"), kMaxAuxvBytes);
  uint64_t first = 0;
  if (auxv.size() < sizeof first) return std::nullopt;
  memcpy(&first, auxv.data(), sizeof first);
  // Types are small numbers: with words of four bytes the upper half is the first value, which is never 0.
  const bool is_64 = first <= UINT32_MAX;
  const size_t word_bytes = is_64 ? 8 : 4;
  const auto word = [&auxv, word_bytes](size_t at) {
    uint64_t value = 0;
    memcpy(&value, auxv.data() + at, word_bytes);
    return value;
  };
  for (size_t at = 0; at + 2 * word_bytes <= auxv.size(); at += 2 * word_bytes) {
    if (word(at) == AT_EXECFN) return string_at(tid, word(at + word_bytes));
  }
  return std::nullopt;
}

// From "mnt_id:\t29\n" of our own descriptor: the kernel's own book, no file system is asked.
std::string mount_id_of(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  const std::string text = read_proc_file(path, 4096);
  const size_t at = text.find("mnt_id:");
  if (at == std::string::npos) return {};
  const size_t start = text.find_first_of("0123456789", at);
  return start == std::string::npos ? std::string() : text.substr(start, text.find('\n', start) - start);
}

// The mounts of our own namespace. The kernel says by poll(2) when they have changed: writing the table down costs it
// more than all the rest that is read here.
class OwnMounts {
 public:
  ~OwnMounts() {
    if (fd_ >= 0) close(fd_);
  }
  OwnMounts() = default;
  OwnMounts(const OwnMounts&) = delete;
  OwnMounts& operator=(const OwnMounts&) = delete;

  // The version of the table, and its text where `known` is another one.
  uint32_t read(const std::string& space, uint32_t known, std::optional<std::string>* text) {
    pollfd watched{fd_, POLLPRI, 0};
    if (fd_ >= 0 && known == version_ && space == space_ && poll(&watched, 1, 0) == 0) return version_;
    if (fd_ >= 0) close(fd_);
    // Watched from before it is read.
    fd_ = open("/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC);
    space_ = space;
    *text = fd_ < 0 ? std::string() : read_pieces(fd_, kMaxMountsBytes);
    return ++version_;
  }

 private:
  int fd_ = -1;
  uint32_t version_ = 0;
  std::string space_;
};

thread_local OwnMounts own_mounts;

bool is_in_our_mounts(const std::string& root, const std::string& space) {
  return root == "/" && !space.empty() && space == read_link("/proc/thread-self/ns/mnt") &&
         read_link("/proc/thread-self/root") == "/";
}

}  // namespace

ProcessFacts read_process_facts(pid_t tid, uint32_t known_mounts) {
  ProcessFacts facts;
  facts.root = read_link(ProcPath(tid, "root"));
  facts.exe = read_link(ProcPath(tid, "exe"));
  facts.cwd = read_link(ProcPath(tid, "cwd"));
  facts.argv = arguments_of(tid);
  facts.executed = executed_name(tid);
  facts.place = open(ProcPath(tid, "exe"), O_PATH | O_CLOEXEC);
  if (facts.place >= 0) facts.mount_id = mount_id_of(facts.place);
  const std::string space = read_link(ProcPath(tid, "ns/mnt"));
  if (is_in_our_mounts(facts.root, space)) {
    facts.mounts_version = own_mounts.read(space, known_mounts, &facts.mounts);
  } else {
    facts.mounts = read_proc_file(ProcPath(tid, "mountinfo"), kMaxMountsBytes);
  }
  return facts;
}

}  // namespace tracefp
