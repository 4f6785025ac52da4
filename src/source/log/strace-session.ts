// What the files of one strace session have in common, -ff makes one per thread: how it begins, and what is told when it is over.

import type { LogReaderOptions } from './log-reader.ts'
import { StraceAbi } from './strace-abi.ts'
import { StraceCalls } from './strace-calls.ts'
import { FilterSigns } from './strace-filter.ts'
import { StraceLife } from './strace-life.ts'
import { Position } from './strace-position.ts'
import type { Process, Tracee } from './strace-tracee.ts'

export interface StraceSession {
  readonly abi: StraceAbi
  readonly position: Position
  readonly life: StraceLife
  readonly calls: StraceCalls
  readonly signs: FilterSigns
}

export interface SetHooks {
  readonly onBirth: (tracee: Tracee) => void
  readonly hold: (process: Process, tell: () => void) => void
}

/** `onResolved`: the parent of a tid is known now, lines of it can be read. */
export function openStraceSession(
  { handler, mapping, inOrder = false }: LogReaderOptions,
  hooks: SetHooks | undefined,
  onResolved: (tid: number) => void,
): StraceSession {
  const signs = new FilterSigns((why) => handler.onNote(filteredNote(why)), hooks === undefined)
  const onBirth = hooks === undefined ? {} : { onBirth: hooks.onBirth }
  const life = new StraceLife({ handler, isSet: hooks !== undefined, inOrder, onResolved, ...onBirth })
  const hold = hooks === undefined ? {} : { hold: hooks.hold }
  const abi = new StraceAbi(mapping)
  const position = new Position()
  return {
    abi,
    life,
    signs,
    position,
    calls: new StraceCalls({ handler, abi, life, signs, inOrder, position, ...hold }),
  }
}

/** Lines are missing: all that was read is told, and how calls ended that are open is not known. */
export function forgetOpen({ life, calls }: StraceSession): void {
  for (const tracee of life.tracees.all) {
    calls.settle(tracee)
    calls.settleMode(tracee, '')
    tracee.open = null
    tracee.restart = null
    tracee.process.doom = null
  }
  life.forgetClones()
}

/** Tracees that called exit have ended, where the log does not tell ends (-qq); and what was never seen is said. */
export function finishSession({ life, calls, signs }: StraceSession, { handler }: LogReaderOptions): void {
  for (const tracee of life.tracees.all) {
    calls.settle(tracee)
    calls.settleMode(tracee, '')
  }
  signs.finish()
  const count = life.tracees.unseenCount
  if (count > 0) {
    const message = `${count === 1 ? 'a child' : `${count} children`} of which nothing is in the log: use strace -f`
    handler.onNote({ code: 'children_unseen', message, inconclusive: true })
  }
  const ended = life.tracees.all.filter(({ isEnding, process }) => isEnding || process.isEnding)
  for (const tracee of ended) life.end(tracee, tracee.exitCode, 0)
}

function filteredNote(why: string): { code: string; message: string; inconclusive: boolean } {
  const message = `the log was filtered, so it has transitions that the program never made: ${why}`
  return { code: 'filtered', message, inconclusive: true }
}
