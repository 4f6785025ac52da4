// Signals to a process whose threads wait in read and futex repeat no record of any thread.
//= main: clone*6 rt_sigprocmask kill*10 write*3 nanosleep* futex*
//= thread*3: read exit [SIGUSR1 rt_sigreturn]*
//= thread*3: futex exit [SIGUSR1 rt_sigreturn]*
//= count SIGUSR1 10
//= count read 3
// Each signal waits for the handler of the one before: a thread that is still in its handler may take what has woken
// another thread, and the call of that one is then repeated with no stop in between.
#include "tracee.h"

static int ends[2], word, handled;
static struct thread threads[6];

static void on_signal(int signal) {
  (void)signal;
  __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static int read_one(void* unused) {
  char byte;
  (void)unused;
  return (int)sys(read, ends[0], &byte, 1);
}

static int wait_word(void* unused) {
  (void)unused;
  return (int)sys(futex, &word, FUTEX_WAIT, 0, 0, 0, 0);
}

int main(void) {
  unsigned long mask = 1UL << (SIGUSR1 - 1), none = 0;
  pid_t self = getpid();
  if (pipe(ends) != 0) return 1;
  handle(SIGUSR1, on_signal, SA_RESTART);
  mark(1);
  for (int i = 0; i < 6; i++) start_thread(&threads[i], i < 3 ? read_one : wait_word, 0);
  sys(rt_sigprocmask, SIG_BLOCK, &mask, &none, 8);
  for (int i = 0; i < 10; i++) {
    sleep_ms(20);
    sys(kill, self, SIGUSR1);
    while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == i) sleep_ms(5);
  }
  sleep_ms(20);
  __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 3; i++) sys(write, ends[1], "x", 1);
  sys(futex, &word, FUTEX_WAKE, 6, 0, 0, 0);
  for (int i = 0; i < 6; i++) join_thread(&threads[i]);
  mark(2);
  return 0;
}
