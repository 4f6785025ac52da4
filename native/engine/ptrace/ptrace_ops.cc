#include "engine/ptrace/ptrace_ops.h"

#include <elf.h>
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace tracefp {

namespace {

constexpr uint64_t kOptions =
    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
constexpr uint64_t kOptionsOfOurs = kOptions | PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP;

// <sys/ptrace.h> and <linux/ptrace.h> do not compile together, so the raw call is used.
long ptrace_raw(long request, pid_t tid, uint64_t address, uint64_t data) {
  return syscall(SYS_ptrace, request, tid, address, data);
}

uint64_t as_word(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

// ESRCH: the tracee died (or was killed out of its stop) between its stop and now.
Outcome outcome_of(long result) {
  if (result >= 0) return Outcome::kOk;
  return errno == ESRCH ? Outcome::kGone : Outcome::kFailed;
}

}  // namespace

Status seize(pid_t tid, Lifetime lifetime) {
  const uint64_t options = lifetime == Lifetime::kBound ? kOptionsOfOurs : kOptions;
  if (ptrace_raw(PTRACE_SEIZE, tid, 0, options) == 0) return {};
  return {"ptrace(PTRACE_SEIZE)", errno};
}

Outcome interrupt_tracee(pid_t tid) { return outcome_of(ptrace_raw(PTRACE_INTERRUPT, tid, 0, 0)); }

Outcome resume(pid_t tid, How how, int signal) {
  switch (how) {
    case How::kCont:
      return outcome_of(ptrace_raw(PTRACE_CONT, tid, 0, static_cast<uint64_t>(signal)));
    case How::kSyscall:
      return outcome_of(ptrace_raw(PTRACE_SYSCALL, tid, 0, static_cast<uint64_t>(signal)));
    case How::kListen:
      return outcome_of(ptrace_raw(PTRACE_LISTEN, tid, 0, 0));
  }
  return Outcome::kFailed;
}

pid_t wait_any(int* status) {
  // __WNOTHREAD: children of the host's other threads belong to the host.
  const pid_t tid = waitpid(-1, status, __WALL | __WNOTHREAD);
  if (tid > 0) return tid;
  return errno == EINTR ? 0 : -1;
}

pid_t wait_one(pid_t tid, int* status, bool block) {
  for (;;) {
    const pid_t waited = waitpid(tid, status, __WALL | __WNOTHREAD | (block ? 0 : WNOHANG));
    if (waited >= 0 || errno != EINTR) return waited;
  }
}

pid_t wait_untraced(pid_t held, int* status, bool block) {
  const int of_whom = held > 0 ? 0 : __WNOTHREAD;
  for (;;) {
    const pid_t waited = waitpid(held > 0 ? held : -1, status, __WALL | of_whom | WUNTRACED | (block ? 0 : WNOHANG));
    if (waited >= 0 || errno != EINTR) return waited;
  }
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid == pid;
}

Outcome event_message(pid_t tid, uint64_t* message) {
  return outcome_of(ptrace_raw(PTRACE_GETEVENTMSG, tid, 0, as_word(message)));
}

Outcome syscall_info(pid_t tid, SyscallInfo* info) {
  ptrace_syscall_info raw;
  const Outcome outcome = outcome_of(ptrace_raw(PTRACE_GET_SYSCALL_INFO, tid, sizeof raw, as_word(&raw)));
  if (outcome != Outcome::kOk) return outcome;
  info->audit_arch = raw.arch;
  info->ip = raw.instruction_pointer;
  info->is_return = raw.op == PTRACE_SYSCALL_INFO_EXIT;
  switch (raw.op) {
    case PTRACE_SYSCALL_INFO_SECCOMP:
      info->nr = raw.seccomp.nr;
      for (int i = 0; i < 6; i++) info->args[i] = raw.seccomp.args[i];
      return Outcome::kOk;
    case PTRACE_SYSCALL_INFO_ENTRY:
      info->nr = raw.entry.nr;
      for (int i = 0; i < 6; i++) info->args[i] = raw.entry.args[i];
      return Outcome::kOk;
    case PTRACE_SYSCALL_INFO_EXIT:
      info->rval = raw.exit.rval;
      return Outcome::kOk;
    default:
      return Outcome::kFailed;
  }
}

Outcome get_registers(pid_t tid, void* registers, size_t* size) {
  iovec io{registers, *size};
  const Outcome outcome = outcome_of(ptrace_raw(PTRACE_GETREGSET, tid, NT_PRSTATUS, as_word(&io)));
  *size = io.iov_len;
  return outcome;
}

Outcome set_registers(pid_t tid, const void* registers, size_t size) {
  iovec io{const_cast<void*>(registers), size};
  return outcome_of(ptrace_raw(PTRACE_SETREGSET, tid, NT_PRSTATUS, as_word(&io)));
}

#if defined(__aarch64__)
Outcome set_syscall_number(pid_t tid, int nr) {
  iovec io{&nr, sizeof nr};
  return outcome_of(ptrace_raw(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, as_word(&io)));
}
#endif

bool read_memory(pid_t tid, uint64_t address, void* to, size_t size) {
  const iovec local{to, size};
  const iovec remote{reinterpret_cast<void*>(address), size};
  return process_vm_readv(tid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

}  // namespace tracefp
