// Makes the given number of getppid calls, and nothing else that counts.
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **arguments) {
  long calls = count > 1 ? atol(arguments[1]) : 0;
  for (long i = 0; i < calls; i++) syscall(SYS_getppid);
  return 0;
}
