// A program that lives with signals: a timer whose handler makes calls, children whose end interrupts what it does, and
// calls that the kernel restarts. Its timer and its children are the same number in every run.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t tick_count, child_count;

static void on_alarm(int signal) {
  (void)signal;
  tick_count++;
  getppid();
}

static void on_child(int signal) {
  (void)signal;
  int saved = errno;
  while (waitpid(-1, NULL, WNOHANG) > 0) child_count++;
  errno = saved;
}

// What is left of a sleep is slept when a handler cut it short.
static void sleep_ms(long ms) {
  struct timespec left = {.tv_sec = 0, .tv_nsec = ms * 1000000};
  while (nanosleep(&left, &left) != 0) continue;
}

int main(int count, char** arguments) {
  int rounds = count > 1 ? atoi(arguments[1]) : 5;
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  struct itimerval every = {.it_interval = {.tv_usec = 3000}, .it_value = {.tv_usec = 3000}};
  int ends[2];
  char byte;
  sigaction(SIGALRM, &action, NULL);
  action.sa_handler = on_child;
  sigaction(SIGCHLD, &action, NULL);
  if (pipe(ends) != 0) return 1;
  setitimer(ITIMER_REAL, &every, NULL);
  for (int round = 0; round < rounds; round++) {
    pid_t child = fork();
    if (child == 0) {
      sleep_ms(8);
      if (write(ends[1], "x", 1) != 1) _exit(1);
      sleep_ms(4);
      _exit(0);
    }
    if (read(ends[0], &byte, 1) != 1) return 1;  // restarted after each tick
    for (int i = 0; i < 200; i++) getpid();
    sleep_ms(10);
    struct pollfd none = {.fd = ends[0], .events = POLLIN};
    poll(&none, 1, 12);  // a tick ends it: what comes next is the same
  }
  return tick_count > 0 && child_count == rounds ? 0 : 2;
}
