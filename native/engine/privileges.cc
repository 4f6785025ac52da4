#include "engine/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>

#include <cerrno>

namespace tracefp {

namespace {

constexpr int kCapabilityLimit = 64;

std::vector<std::string> own_arguments() {
  std::vector<std::string> arguments;
  const int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (file < 0) return arguments;
  std::string text;
  char part[4096];
  for (ssize_t count; (count = read(file, part, sizeof part)) > 0;) text.append(part, static_cast<size_t>(count));
  close(file);
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\0', at);
    arguments.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return arguments;
}

// Of the calling thread: what it has of `kept`, also across an exec of a program without capabilities of its own.
Status keep(uint64_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) != 0) return {"capget", errno};
  for (int half = 0; half < 2; half++) {
    const auto has = data[half].permitted & static_cast<uint32_t>(kept >> (32 * half));
    data[half] = {has, has, has};
  }
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (syscall(SYS_capset, &header, data) != 0) return {"capset", errno};
  for (int capability = 0; capability < kCapabilityLimit; capability++) {
    if ((data[capability / 32].permitted >> (capability % 32) & 1) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return {"prctl(PR_CAP_AMBIENT)", errno};
  }
  return {};
}

}  // namespace

int access_with(uint64_t kept, const std::string& path, int mode) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct had[2]{};
  if (syscall(SYS_capget, &header, had) != 0) return errno;
  __user_cap_data_struct less[2] = {had[0], had[1]};
  for (int half = 0; half < 2; half++) less[half].effective &= static_cast<uint32_t>(kept >> (32 * half));
  if (syscall(SYS_capset, &header, less) != 0) return errno;
  // Not access(2): for root it takes all that is permitted.
  const int error = syscall(SYS_faccessat2, AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 ? 0 : errno;
  (void)syscall(SYS_capset, &header, had);
  return error;
}

Status begin_anew_with(uint64_t kept, const std::vector<int>& descriptors) {
  std::vector<std::string> arguments = own_arguments();
  if (arguments.empty()) return {"open(cmdline)", ENOENT};
  for (int capability = 0; capability < kCapabilityLimit; capability++) {
    // Without CAP_SETPCAP the set stays as it is: then no_new_privs alone sees to it.
    if ((kept >> capability & 1) == 0) (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return {"prctl(PR_SET_NO_NEW_PRIVS)", errno};
  const Status limited = keep(kept);
  if (!limited.ok()) return limited;
  // Node has closed them for whatever is executed.
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) (void)fcntl(descriptor, F_SETFD, 0);
  for (const int descriptor : descriptors) (void)fcntl(descriptor, F_SETFD, 0);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // By its name, which is what ps(1) shows; where that is gone, by what runs.
  char name[4096] = {};
  const ssize_t length = readlink("/proc/self/exe", name, sizeof name - 1);
  if (length > 0) execve(name, argv.data(), environ);
  execve("/proc/self/exe", argv.data(), environ);
  return {"execve", errno};
}

}  // namespace tracefp
