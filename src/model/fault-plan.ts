// Which calls are made to fail, in which order: so that a run of a few minutes has seen every call of the program fail in every
// documented way once, before it sees any fail a second time elsewhere.
import { type DocumentedFault, faultsOf } from '../syscall/fault-catalogue.ts'

/** One run: a call that fails once, or from some occurrence on. */
export interface PlannedFault extends DocumentedFault {
  /** From 1: the first one of the session that fails. */
  readonly first: number
  readonly isLasting: boolean
}

/** Where among the occurrences of a call: the middle and the end are the program's own, the beginning mostly the loader's. */
const PLACES = [1 / 2, 1, 0, 1 / 4, 3 / 4, 1 / 8, 3 / 8, 5 / 8, 7 / 8]

/** `counts`: how often an undisturbed run made each call. */
export function planFaults(counts: ReadonlyMap<string, number>): PlannedFault[] {
  const calls = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1))
  const planned = new Map<string, PlannedFault>()
  const add = (fault: PlannedFault): void => {
    const text = faultText(fault)
    if (!planned.has(text)) planned.set(text, fault)
  }
  for (const place of PLACES) {
    for (const isAgain of [false, true]) {
      for (const [call, count] of calls) {
        const first = 1 + Math.floor(place * (count - 1))
        for (const fault of faultsOf(call)) {
          const isLasting = fault.canLast && !isAgain
          // What can last is tried so, and again as what does not; from the last occurrence on that is the same.
          if (!isAgain || (fault.canLast && first < count)) add({ ...fault, first, isLasting })
        }
      }
    }
  }
  return [...planned.values()]
}

/** `write ENOSPC from 3`, `read EINTR at 7` */
export function faultText({ call, error, first, isLasting }: PlannedFault): string {
  return `${call} ${error} ${isLasting ? 'from' : 'at'} ${first}`
}
