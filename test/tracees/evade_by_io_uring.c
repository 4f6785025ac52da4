// Work that is queued for the kernel makes no calls: its queue is never learned, so there is none under a guard.
//= maybe io_uring
#include <linux/io_uring.h>
#include <sys/mman.h>
#include "evade.h"

int main(int count, char** arguments) {
  struct io_uring_params p = {0};
  begin_evading(count, arguments);
  if (!attacks) return last_step() < 0;
  int ring = (int)sys(io_uring_setup, 4, &p);
  if (ring < 0) return 0;
  char* sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe* sqe = mmap(0, 4 * sizeof *sqe, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
  if (sq == MAP_FAILED || sqe == MAP_FAILED) return 0;
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = IORING_OP_MKDIRAT;
  sqe->fd = AT_FDCWD;
  sqe->addr = (unsigned long)"escaped";
  sqe->len = 0755;
  ((unsigned*)(sq + p.sq_off.array))[0] = 0;
  __atomic_store_n((unsigned*)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
  sys(io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
  return 0;
}
