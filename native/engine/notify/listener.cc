#include "engine/notify/listener.h"

#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

// Newer than the headers of Debian 12.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

namespace tracefp {

Listener::~Listener() { close(fd_); }

bool Listener::use_sync_wake_up() {
  return ioctl(fd_, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == 0;
}

Received Listener::receive(Notification* notification) {
  // The kernel wants it zeroed. Our structs are those of our headers: the kernel's may only be longer, with zeroes.
  seccomp_notif raw;
  memset(&raw, 0, sizeof raw);
  if (ioctl(fd_, SECCOMP_IOCTL_NOTIF_RECV, &raw) != 0) {
    return errno == EINTR || errno == ENOENT ? Received::kNothing : Received::kOver;
  }
  notification->id = raw.id;
  notification->tid = static_cast<pid_t>(raw.pid);
  notification->audit_arch = raw.data.arch;
  notification->nr = raw.data.nr;
  notification->ip = raw.data.instruction_pointer;
  for (int i = 0; i < 6; i++) notification->args[i] = raw.data.args[i];
  return Received::kCall;
}

void Listener::answer(uint64_t id, int64_t result, uint32_t flags) {
  seccomp_notif_resp raw;
  memset(&raw, 0, sizeof raw);
  raw.id = id;
  if (result < 0) {
    raw.error = static_cast<int32_t>(result);
  } else {
    raw.val = result;
  }
  raw.flags = flags;
  // ENOENT: the tracee was killed while it waited.
  (void)ioctl(fd_, SECCOMP_IOCTL_NOTIF_SEND, &raw);
}

void Listener::let_run(uint64_t id) { answer(id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE); }

void Listener::refuse(uint64_t id, int64_t result) { answer(id, result, 0); }

bool Listener::is_waiting(uint64_t id) { return ioctl(fd_, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

}  // namespace tracefp
