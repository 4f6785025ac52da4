// What of a session is in the file, and when.
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FloodCounts } from '../../../src/model/stream.ts'
import { CaptureWriter } from '../../../src/source/capture/writer.ts'
import { tee } from '../../../src/source/tee.ts'
import { ENDED_AT, keeper, replay, SESSION, type Told, tell } from './streams.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-writer-'))
const file = join(folder, 'x.cap')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function open(path = file): CaptureWriter {
  return new CaptureWriter({ file: path, mappingName: 'linux-x86_64' })
}

/** Calls that the file holds now. */
function callCount(): number {
  return replay(readFileSync(file)).told.filter(([, name]) => name === 'onCall').length
}

describe('blocks', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('a call is in the file a second after it was told', () => {
    const writer = open()
    const handler = writer.begin(SESSION)
    handler.onCall(1, 1, 0, false)
    vi.advanceTimersByTime(700)
    handler.onCall(1, 1, 1, false)
    expect(callCount()).toBe(0)
    vi.advanceTimersByTime(300)
    expect(callCount()).toBe(2)
    handler.onCall(1, 1, 1, false)
    vi.advanceTimersByTime(999)
    expect(callCount()).toBe(2)
    vi.advanceTimersByTime(1)
    expect(callCount()).toBe(3)
    writer.end({ endedAt: ENDED_AT })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a full block is in the file at once, and so is what is flushed', () => {
    const writer = open()
    const handler = writer.begin(SESSION)
    for (let i = 0; i < 33_000; i += 1) handler.onCall(1, 1, i % 40, false)
    expect(callCount()).toBeGreaterThan(32_000)
    writer.flush()
    expect(callCount()).toBe(33_000)
    const { length } = readFileSync(file)
    writer.flush()
    expect(readFileSync(file).length).toBe(length)
    writer.abandon()
    expect(writer).toMatchObject({ recordCount: 33_000, byteCount: length, failure: null })
  })
})

describe('files', () => {
  test('one that is there is begun anew', () => {
    writeFileSync(file, Buffer.alloc(100_000, 'x'))
    const writer = open()
    writer.begin(SESSION)
    writer.end({ endedAt: ENDED_AT })
    expect(replay(readFileSync(file))).toMatchObject({ told: [], error: null })
  })

  test('a capture is one from its first moment on, even before its session begins', () => {
    const writer = open()
    const { told, error, reader } = replay(readFileSync(file))
    expect([error, told.length, reader.session]).toEqual([null, 2, null])
    writer.abandon()
  })

  test('of a session that never began nothing is left', () => {
    open().abandon()
    expect(existsSync(file)).toBe(false)
    const writer = open()
    rmSync(file)
    writeFileSync(file, 'of somebody else')
    writer.abandon()
    expect(readFileSync(file, 'latin1')).toBe('of somebody else')
  })

  test('one that cannot be opened is refused before anything runs', () => {
    for (const path of [folder, join(folder, 'none', 'x.cap'), '']) {
      expect(() => open(path)).toThrow(expect.objectContaining({ code: 'TFP_ERR_FILE' }))
    }
  })

  test('a full disk is told before anything runs', () => {
    expect(() => open('/dev/full')).toThrow(expect.objectContaining({ message: expect.stringContaining('ENOSPC') }))
  })

  test('one that can no longer be written to ends the capture, and not the session', () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = new CaptureWriter({ file: pipe, mappingName: 'linux-x86_64', blockBytes: 100 })
    const handler = writer.begin(SESSION)
    handler.onCall(1, 1, 0, false)
    writer.flush()
    expect(writer.failure).toBeNull()
    closeSync(reader)
    const { byteCount } = writer
    for (let i = 0; i < 1000; i += 1) handler.onCall(1, 1, i % 40, false)
    writer.end({ endedAt: ENDED_AT })
    expect(writer.failure).toMatchObject({ code: 'TFP_ERR_FILE', message: expect.stringContaining(`${pipe}: EPIPE`) })
    expect(writer).toMatchObject({ byteCount, recordCount: 1001 })
  })

  test('a whole capture may go through a pipe', () => {
    const pipe = join(folder, 'through')
    execFileSync('mkfifo', [pipe])
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = open(pipe)
    writer.begin(SESSION).onCall(1, 1, 0, false)
    writer.end({ endedAt: ENDED_AT })
    const bytes = Buffer.alloc(10_000)
    const { told, error } = replay(bytes.subarray(0, readSync(reader, bytes)))
    closeSync(reader)
    expect(writer.failure).toBeNull()
    expect([told.length, error]).toEqual([1, null])
  })
})

const IMAGE = { path: '/bin/a', sha256: null, buildId: null, script: null, argv0: null }

test('a tee tells both handlers everything, the first one first', () => {
  const told: [string, ...Told][] = []
  const both = tee(
    keeper(told, () => 'first'),
    keeper(told, () => 'second'),
  )
  const steps: Told[] = [
    ['onBirth', 1, 0, 1, 'join', IMAGE, { ppid: 7, ancestors: ['init'] }],
    ['onExec', 1, 1, IMAGE],
    ['onCall', 1, 1, 0, true],
    ['onDecided', 1, 'deny'],
    ['onRefused', 1],
    ['onSignal', 1, 14],
    ['onGap', 1, 3],
    ['onNote', { code: 'a', message: 'b', inconclusive: true }],
    ['onExit', 1, 0, 9],
  ]
  for (const step of steps) tell(both, step)
  expect(told).toEqual(
    steps.flatMap((step) => [
      ['first', ...step],
      ['second', ...step],
    ]),
  )
  expect(new Set([...steps.map(([name]) => name), 'onCalls', 'onSkipped', 'onFlood', 'onRepeat', 'onContext'])).toEqual(
    new Set(Object.keys(both)),
  )
})

test('calls that were judged elsewhere are a gap for the one who writes down, and calls for the one who judges', () => {
  const told: [string, ...Told][] = []
  const skipped: number[][] = []
  const floods: [number, FloodCounts][] = []
  const second = {
    ...keeper(told, () => 'second'),
    onSkipped: (...counts: [number, number, number]) => void skipped.push(counts),
    onFlood: (...counts: [number, FloodCounts]) => void floods.push(counts),
  }
  const both = tee(
    keeper(told, () => 'first'),
    second,
  )
  both.onSkipped?.(1, 7, 2)
  both.onSkipped?.(1, 0, 2)
  const flood = { callCount: 9, missCount: 8, unjudgedCount: 1 }
  both.onFlood?.(1, flood)
  expect(told).toEqual([
    ['first', 'onGap', 1, 7],
    ['first', 'onGap', 1, 9],
  ])
  expect(floods).toEqual([[1, flood]])
  expect(skipped).toEqual([
    [1, 7, 2],
    [1, 0, 2],
  ])
})
