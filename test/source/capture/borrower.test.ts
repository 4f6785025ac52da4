// Calls of captures that are played, many at once: what comes of a session is what comes of it when every call is told, with the
// same misses at the same times, whichever form plays them.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadAddon } from '../../../src/addon/addon.ts'
import { Checker } from '../../../src/match/checker.ts'
import { Walker } from '../../../src/match/walker.ts'
import type { Fingerprint } from '../../../src/model/fingerprint.ts'
import type { StreamHandler } from '../../../src/model/stream.ts'
import { ByteReader, ByteWriter } from '../../../src/source/capture/bytes.ts'
import { RecordDecoder } from '../../../src/source/capture/record-decoder.ts'
import { RecordEncoder } from '../../../src/source/capture/record-encoder.ts'
import { Tape } from '../../../src/source/capture/tape.ts'
import { call, image, learn, MAPPING, type Step } from '../../match/stream-script.ts'

const START_MS = Date.parse('2026-01-01T00:00:00Z')
const NAMES = ['read', 'write', 'openat', 'close', 'fstat', 'mmap', 'lseek', 'getpid', 'futex', 'poll'] as const
/** `none` is TypeScript alone, '' the fastest. */
const FORMS = ['none', 'plain', ...(runs('vbmi') ? ['vbmi'] : []), '']

function runs(form: string): boolean {
  const { head, slots, places } = new Tape(0, () => {})
  try {
    return new (loadAddon().TapePlayer)(head, slots, places, form) !== undefined
  } catch {
    return false
  }
}

/** The records of a capture, in blocks; the clock moves once in `perMs` records. */
function encode(steps: readonly Step[], perMs: number): Uint8Array[] {
  const blocks: Uint8Array[] = []
  const bytes = new ByteWriter()
  let count = 0
  const encoder = new RecordEncoder({
    bytes,
    startMs: START_MS,
    now: () => START_MS + Math.floor(count / perMs),
    onRecord: () => {
      count += 1
      if (bytes.length > 3000) flush()
    },
  })
  const flush = (): void => {
    blocks.push(Uint8Array.from(bytes.view))
    bytes.clear()
  }
  for (const step of steps) step(encoder)
  flush()
  return blocks
}

/** Calls that were told in the last check. */
let toldCount = 0

/** All that a check of the capture comes to. `form` null: every call is told. */
function checked(blocks: readonly Uint8Array[], fingerprint: Fingerprint, form: string | null, depth: number): unknown {
  const checker = new Checker({
    fingerprints: [fingerprint],
    mapping: MAPPING,
    depth,
    at: () => String(decoder.timeMs),
    burst: { threshold: 2 },
  })
  const walker = new Walker(checker, { mapping: MAPPING, tracks: 'thread' })
  const handler: StreamHandler = form === null ? withoutLending(walker) : walker
  const decoder = new RecordDecoder(handler, START_MS, form ?? 'none')
  const onCall = walker.onCall.bind(walker)
  toldCount = 0
  walker.onCall = (...told) => {
    toldCount += 1
    onCall(...told)
  }
  for (const block of blocks) decoder.decode(new ByteReader(block, 'test', 0))
  walker.finish()
  const { recordCount, trackCount, restartCount, gapCount } = walker
  const programs = checker.programs.map(({ key, recordCount: own, missCount, known }) => [
    key,
    own,
    missCount,
    known?.used,
  ])
  return {
    ...{ recordCount, trackCount, restartCount, gapCount, told: decoder.recordCount, endedAt: decoder.timeMs },
    ...{ misses: checker.misses, transitions: checker.transitionCount, notes: checker.notes.list, programs },
  }
}

function withoutLending(walker: StreamHandler): StreamHandler {
  const told = (name: keyof StreamHandler) => (walker[name] as (...rest: unknown[]) => void).bind(walker)
  const names = [
    'onBirth',
    'onExec',
    'onCall',
    'onRefused',
    'onDecided',
    'onSignal',
    'onExit',
    'onGap',
    'onNote',
  ] as const
  return Object.fromEntries(names.map((name) => [name, told(name)])) as unknown as StreamHandler
}

function expectSame(steps: readonly Step[], fingerprint: Fingerprint, perMs: number, depth: number): unknown {
  const blocks = encode(steps, perMs)
  const plain = checked(blocks, fingerprint, null, depth)
  for (const form of FORMS) expect(checked(blocks, fingerprint, form, depth), `form ${form}`).toEqual(plain)
  return plain
}

const tid = fc.integer({ min: 1, max: 6 })
const calls = (of: number, names: readonly string[], times: number): Step[] =>
  Array.from({ length: times }, () => names.map((name) => call(of, name))).flat()

/** What a track may do: mostly the same few calls again and again. */
const deed: fc.Arbitrary<Step[]> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(tid, fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 300 }))
      .map(([of, names, times]) => calls(of, names, times)),
  },
  {
    weight: 4,
    arbitrary: fc.array(
      tid.map((of) => call(of, 'read')),
      { maxLength: 60 },
    ),
  },
  fc
    .tuple(tid, tid)
    .map(([of, parent]) => [(to: StreamHandler) => to.onBirth(of + 6, parent, of + 6, 'fork'), call(of + 6, 'write')]),
  tid.map((of) => [(to: StreamHandler) => to.onSignal(of, 14), ...calls(of, ['write', 'rt_sigreturn'], 1)]),
  tid.map((of) => [call(of, 'exit'), (to: StreamHandler) => to.onExit(of, 0, 0)]),
  tid.map((of) => [(to: StreamHandler) => to.onExec(of, of, image('/bin/b'))]),
  fc.integer({ min: 0, max: 6 }).map((of) => [(to: StreamHandler) => to.onGap(of, 3)]),
  tid.map((of) => [call(of, 'close'), (to: StreamHandler) => to.onRefused(of)]),
  tid.map((of) => [call(of, 'clock_gettime'), call(of, '~read')]),
)
const BEGINNING: readonly Step[] = [
  (to) => to.onBirth(1, 0, 1, 'exec'),
  (to) => to.onExec(1, 1, image('/bin/a')),
  ...[2, 3, 4, 5, 6].map(
    (of): Step =>
      (to) =>
        to.onBirth(of, 1, 1, 'thread'),
  ),
]

test('a session is the same whether its calls are told or played, at any depth', () => {
  const stream = fc.array(deed, { minLength: 1, maxLength: 12 }).map((deeds) => [...BEGINNING, ...deeds.flat()])
  const places = fc.record({ perMs: fc.constantFrom(1, 7, 5000), depth: fc.integer({ min: 2, max: 4 }) })
  fc.assert(
    fc.property(stream, stream, places, fc.boolean(), (learned, extra, { perMs, depth }, isKnown) => {
      const fingerprint = learn([learned], { depth: 4 })
      expectSame(isKnown ? [...learned, ...learned] : [...learned, ...extra], fingerprint, perMs, depth)
    }),
    { numRuns: 60 },
  )
})

test('a long run of known calls is played to its end, and the miss behind it is found where it is', () => {
  const known = [...BEGINNING, ...calls(1, ['read', 'write', 'write', 'close'], 3000), call(1, 'poll')]
  const fingerprint = learn([known], { depth: 6 })
  for (const depth of [2, 6]) {
    const result = expectSame([...known, call(1, 'mmap')], fingerprint, 5000, depth) as { misses: { index: number }[] }
    expect(result.misses.map(({ index }) => index)).toEqual([12_001])
    expect(toldCount).toBeLessThan(20)
  }
})

test('more calls than the first memo has places for, and a program of more states than fit into one, change nothing', () => {
  const names = Array.from({ length: 200 }, (_, nr) => MAPPING.symbolOf(1, nr)).filter(
    (name) => name !== 'rt_sigreturn',
  )
  const known = [...BEGINNING, ...calls(1, names, 4), ...calls(2, names.toReversed(), 4)]
  for (const depth of [2, 3, 6]) {
    expectSame([...known, ...calls(1, names, 9), call(2, 'poll')], learn([known], { depth }), 5000, depth)
  }
})

test('more tracks than there are slots are all judged', () => {
  const steps = [...BEGINNING]
  for (let of = 100; of < 9000; of += 1) {
    steps.push((to) => to.onBirth(of, 1, of, 'fork'), ...calls(of, ['read', 'write'], 2))
  }
  for (let of = 100; of < 9000; of += 500)
    steps.push(...calls(of, ['write', 'read', 'poll'], 1), ...calls(1, ['read'], 2))
  const fingerprint = learn([
    [
      ...BEGINNING,
      ...calls(1, ['read', 'read'], 1),
      (to) => to.onBirth(9, 1, 9, 'fork'),
      ...calls(9, ['read', 'write', 'read'], 1),
    ],
  ])
  expectSame(steps, fingerprint, 5000, 2)
})
