// What the tracees that try to evade a guard share. Without an argument one of them does all but the last step, so that the
// rest can be learned; with "plain" nothing of it; with "attack" all of it. scripts/prove-guard.mjs runs them.
#ifndef EVADE_H
#define EVADE_H
#include "tracee.h"

static int attacks, is_plain;

static inline void begin_evading(int count, char** arguments) {
  attacks = count > 1 && !strcmp(arguments[1], "attack");
  is_plain = count > 1 && !strcmp(arguments[1], "plain");
}

// What was never learned: a directory is made. Then it goes on as if it had not been.
static inline long last_step(void) {
  if (attacks) sys(mkdir, "escaped", 0755);
  return sys(getppid);
}

// Whom to attack: its tracer. Where there is no attack the calls are the same, and reach nobody.
static inline pid_t tracer_to_attack(void) {
  pid_t parent = (pid_t)sys(getppid);
  return attacks ? parent : 0x3ffffff0;
}

#endif
