// Calls that are counted but are no part of transitions: they come and go with the vDSO, or with timing. What ends a track
// or a signal frame, and what does work that is not seen, is never one of them, whatever a fingerprint says.
import { baseNameOf, isFrameReturn, type Mapping } from '../syscall/mapping.ts'
import { NEVER_LEARNED } from './never-learned.ts'

/** Numbers from here on have no place in tables by number: such calls are ordinary. */
export const CALL_NUMBER_LIMIT = 1024

const ENDS_OF_TRACKS = ['exit', 'exit_group']

/** The calls of `names` (symbol texts); those that the mapping does not know have no effect. */
export function transparentCalls(mapping: Mapping, names: Iterable<string>): { abi: number; nr: number }[] {
  const calls: { abi: number; nr: number }[] = []
  for (const name of names) {
    const base = baseNameOf(name)
    if (isFrameReturn(name) || ENDS_OF_TRACKS.includes(base) || NEVER_LEARNED.includes(base)) continue
    const call = mapping.numberOf(name)
    if (call !== undefined && call.nr >= 0 && call.nr < CALL_NUMBER_LIMIT) calls.push(call)
  }
  return calls
}
