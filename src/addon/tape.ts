// The typed surface of the native player of tapes. What it does, and the layout of what it shares, is said in src/source/capture/tape.ts and
// native/match/tape.h.

/** How many calls are judged at once. `plain`: C++; `vbmi`: AVX-512. All give the same; '' is the fastest that runs here. */
export type BatchForm = 'plain' | 'vbmi'

export interface NativeTapePlayer {
  /** The memory of a memo must stay as it is. Memos are numbered from 1. */
  addPairs(pairs: Uint8Array): void
  addSteps(steps: Uint16Array, limit: number): void
  /** From head's `at` on, until a byte that is not known. */
  play(bytes: Uint8Array): void
}

export type NativeTapePlayerConstructor = new (
  head: Uint32Array,
  slots: Uint32Array,
  places: Uint32Array,
  form: string,
) => NativeTapePlayer
