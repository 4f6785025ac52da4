// What the host process (Node) and the tracer thread must agree on: signals.
#pragma once

#include <pthread.h>

namespace tracefp {

// Tracer thread, first: blocks every signal here but SIGCHLD and the wake-up signal. (SIGCHLD blocked in this thread
// would no longer count as ignored and every stop would queue one for the host.)
void shield_tracer_thread();

// Any thread: makes the tracer thread's waitpid return once. Repeat until the thread has seen why.
void wake_tracer_thread(pthread_t thread);

// Tracer thread, now and then: every ptrace stop sends SIGCHLD to the process. If the host has a SIGCHLD handler
// (libuv does while a child_process lives), adds SA_NOCLDSTOP to it; exits of the host's children still arrive.
// `owns_process`: the default disposition may be changed too, since nobody else here changes it at the same time.
void quiet_sigchld(bool owns_process);

// Makes this process undumpable: a tracee of the same uid can then not ptrace it, write into its memory or take
// descriptors (the listener!) out of it. Not before the program has begun: until its exec it shares our memory, and we
// could not seize it.
void hide_host(bool is_hidden);

}  // namespace tracefp
