// The typed surface of what `tracefp bench` measures, or measures with, in C++ (native/bench).

export interface NativeBench {
  /** CPU time of all children that were waited for, and of theirs. */
  childCpuUs(): number
  readAll(bytes: Uint8Array): number
  /** Misses of symbols, one at a time; `table` as TransitionTable has it. */
  walkTable(table: Uint8Array, symbols: Uint8Array): number
  /** Misses of calls of many tracks: `records` are track << 16 | code << 8, `last` a byte for each track, `memo` the pairs of a PairMemo. */
  walkTracks(memo: Uint8Array, last: Uint8Array, records: Uint32Array): number
  /** Functions that count the misses of codes. */
  pairSet(learned: Uint8Array): (codes: Uint8Array) => number
  stide(learned: Uint8Array): (codes: Uint8Array) => number
}
