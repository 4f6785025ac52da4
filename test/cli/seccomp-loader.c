// Loads a filter by libseccomp and becomes a program: seccomp-loader errno|kill|log NAME... -- PROGRAM [ARG...]
// Ends with 99 where the filter cannot be made.
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  uint32_t action = strcmp(argv[1], "errno") == 0  ? SCMP_ACT_ERRNO(EPERM)
                    : strcmp(argv[1], "kill") == 0 ? SCMP_ACT_KILL_PROCESS
                                                   : SCMP_ACT_LOG;
  scmp_filter_ctx filter = seccomp_init(action);
  if (filter == NULL) return 99;
  int at = 2;
  for (; at < argc && strcmp(argv[at], "--") != 0; at += 1) {
    int number = seccomp_syscall_resolve_name(argv[at]);
    if (number == __NR_SCMP_ERROR) {
      fprintf(stderr, "libseccomp does not know %s\n", argv[at]);
      continue;
    }
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) != 0) return 99;
  }
  if (at + 1 >= argc || seccomp_load(filter) != 0) return 99;
  execvp(argv[at + 1], argv + at + 1);
  perror("execvp");
  return 98;
}
