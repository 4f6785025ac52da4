// A StreamHandler that writes down what it is told, one word an event, for tests of log readers.

import type { StreamHandler } from '../../../src/model/stream.ts'
import type { LogCounts, LogFormat, LogReader } from '../../../src/source/log/log-reader.ts'
import type { Mapping } from '../../../src/syscall/mapping.ts'
import { type NamingMapping, namingMapping } from '../../../src/syscall/naming.ts'

export interface Told {
  /** `birth 7 of 1 in 7 fork`, `exec 7 /bin/ls`, `7 read`, `exit 7 0`, `gap 7`, `note CODE`, `session NAME`. */
  readonly events: readonly string[]
  /** Where each call stands. */
  readonly places: readonly string[]
  readonly counts: LogCounts
}

export interface TellOptions {
  readonly mapping: Mapping
  /** Sizes of the chunks, again and again; none: one chunk. */
  readonly cuts?: readonly number[]
  /** Whether the reader may begin sessions. */
  readonly sessions?: boolean
  readonly inOrder?: boolean
}

export function tell(format: LogFormat, log: string | Uint8Array, options: TellOptions): Told {
  const bytes = typeof log === 'string' ? Buffer.from(log) : Buffer.from(log)
  const naming = namingMapping(options.mapping)
  const events: string[] = []
  const places: string[] = []
  const reader: LogReader = format.open({
    handler: writerOf(naming, events, () => places.push(reader.at())),
    mapping: naming,
    name: 'own.log',
    inOrder: options.inOrder ?? false,
    ...(options.sessions === true
      ? {
          nextSession: (name: string) => {
            events.push(`session ${name}`)
            return writerOf(naming, events, () => places.push(reader.at()))
          },
        }
      : {}),
  })
  for (const chunk of chunksOf(bytes, options.cuts ?? [])) {
    reader.write(chunk)
    // A reader must not keep what it was given.
    chunk.fill(0x58)
  }
  reader.end()
  return { events, places, counts: reader.counts }
}

/** Calls only. */
export function callsOf(told: Told): string[] {
  return told.events.filter((event) => /^\d+ /.test(event))
}

function* chunksOf(bytes: Buffer, cuts: readonly number[]): Generator<Buffer> {
  let turn = 0
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, cuts[turn % cuts.length] ?? bytes.length)
    yield Buffer.from(bytes.subarray(at, at + size))
    at += size
    turn += 1
  }
}

export function writerOf(mapping: NamingMapping, events: string[], onCall: () => void): StreamHandler {
  return {
    onBirth: (tid, parentTid, tgid, kind, image) => {
      events.push(`birth ${tid} of ${parentTid} in ${tgid} ${kind}${image === undefined ? '' : ` ${image.path}`}`)
    },
    onExec: (tid, formerTid, image) =>
      void events.push(`exec ${tid}${formerTid === tid ? '' : ` was ${formerTid}`} ${image.path}`),
    onCall: (tid, abi, nr, isRestart) => {
      events.push(`${tid} ${mapping.symbolOf(abi, nr)}${isRestart ? ' again' : ''}`)
      onCall()
    },
    onSignal: (tid, signal) => void events.push(`signal ${tid} ${signal}`),
    onExit: (tid, code, signal) => void events.push(`exit ${tid} ${code}${signal === 0 ? '' : ` by ${signal}`}`),
    onGap: (tid, count) => void events.push(`gap ${tid}${count === 0 ? '' : ` of ${count}`}`),
    onNote: ({ code, inconclusive }) => void events.push(`note ${code}${inconclusive ? ' inconclusive' : ''}`),
    onRefused: (tid) => void events.push(`refused ${tid}`),
  }
}
