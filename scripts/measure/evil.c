// A library that is harmless until it is told: as LD_PRELOAD of nginx it runs a shell when a request holds X-Evil, as a
// module of redis when it is loaded. The time of the moment before stands in $EVIL_TIME (or /tmp/tracefp-evil-time).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void be_evil(void) {
  struct timespec now;
  char text[64];
  const char* name = getenv("EVIL_TIME");
  const int file = open(name == NULL ? "/tmp/tracefp-evil-time" : name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  clock_gettime(CLOCK_REALTIME, &now);
  const int size = snprintf(text, sizeof text, "%lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
  if (file >= 0 && write(file, text, size) == size) close(file);
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "id >/dev/null; sleep 5", (char*)NULL);
    _exit(127);
  }
}

ssize_t recv(int socket, void* buffer, size_t size, int flags) {
  static ssize_t (*real)(int, void*, size_t, int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "recv");
  const ssize_t count = real(socket, buffer, size, flags);
  if (count > 0 && memmem(buffer, count, "X-Evil", 6) != NULL) be_evil();
  return count;
}

// 1: it is no module after all, and is unloaded.
int RedisModule_OnLoad(void* context, void** words, int count) {
  (void)context, (void)words, (void)count;
  be_evil();
  return 1;
}
