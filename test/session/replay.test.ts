// Evidence of a long session: windows around its misses, packed, read back and judged again.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { newUlid } from '../../src/model/ulid.ts'
import { asText, judge, replayBundle } from '../../src/session/replay.ts'
import type { CaptureSession } from '../../src/source/capture/values.ts'
import { CaptureWindow } from '../../src/source/capture/window.ts'
import { type Bundle, readBundle, writeBundle } from '../../src/store/evidence.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { image, ledgerOf, mapping, runOf } from '../model/making.ts'
import { newFolder } from '../store/folder.ts'
import { missOf, resultOf } from '../store/reports.ts'

const SERVER = image('/usr/bin/server', 'a'.repeat(64))
const FINGERPRINT = encodeFingerprint(
  ledgerOf(runOf('01ARZ3NDEKTSV4RRFFQ69G5FAV', ['<exec> read write read'], { image: SERVER })).fingerprint(mapping),
)
const NUMBERS = { read: 0, write: 1, mkdir: 83 }

/** Reads and writes for long, and makes a folder twice. */
async function bundleOf(folder: string): Promise<Bundle> {
  const session = newUlid()
  const window = new CaptureWindow({ folder, mappingName: linuxMapping().name, segmentBytes: 20_000 }, session)
  const facts = {
    ...{ session, name: 'server', engine: 'notify', host: 'box', machineId: '', bootId: '', kernel: '6.1', uid: 0 },
    ...{ rootPpid: 1, argv: ['server'], rootAncestors: [], startedAt: '2026-11-23T10:00:00.000Z' },
  } as CaptureSession
  const stream = window.begin(facts)
  stream.onBirth(10, 0, 10, 'exec')
  stream.onExec(10, 10, SERVER)
  for (let i = 0; i < 400_000; i += 1) {
    stream.onCall(10, 1, i % 2 === 0 ? NUMBERS.read : NUMBERS.write, false)
    if (i !== 150_001 && i !== 350_001) continue
    stream.onCall(10, 1, NUMBERS.mkdir, false)
    window.flush()
  }
  stream.onExit(10, 0, 0)
  window.end({ endedAt: '2026-11-23T10:00:10.000Z' })
  const kept = window.take()
  if (kept === null) throw new Error('nothing was kept')
  const { report } = resultOf([missOf(), missOf()], { session, depth: 2 })
  const captures: Bundle['captures'][number][] = []
  for (const file of kept.files) {
    const bytes = readFileSync(file)
    const judged = await judge(bytes, [FINGERPRINT], report)
    captures.push({ bytes: bytes.toString('base64'), report: asText((judged as NonNullable<typeof judged>).report) })
  }
  const { isWhole, processes } = kept
  const versions = { evidence: 1, tracefp: report.tracefp, node: process.version, kernel: '6.1', madeAt: '' } as const
  return { ...versions, previous: '', report, alerts: [], processes, isWhole, captures, fingerprints: [FINGERPRINT] }
}

test('windows of a long session say the same again, each miss in its own', async () => {
  const folder = newFolder()
  mkdirSync(folder)
  const { file } = writeBundle(folder, await bundleOf(folder))
  const bundle = readBundle(join(folder, file))
  expect(bundle.isWhole).toBe(false)
  const { isSame, captures } = await replayBundle(bundle)
  expect(isSame).toBe(true)
  const misses = captures.flatMap(({ report }) => report?.misses ?? [])
  expect(misses.filter(({ to }) => to === 'mkdir').map(({ from }) => from)).toEqual(['write', 'write'])
  // One window of the whole would not be one.
  expect(captures.length).toBeGreaterThan(2)
})

test('a window that was altered is not the same', async () => {
  const folder = newFolder()
  mkdirSync(folder)
  const bundle = await bundleOf(folder)
  const [first, ...others] = bundle.captures
  const other = { ...(first as Bundle['captures'][number]), bytes: others[0]?.bytes ?? '' }
  expect((await replayBundle({ ...bundle, captures: [other, ...others] })).isSame).toBe(false)
  const forged = others.map((one) => ({ ...one, report: one.report.replace('abnormal', 'authentic') }))
  expect((await replayBundle({ ...bundle, captures: [first as Bundle['captures'][number], ...forged] })).isSame).toBe(
    false,
  )
})
