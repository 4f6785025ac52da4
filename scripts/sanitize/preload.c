// Preloaded behind a sanitizer's library: only Node is to have that library, not what Node starts. Takes LD_PRELOAD out of
// the environment, and puts it back for an exec of Node alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char preload[4096];

__attribute__((constructor)) static void hide(void) {
  char *value = getenv("LD_PRELOAD");
  if (value == NULL) return;
  snprintf(preload, sizeof preload, "LD_PRELOAD=%s", value);
  unsetenv("LD_PRELOAD");
  // /proc/self/environ shows the bytes that the process was given, which tracefp hands on.
  memcpy(value - strlen("LD_PRELOAD="), "NO", 2);
}

typedef int Exec(const char *, char *const[], char *const[]);

// Nothing may be allocated here: it may be a child that shares our memory.
static char **variables_for(const char *file, char *const given[]) {
  static char *variables[4096];
  const char *slash = strrchr(file, '/');
  int count = 0;
  while (given[count] != NULL && count < 4000) {
    variables[count] = given[count];
    count++;
  }
  variables[count] = strcmp(slash == NULL ? file : slash + 1, "node") == 0 ? preload : NULL;
  variables[count + 1] = NULL;
  return variables;
}

// What libuv calls in the child, with `environ` replaced.
int execvp(const char *file, char *const argv[]) {
  static Exec *real;
  if (real == NULL) real = (Exec *)dlsym(RTLD_NEXT, "execvpe");
  return real(file, argv, variables_for(file, environ));
}

// By which tracefp begins anew.
int execve(const char *file, char *const argv[], char *const environment[]) {
  static Exec *real;
  if (real == NULL) real = (Exec *)dlsym(RTLD_NEXT, "execve");
  return real(file, argv, variables_for(file, environment));
}
