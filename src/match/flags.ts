// Which calls the walker must look at twice: transparent ones, the ends of tracks and of signal frames, and io_uring.
// One byte per (ABI, number), so that an ordinary call costs one load. Numbers of 1024 and above are ordinary.
import { UNSEEN_CALLS } from '../model/fingerprint.ts'
import { CALL_NUMBER_LIMIT, transparentCalls } from '../model/transparent.ts'
import { ABI_NAMES } from '../syscall/abi.ts'
import type { Mapping } from '../syscall/mapping.ts'

/** Counted, but no part of transitions. */
export const TRANSPARENT = 1
/** exit and exit_group: only a track that made one of them is judged at its end. */
export const ENDS_TRACK = 2
/** rt_sigreturn and sigreturn. */
export const ENDS_FRAME = 4
/** io_uring: its work is not seen. */
export const UNSEEN_WORK = 8

const NR_LIMIT = CALL_NUMBER_LIMIT
const ABI_COUNT = 8
export const CALL_COUNT: number = ABI_COUNT * NR_LIMIT

const FLAGS: ReadonlyMap<string, number> = new Map([
  ['rt_sigreturn', ENDS_FRAME],
  ['sigreturn', ENDS_FRAME],
  ['exit', ENDS_TRACK],
  ['exit_group', ENDS_TRACK],
  ...UNSEEN_CALLS.map((name): [string, number] => [name, UNSEEN_WORK]),
])

const plainFlags = new WeakMap<Mapping, Uint8Array>()

/** Index of a call in arrays of CALL_COUNT entries; -1 = outside of them. */
export function callIndex(abi: number, nr: number): number {
  return nr >= 0 && nr < NR_LIMIT && abi >= 0 && abi < ABI_COUNT ? abi * NR_LIMIT + nr : -1
}

/** The flags under one mapping; `transparent` are symbol texts, and those the mapping does not know have no effect. */
export function callFlags(mapping: Mapping, transparent: Iterable<string>): Uint8Array {
  const flags = plainFlagsOf(mapping).slice()
  for (const { abi, nr } of transparentCalls(mapping, transparent)) {
    const index = callIndex(abi, nr)
    if (index >= 0) flags[index] = TRANSPARENT
  }
  return flags
}

function plainFlagsOf(mapping: Mapping): Uint8Array {
  let flags = plainFlags.get(mapping)
  if (flags === undefined) {
    flags = new Uint8Array(CALL_COUNT)
    // By name, not by number: start-up counts, and there are five thousand numbers.
    for (const [name, flag] of FLAGS) {
      for (const abi of ABI_NAMES) {
        const call = mapping.numberOf(abi === mapping.nativeAbi ? name : `${abi}:${name}`)
        const index = call === undefined ? -1 : callIndex(call.abi, call.nr)
        if (index >= 0) flags[index] = flag
      }
    }
    plainFlags.set(mapping, flags)
  }
  return flags
}
