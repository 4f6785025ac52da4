// A capture gives back what was told, whole or up to where it was cut, and nothing that was not told.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { FormatError } from '../../../src/errors.ts'
import { BLOCK_HEAD_BYTES, MAX_IMAGES, MAX_SYMBOLS, RECENT_TRACK_COUNT } from '../../../src/source/capture/layout.ts'
import { CAPTURE_FORMAT } from '../../../src/source/capture/reader.ts'
import { ENDED_AT, type Moment, replay, SESSION, someStream, type Told, writeCapture } from './streams.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-capture-'))
const file = join(folder, 'x.cap')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const call = (nr: number, tid = 100): Moment => ({ told: ['onCall', tid, 1, nr, false], afterMs: 0 })

/** Writes, reads the file and says what must come back of it. */
function write(moments: readonly Moment[], blockBytes?: number): { bytes: Buffer; expected: [string, ...Told][] } {
  const times = writeCapture(file, moments, blockBytes)
  return { bytes: readFileSync(file), expected: moments.map(({ told }, i) => [times[i] as string, ...told]) }
}

/** Where the blocks of a capture begin, and where it ends. */
function blockOffsets(bytes: Buffer): number[] {
  const offsets = [bytes.indexOf('\n') + 1]
  for (let at = offsets[0] as number; at < bytes.length; offsets.push(at)) {
    at += BLOCK_HEAD_BYTES + bytes.readUInt32LE(at + 4)
  }
  return offsets
}

const somePieces = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 })

describe('a whole capture', () => {
  test('gives back every stream call by call, at the same times, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(someStream, fc.integer({ min: 1, max: 400 }), somePieces, (moments, blockBytes, pieces) => {
        const { bytes, expected } = write(moments, blockBytes)
        const { told, reader, error } = replay(bytes, pieces)
        expect(error).toBeNull()
        expect(told).toStrictEqual(expected)
        expect(reader.session).toStrictEqual({ ...SESSION, endedAt: ENDED_AT })
        expect(reader.counts).toMatchObject({ lineCount: moments.length, unparsedLineCount: 0 })
      }),
    )
  })

  test('goes on when its dictionaries are full', () => {
    const symbols = Array.from({ length: MAX_SYMBOLS + 9 }, (_, nr) => call(nr))
    const image = { path: '', sha256: null, buildId: null, script: null, argv0: null }
    const images = Array.from({ length: MAX_IMAGES + 9 }, (_, i): Moment => {
      return { told: ['onExec', 100, 100, { ...image, path: `/bin/${i}` }], afterMs: 0 }
    })
    const moments = [...symbols, ...images, ...symbols.slice(-20), ...images.slice(-20), ...symbols.slice(0, 300)]
    const { bytes, expected } = write(moments, 32_768)
    expect(replay(bytes).told).toStrictEqual(expected)
  })

  test('goes on when there are more tracks than it remembers', () => {
    const tids = Array.from({ length: RECENT_TRACK_COUNT + 5 }, (_, i) => 1000 + 17 * i)
    const moments = [...tids, ...tids, ...tids.toReversed()].map((tid) => call(1, tid))
    const { bytes, expected } = write(moments)
    expect(replay(bytes).told).toStrictEqual(expected)
  })

  test('costs a byte a call, and two where tracks take turns', () => {
    const size = (moments: Moment[]): number => write(moments, 32_768).bytes.length
    const one = Array.from({ length: 10_000 }, (_, i) => call(i % 40))
    const two = Array.from({ length: 10_000 }, (_, i) => call(i % 40, 100 + (i % 3)))
    const empty = size([])
    expect(size(one) - empty).toBeLessThan(10_300)
    expect(size(two) - empty).toBeLessThan(20_300)
  })
})

describe('a capture that was cut off', () => {
  const moments = [call(1), call(2), { told: ['onExit', 100, 0, 0], afterMs: 5 } as Moment, call(3), call(4)]
  const { bytes, expected } = write(moments, 1)
  const offsets = blockOffsets(bytes)

  test('at any byte tells its whole blocks, and that it was cut', () => {
    for (let length = 1; length < bytes.length; length += 1) {
      const { told, error, reader } = replay(bytes.subarray(0, length))
      expect(error).toBeNull()
      expect(told.splice(-2)).toMatchObject([
        [expect.any(String), 'onGap', 0, 0],
        [expect.any(String), 'onNote', { code: 'capture_cut', inconclusive: true }],
      ])
      // A block of this capture holds one record; before them are the line and the header.
      const wholeCount = offsets.filter((offset) => offset <= length).length - 2
      expect(told).toEqual(expected.slice(0, Math.max(0, wholeCount)))
      expect(reader.session?.endedAt ?? null).toBeNull()
    }
  })

  test('by a power cut, with zeros in its last block or after it, is only cut off', () => {
    const half = bytes.subarray(0, (offsets.at(-3) as number) + 3)
    const zeros = Buffer.concat([half, Buffer.alloc(4096)])
    const spoiled = Buffer.from(bytes.subarray(0, offsets.at(-2)))
    spoiled[spoiled.length - 1] = 0xff
    for (const torn of [zeros, Buffer.concat([bytes.subarray(0, offsets.at(-2)), Buffer.alloc(99)]), spoiled]) {
      expect(replay(torn).error).toBeNull()
      expect(replay(torn).told.at(-1)?.[2]).toMatchObject({ code: 'capture_cut' })
    }
  })
})

describe('an altered capture', () => {
  test('is refused, or is cut off where the last block was altered; what is told before is true', () => {
    fc.assert(
      fc.property(
        someStream,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        somePieces,
        (moments, where, mask, pieces) => {
          const { bytes, expected } = write(moments)
          const at = where % bytes.length
          bytes[at] = (bytes[at] as number) ^ mask
          const { told, error, reader } = replay(bytes, pieces)
          if (error !== null) expect(error).toBeInstanceOf(FormatError)
          const code = error === null ? 'capture_cut' : 'capture_damaged'
          expect(told.splice(-2)).toMatchObject([
            [expect.any(String), 'onGap', 0, 0],
            [expect.any(String), 'onNote', { code, inconclusive: true }],
          ])
          expect(told).toStrictEqual(expected.slice(0, told.length))
          expect(reader.session?.endedAt ?? null).toBeNull()
        },
      ),
    )
  })

  const { bytes } = write(Array.from({ length: 60 }, (_, i) => call(i)))
  const offsets = blockOffsets(bytes)
  const block = (i: number): Buffer => bytes.subarray(offsets[i] as number, offsets[i + 1] as number)
  const line = bytes.subarray(0, offsets[0])
  const rest = bytes.subarray(offsets[3] as number)

  test.each([
    ['without one of its blocks', Buffer.concat([line, block(0), block(2), rest]), offsets[1]],
    ['with a block twice', Buffer.concat([line, block(0), block(1), block(1), block(2), rest]), offsets[2]],
    ['with two blocks exchanged', Buffer.concat([line, block(0), block(2), block(1), rest]), offsets[1]],
    ['with another first line', Buffer.concat([Buffer.from('tracefp-capture 1 linux-i386\n'), block(0), rest]), 29],
  ])('%s is refused, with the byte', (_what, altered, at) => {
    expect(replay(altered).error).toMatchObject({
      code: 'TFP_ERR_SOURCE_CAPTURE',
      file: 'x.cap',
      message: `x.cap: byte ${at}: the block is damaged: its checksum is another one`,
    })
  })

  test('with more after its end is refused', () => {
    const [error, twice] = [replay(Buffer.concat([bytes, block(1)])).error, replay(Buffer.concat([bytes, bytes])).error]
    expect(error).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
    expect(twice).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
  })
})

describe('recognising', () => {
  const { bytes } = write([call(1)])

  test('a capture is known by its first bytes, with its mapping', () => {
    expect(CAPTURE_FORMAT.recognise(bytes).sureness).toBe(1)
    expect(CAPTURE_FORMAT.mappingName?.(bytes)).toBe('linux-x86_64')
    expect(CAPTURE_FORMAT.order(bytes)).toBe('entry')
  })

  test.each(['', 'trace', '42 read(0, "", 1) = 0\n', 'tracefp-fingerprint 1\n', 'x tracefp-capture 1 linux-x86_64\n'])(
    '%j is none, and is refused as one',
    (text) => {
      const other = Buffer.from(text)
      expect(CAPTURE_FORMAT.recognise(other).sureness).toBe(0)
      if ('tracefp-capture'.startsWith(text)) return
      expect(replay(other).error).toMatchObject({ code: 'TFP_ERR_SOURCE_CAPTURE' })
    },
  )

  test('a capture of a newer version is refused as that', () => {
    writeFileSync(file, 'tracefp-capture 2 linux-x86_64\nwhatever it is')
    expect(replay(readFileSync(file)).error).toMatchObject({
      code: 'TFP_ERR_SOURCE_VERSION',
      message: 'x.cap: a capture of version 2, this tracefp reads version 1: update tracefp',
    })
  })
})
