// Does what it is told, letter by letter on stdin, and answers each with a line: u hands requests to io_uring, n refuses itself a
// call, g does neither. With an argument it has a ring whose requests are taken by a thread of the kernel's: no call is made for them.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS 8

static struct io_uring_params params;
static char *sq, *cq;
static int ring;

static int open_ring(void) {
  params.flags = IORING_SETUP_SQPOLL;
  params.sq_thread_idle = 50;
  ring = (int)syscall(SYS_io_uring_setup, REQUESTS, &params);
  if (ring < 0) return 0;
  const int protection = PROT_READ | PROT_WRITE;
  const size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  const size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  sq = mmap(0, sq_bytes, protection, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  cq = mmap(0, cq_bytes, protection, MAP_SHARED, ring, IORING_OFF_CQ_RING);
  struct io_uring_sqe *sqes =
      mmap(0, params.sq_entries * sizeof *sqes, protection, MAP_SHARED, ring, IORING_OFF_SQES);
  if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED) return 0;
  memset(sqes, 0, params.sq_entries * sizeof *sqes);  // IORING_OP_NOP
  for (unsigned i = 0; i < params.sq_entries; i++) ((unsigned *)(sq + params.sq_off.array))[i] = i;
  return 1;
}

static void pause_shortly(void) {
  struct timespec pause = {0, 1000 * 1000};
  syscall(SYS_nanosleep, &pause, 0);
}

static void submit(void) {
  unsigned *tail = (unsigned *)(sq + params.sq_off.tail);
  unsigned *done = (unsigned *)(cq + params.cq_off.tail);
  const unsigned wanted = __atomic_load_n(done, __ATOMIC_ACQUIRE) + REQUESTS;
  __atomic_store_n(tail, *tail + REQUESTS, __ATOMIC_RELEASE);
  while (__atomic_load_n(done, __ATOMIC_ACQUIRE) != wanted) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    const unsigned flags = __atomic_load_n((unsigned *)(sq + params.sq_off.flags), __ATOMIC_RELAXED);
    if (flags & IORING_SQ_NEED_WAKEUP) syscall(SYS_io_uring_enter, ring, 0, 0, IORING_ENTER_SQ_WAKEUP, 0, 0);
    pause_shortly();
  }
  __atomic_store_n((unsigned *)(cq + params.cq_off.head), wanted, __ATOMIC_RELEASE);
}

static void refuse_getppid(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int main(int count, char **arguments) {
  char letter;
  (void)arguments;
  if (count > 1 && !open_ring()) return 77;
  while (read(0, &letter, 1) == 1) {
    if (letter == 'u') submit();
    if (letter == 'n') refuse_getppid();
    if (letter == 'g') pause_shortly();
    if (write(1, "\n", 1) != 1) return 1;
  }
  return 0;
}
