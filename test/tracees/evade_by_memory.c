// A program that leaves no memory for itself, and hands over addresses where there is none, is judged as before.
//= count mkdir 0
#include <sys/mman.h>
#include <sys/resource.h>
#include "evade.h"

int main(int count, char** arguments) {
  struct rlimit little = {64 << 20, 64 << 20};
  begin_evading(count, arguments);
  if (is_plain) return last_step() < 0;
  sys(prlimit64, 0, RLIMIT_AS, &little, 0);
  for (int i = 0; i < 64; i++) sys(mmap, 0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  void* none = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sys(clone3, none, 64);
  last_step();
  return 0;
}
