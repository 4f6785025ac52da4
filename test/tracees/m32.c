// Every call of a 32-bit program is a symbol of the i386 ABI.
//= arch x86_64
//= cflags -O1 -m32 -nostdlib -static -fno-stack-protector
//= main: i386:getppid*5 i386:getpid
//= count getppid 0
static long call(long number, long argument) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument) : "memory");
  return result;
}

void _start(void) {
  call(5001, 0);
  for (int i = 0; i < 5; i++) call(64, 0);
  call(20, 0);
  call(5002, 0);
  call(252, 0);  // exit_group
  for (;;) continue;
}
