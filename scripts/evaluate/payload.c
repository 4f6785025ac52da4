// A library to preload that does nothing, or what an intruder's code would do, once, at one moment of the program's
// life: `start` (constructor), `middle` (the first time the program reads or writes through libc), `exit` (destructor).
// Harmless by design: the secret is a made-up file, the way out is the loopback interface.
//
//   PAYLOAD_WHAT=none|leak|shell|child|memory|write|redirect PAYLOAD_WHEN=start|middle|exit|open PAYLOAD_PORT=N
//   PAYLOAD_FOLDER=DIR
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *what = "none", *when = "none", *folder = "/";
static int port, is_done;

// Straight into the kernel: the hooks below would see libc's functions.
static const char* in_folder(char* path, size_t size, const char* name) {
  snprintf(path, size, "%s/%s", folder, name);
  return path;
}

static void write_mark(const char* name) {
  char path[512];
  int file = (int)syscall(SYS_openat, AT_FDCWD, in_folder(path, sizeof path, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  syscall(SYS_write, file, "was here\n", 9);
  syscall(SYS_close, file);
}

static void leak(void) {
  char path[512], secret[256];
  int file = (int)syscall(SYS_openat, AT_FDCWD, in_folder(path, sizeof path, "secret"), O_RDONLY, 0);
  long length = syscall(SYS_read, file, secret, sizeof secret);
  int way_out = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in home = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  home.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (syscall(SYS_connect, way_out, &home, sizeof home) == 0) syscall(SYS_sendto, way_out, secret, length, 0, NULL, 0);
  syscall(SYS_close, way_out);
  syscall(SYS_close, file);
}

static void in_child(void (*act)(void)) {
  long child = syscall(SYS_fork);
  if (child == 0) {
    act();
    syscall(SYS_exit_group, 0);
  }
  syscall(SYS_wait4, child, NULL, 0, NULL);
}

static void shell(void) {
  char command[600];
  snprintf(command, sizeof command, "echo was here > %s/mark", folder);
  char* arguments[] = {"sh", "-c", command, NULL};
  char* environment[] = {NULL};
  syscall(SYS_execve, "/bin/sh", arguments, environment);
}

// Makes memory executable and tries to look into its parent, as code that is brought in later does.
static void memory(void) {
  long page = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
  syscall(SYS_ptrace, PTRACE_PEEKDATA, syscall(SYS_getppid), 0, 0);
  write_mark("mark");
}

static void act(const char* moment) {
  if (is_done || strcmp(when, moment) != 0) return;
  is_done = 1;
  int saved = errno;
  if (strcmp(what, "leak") == 0) leak();
  if (strcmp(what, "shell") == 0) in_child(shell);
  if (strcmp(what, "child") == 0) in_child(leak);
  if (strcmp(what, "memory") == 0) memory();
  if (strcmp(what, "write") == 0) write_mark("mark");
  errno = saved;
}

static const char* setting(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value == NULL ? otherwise : value;
}

__attribute__((constructor)) static void start(void) {
  what = setting("PAYLOAD_WHAT", what);
  when = setting("PAYLOAD_WHEN", when);
  folder = setting("PAYLOAD_FOLDER", folder);
  port = atoi(setting("PAYLOAD_PORT", "0"));
  act("start");
}

__attribute__((destructor)) static void finish(void) { act("exit"); }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define HOOK(type, name, parameters, arguments) \
  type(name) parameters {                       \
    act("middle");                              \
    return REAL(name) arguments;                \
  }

HOOK(ssize_t, read, (int file, void* bytes, size_t size), (file, bytes, size))
HOOK(ssize_t, write, (int file, const void* bytes, size_t size), (file, bytes, size))
HOOK(size_t, fread_unlocked, (void* bytes, size_t size, size_t count, FILE* file), (bytes, size, count, file))
HOOK(size_t, fwrite_unlocked, (const void* bytes, size_t size, size_t count, FILE* file), (bytes, size, count, file))
HOOK(size_t, fwrite, (const void* bytes, size_t size, size_t count, FILE* file), (bytes, size, count, file))
HOOK(int, fputs_unlocked, (const char* text, FILE* file), (text, file))
HOOK(ssize_t, getdelim, (char** line, size_t* size, int end, FILE* file), (line, size, end, file))
HOOK(struct dirent*, readdir, (DIR * folder), (folder))
HOOK(ssize_t, copy_file_range, (int in, off64_t* from, int out, off64_t* to, size_t size, unsigned flags),
     (in, from, out, to, size, flags))
extern int __overflow(FILE*, int);
HOOK(int, __overflow, (FILE * file, int byte), (file, byte))

// Attack by argument: the first ordinary file the program reads is another one. No call is added, none is left out.
static const char* redirected(const char* path, int flags, char* other, size_t size) {
  if (is_done || strcmp(what, "redirect") != 0 || (flags & (O_ACCMODE | O_DIRECTORY)) != O_RDONLY) return path;
  if (strncmp(path, "data/", 5) != 0) return path;
  is_done = 1;
  return in_folder(other, size, "secret");
}

#define OPEN_HOOK(name)                                                           \
  int name(const char* path, int flags, ...) {                                    \
    char other[512];                                                              \
    va_list list;                                                                 \
    va_start(list, flags);                                                        \
    int mode = va_arg(list, int);                                                 \
    va_end(list);                                                                 \
    return REAL(name)(redirected(path, flags, other, sizeof other), flags, mode); \
  }
OPEN_HOOK(open)
OPEN_HOOK(open64)

#define OPENAT_HOOK(name)                                                             \
  int name(int at, const char* path, int flags, ...) {                                \
    char other[512];                                                                  \
    va_list list;                                                                     \
    va_start(list, flags);                                                            \
    int mode = va_arg(list, int);                                                     \
    va_end(list);                                                                     \
    return REAL(name)(at, redirected(path, flags, other, sizeof other), flags, mode); \
  }
OPENAT_HOOK(openat)
OPENAT_HOOK(openat64)

#define FOPEN_HOOK(name)                                                                            \
  FILE* name(const char* path, const char* mode) {                                                  \
    char other[512];                                                                                \
    return REAL(name)(*mode == 'r' ? redirected(path, O_RDONLY, other, sizeof other) : path, mode); \
  }
FOPEN_HOOK(fopen)
FOPEN_HOOK(fopen64)
