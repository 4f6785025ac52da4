// Bytes that no writer wrote, under right checksums: they are refused with the byte, or tell what a stream can be.
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../src/errors.ts'
import { ByteWriter } from '../../../src/source/capture/bytes.ts'
import { BLOCK_KIND, MAX_BLOCK_BYTES, MAX_LINE_BYTES, OP } from '../../../src/source/capture/layout.ts'
import { ENDED_AT, type Replayed, replay, SESSION } from './streams.ts'

const LINE = Buffer.from('tracefp-capture 1 linux-x86_64\n')

type Block = readonly [kind: number, payload: Uint8Array]

/** A capture with right checksums. */
function sealed(blocks: readonly Block[]): Buffer {
  const parts: Buffer[] = [LINE]
  let crc = crc32(LINE)
  for (const [kind, payload] of blocks) {
    const block = Buffer.alloc(9 + payload.length)
    block.writeUInt32LE(payload.length, 4)
    block[8] = kind
    block.set(payload, 9)
    crc = crc32(block.subarray(4), crc)
    block.writeUInt32LE(crc, 0)
    parts.push(block)
  }
  return Buffer.concat(parts)
}

function json(value: unknown): Uint8Array {
  const bytes = new ByteWriter()
  bytes.json(value)
  return bytes.view
}

const HEADER: Block = [BLOCK_KIND.header, json(SESSION)]
const TRAILER: Block = [BLOCK_KIND.trailer, json({ endedAt: ENDED_AT })]

function replayRecords(...records: readonly number[]): Replayed {
  return replay(sealed([HEADER, [BLOCK_KIND.records, Uint8Array.from(records)], TRAILER]))
}

/** 2^52 milliseconds back. */
const LONG_AGO = [OP.time, ...Array<number>(7).fill(0xff), 0x0f]
const NEW_READ = [OP.newCall, 1, 0]

describe('records', () => {
  const somePayload = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc
      .array(fc.oneof(fc.integer({ min: 0, max: 0x24 }), fc.constant(0x80), fc.nat(255)), {
        minLength: 1,
        maxLength: 300,
      })
      .map((bytes) => Uint8Array.from(bytes)),
  )

  test('of any bytes tell at most one record a byte, or are refused at a byte of theirs', () => {
    let refusedCount = 0
    fc.assert(
      fc.property(fc.array(somePayload, { maxLength: 4 }), (payloads) => {
        const bytes = sealed([HEADER, ...payloads.map((payload): Block => [BLOCK_KIND.records, payload]), TRAILER])
        const { told, error } = replay(bytes)
        expect(told.length).toBeLessThan(bytes.length)
        for (const [at, , tid] of told) {
          expect(new Date(at).toISOString()).toBe(at)
          if (typeof tid === 'number') expect(Number.isSafeInteger(tid)).toBe(true)
        }
        if (error === null) return
        refusedCount += 1
        expect(error).toBeInstanceOf(FormatError)
        const offset = Number(/^x\.cap: byte (\d+): /.exec((error as Error).message)?.[1])
        expect(offset).toBeGreaterThan(LINE.length)
        expect(offset).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 2000 },
    )
    expect(refusedCount).toBeGreaterThan(100)
  })

  test.each<[string, readonly number[]]>([
    ['an op of no known kind', [0x0d]],
    ['a decision of no known kind', [OP.decided, 3]],
    ['a symbol that is not in the dictionary', [OP.call]],
    ['a symbol past the dictionary', [...NEW_READ, OP.farCall, 1]],
    ['a track that was never left', [OP.recentTrack]],
    ['a track below 0', [OP.track, 1]],
    ['a track of 33 bits', [OP.track, 0x80, 0x80, 0x80, 0x80, 0x20]],
    ['a birth in a process of 33 bits', [OP.birth, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x20]],
    ['a restart of an exit', [OP.restart, OP.exit, 0, 0]],
    ['a restart at the end of a block', [OP.restart]],
    ['a birth of no known kind', [OP.birth, 8, 0, 0, 0]],
    ['a birth of an image past the dictionary', [OP.birth, 7, 0, 0, 0, 1, ...json(null)]],
    ['an exec of an image past the dictionary', [OP.exec, 0, 1, ...json(null)]],
    ['an exec of what is no image', [OP.exec, 0, 0, ...json({ path: '/bin/a' })]],
    ['a signal that cannot be', [OP.signal, 0x80, 0x02]],
    ['a call with a number of 33 bits', [OP.newCall, 1, 0x80, 0x80, 0x80, 0x80, 0x20]],
    ['a number without end', [OP.gap, ...Array<number>(20).fill(0xff)]],
    ['a number over 2^53', [OP.gap, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a time that no date holds', [...LONG_AGO, ...LONG_AGO]],
    ['a note that is neither', [OP.note, 2, ...json(['a', 'b'])]],
    ['a note of three words', [OP.note, 1, ...json(['a', 'b', 'c'])]],
    ['a text longer than its block', [OP.note, 1, 0x7f, 0x5b]],
    ['a text of a length over 2^32', [OP.note, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a text that is no JSON', [OP.note, 1, 1, 0x5b]],
  ])('%s is refused', (_what, records) => {
    expect(replayRecords(...NEW_READ).error).toBeNull()
    expect(replayRecords(...records).error).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
  })
})

describe('an image, of which a fingerprint is made', () => {
  const image = { path: '/bin/a', sha256: 'ab'.repeat(32), buildId: 'ab', script: null, argv0: null }
  const exec = (value: unknown): Replayed => replayRecords(OP.exec, 0, 0, ...json(value))

  test.each<[string, unknown]>([
    ['a hash in capitals', { ...image, sha256: 'AB'.repeat(32) }],
    ['a hash with a line break', { ...image, sha256: `${'ab'.repeat(32)}\n` }],
    ['a build-id of half a byte', { ...image, buildId: 'a' }],
    ['a build-id of 65 bytes', { ...image, buildId: 'ab'.repeat(65) }],
    ['a path that is a list', { ...image, path: ['/bin/a'] }],
    ['a script without a hash field', { ...image, script: { path: '/x' } }],
    ['a field too many', { ...image, more: 1 }],
    ['a field under its prototype', { path: '/bin/a', sha256: null, buildId: null, script: null, ['__proto__']: {} }],
  ])('with %s is refused', (_what, value) => {
    expect(exec(image).error).toBeNull()
    expect(exec(value).error).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
  })
})

describe('blocks', () => {
  test.each<[string, readonly Block[]]>([
    ['records before the header', [[BLOCK_KIND.records, Uint8Array.from(NEW_READ)], HEADER, TRAILER]],
    ['a second header', [HEADER, HEADER, TRAILER]],
    ['a trailer first', [TRAILER]],
    ['records after the trailer', [HEADER, TRAILER, [BLOCK_KIND.records, Uint8Array.from(NEW_READ)]]],
    ['a block of no known kind', [HEADER, [9, Uint8Array.from(NEW_READ)], TRAILER]],
    ['a header that is a list', [[BLOCK_KIND.header, json([])], TRAILER]],
    ['a header with two values', [[BLOCK_KIND.header, Buffer.concat([json(SESSION), json(1)])], TRAILER]],
    ['a trailer without a time', [HEADER, [BLOCK_KIND.trailer, json({ endedAt: 'soon' })]]],
    ...(
      [
        { session: '' },
        { session: 'I1J00000000000000000000000' },
        { startedAt: '2026-01-01' },
        { startedAt: '+275760-09-13T00:00:00.001Z' },
        { uid: -1 },
        { uid: 1.5 },
        { argv: 'ls' },
        { argv: [1] },
        { rootAncestors: null },
        { kernel: 6 },
      ] as const
    ).map((wrong): [string, Block[]] => [
      `a header with ${JSON.stringify(wrong)}`,
      [[BLOCK_KIND.header, json({ ...SESSION, ...wrong })], TRAILER],
    ]),
  ])('%s: refused', (_what, blocks) => {
    expect(replay(sealed([HEADER, TRAILER])).error).toBeNull()
    expect(replay(sealed(blocks)).error).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
  })

  test('one that says it is longer than any may be is refused before its bytes are kept', () => {
    const head = Buffer.alloc(9)
    head.writeUInt32LE(MAX_BLOCK_BYTES + 1, 4)
    expect(replay(Buffer.concat([sealed([HEADER]), head])).error).toMatchObject({
      message: expect.stringMatching(/a block of 16777217 bytes$/),
    })
  })

  test('a first line without an end is refused before more of it is kept', () => {
    const line = Buffer.alloc(10_000, 'x')
    line.write('tracefp-capture 1 ')
    for (const piece of [1, 100, 10_000]) {
      expect(replay(line, [piece]).error).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
    }
    expect(replay(line.subarray(0, MAX_LINE_BYTES)).error).toBeNull()
    expect(replay(line.subarray(0, MAX_LINE_BYTES + 1)).error).not.toBeNull()
  })

  test.each([
    'tracefp-capture \n',
    'tracefp-capture 1\n',
    'tracefp-capture 01 a\n',
    'tracefp-capture 1 a b\n',
    'tracefp-capture x\n',
  ])('the first line %j is refused', (line) => {
    expect(replay(Buffer.from(line)).error).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
  })
})
