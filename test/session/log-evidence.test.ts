// Evidence of logs: judged again it says the same, with the numbers that the lines had.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { checkLogs, type JudgedBy, type LogResult } from '../../src/check-logs.ts'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { logCaptures } from '../../src/session/log-evidence.ts'
import { replayBundle } from '../../src/session/replay.ts'
import { type Bundle, readBundle, writeBundle } from '../../src/store/evidence.ts'
import { image, ledgerOf, mapping, runOf } from '../model/making.ts'
import { newFolder } from '../store/folder.ts'

let folder: string
let log: string
const FINGERPRINT = ledgerOf(
  runOf('01ARZ3NDEKTSV4RRFFQ69G5FAV', ['<exec> read write read exit_group'], { image: image('/opt/x') }),
)

beforeEach(() => {
  folder = newFolder()
  mkdirSync(folder)
  log = join(folder, 'x.strace')
  writeFileSync(join(folder, 'x.tfp'), encodeFingerprint(FINGERPRINT.fingerprint(mapping)), 'latin1')
})

/** So many rounds of read and write, and a folder made before some of them. */
function write(rounds: number, evil: readonly number[]): void {
  const lines = ['execve("/opt/x", ["x"], 0x0) = 0']
  for (let round = 0; round < rounds; round += 1) {
    if (evil.includes(round)) lines.push('mkdir("/tmp/x", 0777) = 0')
    lines.push('read(0, "a", 1) = 1', 'write(1, "a", 1) = 1')
  }
  writeFileSync(log, lines.map((line) => `100 ${line}\n`).join(''))
}

async function check(): Promise<{ readonly result: LogResult; readonly judged: JudgedBy }> {
  const results: LogResult[] = []
  await checkLogs({
    ...{ logs: [log], format: 'auto', mapping: null, files: [join(folder, 'x.tfp')], home: folder, depth: null },
    ...{ follow: null, wantsEvidence: true, onMiss: () => {} },
    onResult: (result) => results.push(result),
    onFailure: (error) => {
      throw error
    },
  })
  const [result] = results as [LogResult]
  expect(result.outcome).toBe('abnormal')
  return { result, judged: result.judgedBy as JudgedBy }
}

async function packed(wholeBytes?: number): Promise<Bundle> {
  const { result, judged } = await check()
  const captures = await logCaptures(judged, result.report, wholeBytes)
  if (captures === null) throw new Error('there is no evidence')
  const versions = {
    evidence: 1,
    tracefp: result.report.tracefp,
    node: '',
    kernel: '',
    madeAt: '',
    previous: '',
  } as const
  const { fingerprints } = judged
  const bundle = { ...versions, report: result.report, alerts: [], processes: [], ...captures, fingerprints }
  return readBundle(join(folder, writeBundle(folder, bundle).file))
}

test('a short log is kept whole, and says the same again', async () => {
  write(50, [20])
  const bundle = await packed()
  expect(bundle.isWhole).toBe(true)
  const { isSame, captures } = await replayBundle(bundle)
  expect(isSame).toBe(true)
  expect(captures[0]?.report).toEqual(bundle.report)
  const altered = { ...bundle, report: { ...bundle.report, verdict: 'authentic' } } as Bundle
  expect((await replayBundle(altered)).isSame).toBe(false)
})

test('of a long one the lines around its misses are kept, with their numbers', async () => {
  write(5_000, [1_000, 1_050, 4_000])
  const bundle = await packed(1_000)
  expect(bundle.isWhole).toBe(false)
  const { isSame, captures } = await replayBundle(bundle)
  expect(isSame).toBe(true)
  const lines = bundle.report.misses.map(({ at }) => at)
  const again = captures.flatMap(({ report }, index) =>
    (report?.misses ?? []).map(({ at }) => {
      const first = bundle.captures[index]?.log?.firstLine as number
      return `line ${Number(/^line (\d+)/.exec(at)?.[1]) + first - 1}`
    }),
  )
  expect(again).toEqual(lines)
  // Two that are near each other stand in one.
  expect(bundle.captures).toHaveLength(2)
})

test('a log that is another one by now, or gone, is no evidence', async () => {
  write(50, [20])
  const { result, judged } = await check()
  write(50, [21])
  expect(await logCaptures(judged, result.report)).toBeNull()
  expect(await logCaptures({ ...judged, path: join(folder, 'gone') }, result.report)).toBeNull()
})
