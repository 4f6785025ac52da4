// A service that does what it is told, letter by letter on stdin, and answers each with a line. Beside its main thread it
// always has a thread that sleeps, and a child that waits at a pipe: both are there before anybody attaches.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int to_child[2], from_child[2];
static int interrupted;

static void getppids(int times) {
  for (int i = 0; i < times; i++) syscall(SYS_getppid);
}

static char next_letter(int fd) {
  char letter;
  for (;;) {
    ssize_t size = read(fd, &letter, 1);
    if (size == 1) return letter;
    if (size == 0) return 'q';
    interrupted++;
  }
}

static void *sleeper(void *nothing) {
  struct timespec pause = {0, 20 * 1000 * 1000};
  for (;;)
    if (nanosleep(&pause, 0) != 0) interrupted++;
  return nothing;
}

static void *worker(void *nothing) {
  getppids(50);
  return nothing;
}

static void on_signal(int signal) {
  (void)signal;
  for (int i = 0; i < 10; i++) syscall(SYS_getuid);
}

static void child(void) {
  close(to_child[1]);
  for (;;) {
    if (next_letter(to_child[0]) == 'q') _exit(0);
    getppids(20);
    if (write(from_child[1], "c", 1) != 1) _exit(1);
  }
}

int main(int count, char **arguments) {
  char answer[64], letter;
  pthread_t thread;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  if (pipe(to_child) != 0 || pipe(from_child) != 0) return 1;
  sigaction(SIGUSR1, &action, 0);
  if (fork() == 0) child();
  pthread_create(&thread, 0, sleeper, 0);
  for (;;) {
    letter = next_letter(0);
    snprintf(answer, sizeof answer, "%c\n", letter);
    if (letter == 'g') getppids(100);
    if (letter == 's') kill(getpid(), SIGUSR1);
    if (letter == 'e' && count > 1) mkdir(arguments[1], 0700);
    if (letter == 'i') snprintf(answer, sizeof answer, "i %d\n", interrupted);
    if (letter == 't') {
      pthread_create(&thread, 0, worker, 0);
      pthread_join(thread, 0);
    }
    if (letter == 'f' || letter == 'x') {
      pid_t pid = fork();
      if (pid == 0) {
        if (letter == 'x') execl("/bin/true", "true", (char *)0);
        getppids(50);
        _exit(0);
      }
      while (waitpid(pid, 0, 0) < 0) interrupted++;
    }
    if (letter == 'c') {
      if (write(to_child[1], "c", 1) != 1) return 1;
      next_letter(from_child[0]);
    }
    if (write(1, answer, strlen(answer)) < 0) return 1;
    if (letter == 'q') exit(5);
  }
}
