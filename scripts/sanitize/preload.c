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
  const char *value = getenv("LD_PRELOAD");
  if (value == NULL) return;
  snprintf(preload, sizeof preload, "LD_PRELOAD=%s", value);
  unsetenv("LD_PRELOAD");
}

// What libuv calls in the child, with `environ` replaced: nothing may be allocated here.
int execvp(const char *file, char *const argv[]) {
  static char *variables[4096];
  static int (*real)(const char *, char *const[], char *const[]);
  const char *slash = strrchr(file, '/');
  int count = 0;
  if (real == NULL) real = (int (*)(const char *, char *const[], char *const[]))dlsym(RTLD_NEXT, "execvpe");
  while (environ[count] != NULL && count < 4000) {
    variables[count] = environ[count];
    count++;
  }
  if (strcmp(slash == NULL ? file : slash + 1, "node") == 0) variables[count] = preload;
  return real(file, argv, variables);
}
