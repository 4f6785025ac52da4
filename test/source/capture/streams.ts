// Streams for the tests of captures: as fast-check writes them, and as lists of what was told and when.

import fc from 'fast-check'
import type { BirthKind, Image, StreamHandler, StreamNote } from '../../../src/model/stream.ts'
import { CaptureReader } from '../../../src/source/capture/reader.ts'
import type { CaptureSession } from '../../../src/source/capture/values.ts'
import { CaptureWriter } from '../../../src/source/capture/writer.ts'

/** What a handler was told: the name of the method and its arguments. */
export type Told = readonly [keyof StreamHandler, ...unknown[]]

export const SESSION: CaptureSession = {
  session: '01J00000000000000000000000',
  name: 'a',
  engine: 'notify',
  host: 'h',
  machineId: 'm',
  bootId: 'b',
  kernel: '6.18',
  uid: 0,
  argv: ['/bin/a', 'ä \ud800 \n', ''],
  startedAt: '2026-01-01T00:00:00.000Z',
  rootPpid: 7,
  rootAncestors: ['sh', 'sshd'],
}
export const ENDED_AT = '2026-01-01T00:00:09.000Z'

/** A handler that keeps what it is told; `at` is asked for each. */
export function keeper(told: [at: string, ...told: Told][], at: () => string): StreamHandler {
  const keep =
    (name: keyof StreamHandler) =>
    (...told_: unknown[]): void => {
      told.push([at(), name, ...told_])
    }
  return {
    onBirth: keep('onBirth'),
    onExec: keep('onExec'),
    onCall: keep('onCall'),
    onRefused: keep('onRefused'),
    onDecided: keep('onDecided'),
    onSignal: keep('onSignal'),
    onExit: keep('onExit'),
    onGap: keep('onGap'),
    onNote: keep('onNote'),
  }
}

export function tell(handler: StreamHandler, [name, ...rest]: Told): void {
  ;(handler[name] as (...rest: unknown[]) => void)(...rest)
}

export interface Moment {
  readonly told: Told
  /** Milliseconds since the one before. */
  readonly afterMs: number
}

/** Writes them to a file, with clock and blocks of its own. */
export function writeCapture(file: string, moments: readonly Moment[], blockBytes = 64, isEnded = true): string[] {
  let now = Date.parse(SESSION.startedAt)
  const writer = new CaptureWriter({ file, mappingName: 'linux-x86_64', blockBytes, now: () => now })
  const handler = writer.begin(SESSION)
  const times: string[] = []
  for (const { told, afterMs } of moments) {
    now += afterMs
    tell(handler, told)
    times.push(writer.at())
  }
  if (isEnded) writer.end({ endedAt: ENDED_AT })
  else writer.abandon()
  return times
}

export interface Replayed {
  readonly told: [at: string, ...told: Told][]
  readonly reader: CaptureReader
  /** What was thrown. */
  readonly error: unknown
}

/** Reads bytes in pieces of these lengths, over and over; each piece is overwritten after it was given. */
export function replay(bytes: Uint8Array, pieces: readonly number[] = [bytes.length]): Replayed {
  const told: [at: string, ...told: Told][] = []
  const reader: CaptureReader = new CaptureReader(
    keeper(told, (): string => reader.at()),
    'x.cap',
  )
  let error: unknown = null
  try {
    for (let at = 0, i = 0; at < bytes.length; i += 1) {
      const piece = Uint8Array.from(bytes.subarray(at, at + Math.max(1, pieces[i % pieces.length] ?? 1)))
      at += piece.length
      reader.write(piece)
      piece.fill(0xee)
    }
    reader.end()
  } catch (thrown) {
    error = thrown
  }
  return { told, reader, error }
}

const someTid = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 100, max: 120 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 4_194_304, 0x7fff_ffff, 0xffff_ffff) },
)
const someNumber = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 600 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1023, 1024, 5000, 0x7fff_ffff, -0x8000_0000) },
)
const someAbi = fc.constantFrom(1, 1, 1, 2, 3, 0, 255)
const someText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '/bin/ä\n', '\u0000', '__proto__'))
const someHex = fc.constantFrom('00'.repeat(32), 'af'.repeat(32))
const someImage: fc.Arbitrary<Image> = fc.record(
  {
    path: someText,
    sha256: fc.option(someHex),
    buildId: fc.option(fc.constantFrom('00', 'ab12')),
    script: fc.option(fc.record({ path: someText, sha256: fc.option(someHex) }, { noNullPrototype: true })),
    argv0: fc.option(someText),
  },
  { noNullPrototype: true },
)
const someNote: fc.Arbitrary<StreamNote> = fc.record(
  {
    code: someText,
    message: someText,
    inconclusive: fc.boolean(),
  },
  { noNullPrototype: true },
)
const someKind = fc.constantFrom<BirthKind>('exec', 'thread', 'fork', 'join')
const someSignal = fc.integer({ min: 0, max: 64 })

const someTold: fc.Arbitrary<Told> = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(fc.constant('onCall' as const), someTid, someAbi, someNumber, fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('onBirth' as const), someTid, someTid, someTid, someKind) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant('onBirth' as const),
      someTid,
      someTid,
      someTid,
      fc.constant('join' as const),
      someImage,
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('onExec' as const), someTid, someTid, someImage) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('onRefused' as const), someTid) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('onDecided' as const), someTid, fc.constantFrom('allow', 'deny', 'kill')),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('onSignal' as const), someTid, someSignal) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('onExit' as const), someTid, fc.integer(), someSignal) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('onGap' as const), someTid, fc.maxSafeNat()) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('onNote' as const), someNote) },
)

/** The clock may stand still, go on and be set back. */
const someDelay = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: -10_000_000, max: 100_000_000_000 }) },
)

export const someStream: fc.Arbitrary<Moment[]> = fc.array(
  fc.record({ told: someTold, afterMs: someDelay }, { noNullPrototype: true }),
  { maxLength: 120 },
)
