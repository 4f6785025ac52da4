// What the engine's notes say to people, and whether they forbid the verdict "authentic".

import type { StreamNote } from '../model/stream.ts'

const NOTES: Readonly<Record<string, Omit<StreamNote, 'code'> & { readonly code: string }>> = {
  noNewPrivs: {
    code: 'no_new_privs',
    message: 'no_new_privs was set, since tracefp does not run as root: setuid programs lose their privileges',
    inconclusive: false,
  },
  untracedRefused: {
    code: 'untraced',
    message: 'a child that nobody may trace (CLONE_UNTRACED) was asked for and refused with EPERM',
    inconclusive: true,
  },
  untracedKilled: {
    code: 'untraced',
    message: 'a child that nobody may trace (CLONE_UNTRACED) appeared; it and its process were killed',
    inconclusive: true,
  },
  listener: {
    code: 'listener',
    message: 'the program installed a seccomp listener of its own: calls that it answers itself are not seen',
    inconclusive: true,
  },
  listenerRefused: {
    code: 'listener',
    message:
      'the program asked for a seccomp listener of its own and was refused with EPERM: its calls could not be judged',
    inconclusive: true,
  },
  listenerBusy: {
    code: 'listener',
    message:
      'the program asked for a seccomp listener of its own, which engine notify leaves no room for (EBUSY): ' +
      'run it with engine trace; auto takes that for it from now on',
    inconclusive: true,
  },
  ioUring: {
    code: 'io_uring',
    message: 'requests were handed to io_uring: what is done there makes no calls and was not seen',
    inconclusive: true,
  },
  lostMisses: {
    code: 'lost_misses',
    message: 'calls that the fingerprint does not allow found no room in the ring of the kernel, and are not listed',
    inconclusive: true,
  },
  tracing: {
    code: 'ptrace',
    message:
      'the program asked for a tracer of its own and was refused (EPERM): a thread has one tracer, and that is tracefp; ' +
      'run strace and debuggers without it',
    inconclusive: false,
  },
  ownFilter: {
    code: 'own_filter',
    message: 'the program installed a seccomp filter of its own: calls that the filter refuses are not seen',
    inconclusive: false,
  },
  unreadable: {
    code: 'unreadable',
    message: 'whether a signal has a handler could not be read from /proc: what came after it may be misjudged',
    inconclusive: true,
  },
  notAttached: {
    code: 'not_attached',
    message: 'a task could not be attached to and is not watched: it may have another tracer',
    inconclusive: true,
  },
  unknownTracee: {
    code: 'unknown_tracee',
    message: 'a tracee was met without its birth: its parent was killed before announcing it',
    inconclusive: false,
  },
}

/** `count`: of what is counted; 0: nothing is. */
export function noteOf(name: string, tid: number, count = 0): StreamNote {
  const note = NOTES[name] ?? {
    code: 'unknown',
    message: `the engine sent an unknown note: ${name}`,
    inconclusive: true,
  }
  const what = count > 0 ? `${count} of them` : `tid ${tid}`
  return { ...note, message: `${note.message} (${what})` }
}
