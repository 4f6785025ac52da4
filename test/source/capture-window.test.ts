// Windows around misses: which segments are kept, and that each can be checked by itself.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { StreamHandler } from '../../src/model/stream.ts'
import { newUlid } from '../../src/model/ulid.ts'
import type { CaptureSession } from '../../src/source/capture/values.ts'
import { CaptureWindow, type KeptCaptures } from '../../src/source/capture/window.ts'
import { newFolder } from '../store/folder.ts'
import { replay } from './capture/streams.ts'

const IMAGE = { path: '/usr/bin/server', sha256: null, buildId: null, script: null, argv0: null }

function sessionOf(session: string): CaptureSession {
  return {
    session,
    name: 'server',
    engine: 'notify',
    host: 'box',
    machineId: '',
    bootId: '',
    kernel: '6.1',
    uid: 0,
    rootPpid: 1,
    argv: ['server'],
    rootAncestors: [],
    startedAt: '2026-11-23T10:00:00.000Z',
  } as CaptureSession
}

interface Captured {
  readonly kept: KeptCaptures | null
  readonly folder: string
}

function capture(misses: readonly number[]): Captured {
  return captureOf(400_000, misses)
}

/** Runs so many calls of one process through it; a miss after each of these. */
function captureOf(count: number, misses: readonly number[]): Captured {
  const folder = newFolder()
  mkdirSync(folder)
  const session = newUlid()
  const window = new CaptureWindow({ folder, mappingName: 'linux-x86_64', segmentBytes: 40_000 }, session)
  const stream: StreamHandler = window.begin(sessionOf(session))
  stream.onBirth(10, 0, 10, 'exec')
  stream.onExec(10, 10, IMAGE)
  for (let i = 0; i < count; i += 1) {
    stream.onCall(10, 1, i % 2, false)
    if (misses.includes(i)) window.flush()
  }
  stream.onExit(10, 0, 0)
  window.end({ endedAt: '2026-11-23T10:00:10.000Z' })
  const kept = window.take()
  window.abandon()
  return { kept, folder }
}

test('without a miss nothing is kept', () => {
  const { kept, folder } = capture([])
  expect(kept).toBeNull()
  expect(readdirSync(folder)).toEqual([])
})

test('a miss that comes late finds all that came before it, call by call', () => {
  const { kept } = captureOf(20_000, [19_990])
  const told: string[] = []
  for (const file of (kept as KeptCaptures).files) {
    for (const [, name, , , nr] of replay(readFileSync(file)).told) told.push(name === 'onCall' ? `${nr}` : `${name}`)
  }
  const calls = told.filter((each) => each === '0' || each === '1')
  expect(calls).toEqual(Array.from({ length: 20_000 }, (_, i) => `${i % 2}`))
  expect(told.slice(0, 2)).toEqual(['onBirth', 'onExec'])
  expect(kept).toMatchObject({ isWhole: true })
})

test('of a long session the segment of the miss is kept, and those beside it', () => {
  const { kept, folder } = capture([200_000])
  expect(kept).toMatchObject({
    isWhole: false,
    processes: [{ pid: 10, exit: { code: 0 }, images: [{ path: IMAGE.path }] }],
  })
  const files = (kept as KeptCaptures).files
  // The one before, its own, the one after, and the last, which was being written.
  expect(files.length).toBeGreaterThanOrEqual(3)
  expect(files.length).toBeLessThanOrEqual(4)
  expect(readdirSync(folder)).toHaveLength(files.length)
  for (const file of files) expect(readFileSync(file, 'latin1')).toMatch(/^tracefp-capture /)
})

test('misses without end keep a bounded number of segments', () => {
  const { kept } = capture(Array.from({ length: 400 }, (_, i) => i * 1000))
  expect((kept as KeptCaptures).files.length).toBeLessThanOrEqual(7)
})
