// What the native scanner says of processes that it follows by itself, and how it is told what it needs for that. native/log/lives.h has
// the same: the tests of src/source/log would see it if the two differed.
//
// Of each thread's process it has a slot of four words:
//
//   word 0      1        2         3
//        alone | caught | ignored | calls in handlers that returned |
//
// and what there is to tell is in events of 128 bytes:
//
//   word 0      1     2    3      4       5               16 ... 31
//        kind | tid | of | word | known | handled calls | the thread, as in its slot

/** What calls of a name mean beside that they were made; MEANS_OWN_TID: nothing, where it is no more than that. */
export const MEANS_NOTHING = 0
export const MEANS_OWN_TID = 1
export const MEANS_TO_HANDLE = 2
export const MEANS_TO_FORK = 3
export const MEANS_TO_EXECUTE = 4
export const MEANS_TO_RETURN = 5
export const MEANS_TO_GROW = 6
export const MEANS_TO_EXIT = 7
/** A child as its flags say; MEANS_TO_FORK: one that shares nothing. */
export const MEANS_TO_CLONE = 8

/** Words of a slot. */
export const PROCESS_WORDS = 4
export const PROCESS: {
  /** It has one thread with its tid, no handler runs, and nothing is pending. */
  readonly isAlone: 0
  /** Bits of the signals below 32 that start a handler, and of those that do not. In neither: it is not known. */
  readonly caught: 1
  readonly ignored: 2
  /** To be added to the calls of the thread. */
  readonly handledCalls: 3
} = { isAlone: 0, caught: 1, ignored: 2, handledCalls: 3 }

/** Words of what holds for the whole log. */
export const CONTROL: {
  /** What a line of a new thread means follows from what is here. */
  readonly isOn: 0
  /** After an exec it must be seen whether the program is a 64-bit one. */
  readonly hasModes: 1
  /** Of the process of which the end matters. */
  readonly rootTid: 2
  /** There are events: written by the scanner. */
  readonly isPending: 3
  /** Calls of clone whose child is not known. */
  readonly openClones: 4
  /** Tids of the threads that are known and stand in no slot; at most KNOWN_LIMIT. */
  readonly knownCount: 5
  readonly known: 6
} = { isOn: 0, hasModes: 1, rootTid: 2, isPending: 3, openClones: 4, knownCount: 5, known: 6 }
export const KNOWN_LIMIT = 16

/** Kinds of events: a birth; an exec; a handler that runs; a call that the thread is in; a call of exit that is to be told, and the same with its end; handlers that were set or taken back. */
export const LIFE_BIRTH = 1
export const LIFE_EXEC = 2
export const LIFE_SIGNAL = 3
export const LIFE_ENTERED = 4
export const LIFE_EXIT = 5
export const LIFE_ENDED = 6
export const LIFE_HANDLES = 7

/** As the program of an exec: what it starts is judged by none. */
export const NO_PROGRAM = 0xffffffff

export const LIFE_WORDS = 32
export const LIFE: {
  readonly kind: 0
  readonly tid: 1
  /** Tid of the parent; number of the image; word of the signal's name; tid of the child that the call has made, or 0; exit code; bits of signals that have a handler. */
  readonly of: 2
  /** Of the call's name; bits of signals that have none. */
  readonly word: 3
  /** Whether a line of the child was read; whether the mode of the program is known; whether the call of exit has ended. */
  readonly isKnown: 4
  readonly handledCalls: 5
  readonly thread: 16
} = { kind: 0, tid: 1, of: 2, word: 3, isKnown: 4, handledCalls: 5, thread: 16 }

/** What is left of tracks that began and ended with one program. */
export const PASSED: { readonly tracks: 0; readonly ends: 1; readonly calls: 2; readonly transparentCalls: 3 } = {
  tracks: 0,
  ends: 1,
  calls: 2,
  transparentCalls: 3,
}
