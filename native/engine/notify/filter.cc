#include "engine/notify/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "syscall/abi.h"

namespace tracefp {

namespace {

constexpr uint32_t kX32Bit = 0x40000000;

struct Row {
  uint32_t arch;
  Abi abi;
  uint32_t bit;
};

constexpr std::array kRows{
    Row{AUDIT_ARCH_X86_64, Abi::kX86_64, 0},
    Row{AUDIT_ARCH_X86_64, Abi::kX32, kX32Bit},
    Row{AUDIT_ARCH_I386, Abi::kI386, 0},
    Row{AUDIT_ARCH_AARCH64, Abi::kAarch64, 0},
};

// For each (arch, number): load arch, differs? skip 3; load nr, differs? skip 1; return TRACE.
std::vector<sock_filter> build() {
  std::vector<sock_filter> code;
  for (const Row& row : kRows) {
    const KnownCalls& known = known_calls(row.abi);
    for (const int32_t nr : {known.rt_sigreturn, known.sigreturn, known.clone, known.clone3, known.fork, known.vfork,
                             known.wait4, known.waitid}) {
      if (nr < 0) continue;
      const uint32_t raw = static_cast<uint32_t>(nr) | row.bit;
      code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
      code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, raw, 0, 3));
      code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
      code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, row.arch, 0, 1));
      code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
    }
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  return code;
}

}  // namespace

const sock_fprog* notify_filter() {
  static std::vector<sock_filter> code = build();
  static const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return &program;
}

}  // namespace tracefp
