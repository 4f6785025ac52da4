#include "engine/ptrace/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace tracefp {

namespace {

constexpr size_t kMaxStatusBytes = 2'000'000;

// The value after "\nName:\t", or null.
const char* field(const char* text, const char* name) {
  const char* at = strstr(text, name);
  return at == nullptr ? nullptr : at + strlen(name);
}

}  // namespace

std::string read_pieces(int fd, size_t limit) {
  std::string text;
  char piece[4096];
  while (text.size() < limit) {
    const ssize_t size = read(fd, piece, sizeof piece);
    if (size <= 0) break;
    text.append(piece, std::min(static_cast<size_t>(size), limit - text.size()));
  }
  return text;
}

std::string read_proc_file(const char* path, size_t limit) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text = read_pieces(fd, limit);
  close(fd);
  return text;
}

bool read_proc_status(pid_t tid, ProcStatus* status) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/status", tid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  // Usually 1.5 KB; the list of 65,536 groups that a process may have makes it long, so it is read in pieces.
  std::string text;
  char piece[4096];
  while (text.size() < kMaxStatusBytes) {
    const ssize_t size = read(fd, piece, sizeof piece);
    if (size <= 0) break;
    text.append(piece, static_cast<size_t>(size));
    if (text.find("\nSigCgt:") != std::string::npos && text.find("\nCapInh:") != std::string::npos) break;
  }
  close(fd);
  // The first line is the process' own name, chosen by the tracee; its newlines are escaped by the kernel, so a field
  // can only be found at the start of a later line.
  const char* tgid = field(text.c_str(), "\nTgid:");
  const char* ppid = field(text.c_str(), "\nPPid:");
  const char* tracer = field(text.c_str(), "\nTracerPid:");
  const char* caught = field(text.c_str(), "\nSigCgt:");
  if (tgid == nullptr || ppid == nullptr || tracer == nullptr || caught == nullptr) return false;
  status->tgid = static_cast<pid_t>(strtol(tgid, nullptr, 10));
  status->ppid = static_cast<pid_t>(strtol(ppid, nullptr, 10));
  status->tracer = static_cast<pid_t>(strtol(tracer, nullptr, 10));
  status->caught = strtoull(caught, nullptr, 16);
  return true;
}

std::vector<pid_t> threads_of(pid_t tgid) {
  std::vector<pid_t> threads;
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/task", tgid);
  DIR* folder = opendir(path);
  if (folder == nullptr) return threads;
  while (const dirent* entry = readdir(folder)) {
    const auto tid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (tid > 0) threads.push_back(tid);
  }
  closedir(folder);
  return threads;
}

std::vector<pid_t> children_of(pid_t tgid) {
  std::vector<pid_t> children;
  for (const pid_t tid : threads_of(tgid)) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", tgid, tid);
    const std::string text = read_proc_file(path, kMaxStatusBytes);
    const char* at = text.c_str();
    for (;;) {
      char* end = nullptr;
      const auto child = static_cast<pid_t>(strtol(at, &end, 10));
      if (end == at) break;
      children.push_back(child);
      at = end;
    }
  }
  return children;
}

bool is_traced_by_us(pid_t tid) {
  ProcStatus status;
  return read_proc_status(tid, &status) && status.tracer == gettid();
}

bool is_dead(pid_t tid) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/stat", tid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  // Not there need not be dead: a /proc with hidepid shows nothing of a program that made itself undumpable.
  const auto is_nobody = [tid] { return kill(tid, 0) != 0 && errno == ESRCH; };
  if (fd < 0) return (errno == ENOENT || errno == ESRCH) && is_nobody();
  char text[512];
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return is_nobody();
  text[size] = '\0';
  // "TID (name) S ...": the name may hold anything, also parentheses.
  const char* state = strrchr(text, ')');
  return state != nullptr && (state[1] == ' ') && (state[2] == 'Z' || state[2] == 'X');
}

bool is_thread_of(pid_t tid, pid_t tgid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d", tgid, tid);
  return access(path, F_OK) == 0;
}

}  // namespace tracefp
