// A session that was recorded while it was checked, and what its capture says of it later.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkLogs } from '../../src/check-logs.ts'
import { learnLogs } from '../../src/learn-logs.ts'
import type { Report } from '../../src/match/report.ts'
import { CheckSession, type OnMiss } from '../../src/session/check-session.ts'
import { learnProgram } from '../../src/session/learn-program.ts'
import { recordProgram } from '../../src/session/record-program.ts'
import { MAIN } from '../cli/cli.ts'
import { compileTracee, listTracees } from './tracees.ts'

const folder = mkdtempSync(join(tmpdir(), 'capture-'))
const quiet = { stdio: 'ignore', home: join(folder, 'home'), thread: 'this' } as const
const file = join(folder, 'x.tfc')
afterAll(() => rmSync(folder, { recursive: true }))

/** The report that a capture gives under one fingerprint. */
async function replay(capture: string, fingerprint: string | null, depth: number | null = null): Promise<Report> {
  const reports: Report[] = []
  await checkLogs({
    logs: [capture],
    format: 'auto',
    mapping: null,
    files: fingerprint === null ? [] : [fingerprint],
    home: quiet.home,
    depth,
    follow: null,
    onMiss: () => {},
    onResult: ({ report }) => reports.push(report),
    onFailure: (error) => {
      throw error
    },
  })
  expect(reports).toHaveLength(1)
  return reports[0] as Report
}

function json(report: Report): string {
  return JSON.stringify(report, null, 2)
}

/** A live report as its replay must be: only where it comes from differs. */
function asReplayed(report: Report): string {
  return json({ ...report, source: { ...report.source, kind: 'capture' } })
}

const NORMAL = 'for i in 1 2 3; do (cd / && pwd); done; trap "true" USR1; kill -USR1 $$; exit 3'
const OTHER =
  'for i in 1 2; do (cd / && ulimit -n); done; umask; /usr/bin/id; trap "cat /dev/null" USR1; kill -USR1 $$; kill -9 $$'

describe.each(['notify', 'trace'] as const)('under %s', (engine) => {
  const fingerprint = join(folder, `${engine}.tfp`)

  beforeAll(async () => {
    for (let run = 0; run < 3; run += 1) {
      await learnProgram(['sh', '-c', NORMAL], { ...quiet, engine, file: fingerprint, settings: { depth: 3 } })
    }
  })

  test.each([
    ['authentic', NORMAL],
    ['abnormal', OTHER],
  ])('an %s run is replayed to its report, byte for byte', async (verdict, script) => {
    const session = new CheckSession(['sh', '-c', script], { ...quiet, engine, fingerprint, record: file })
    const report = await session.report
    expect(report.verdict).toBe(verdict)
    expect(json(await replay(file, fingerprint))).toBe(asReplayed(report))
  })

  const nobody = (): never => {
    throw new Error('nobody is there')
  }
  test.each<[string, OnMiss]>([
    ['by deny', 'deny'],
    ['by kill', 'kill'],
    ['one by one', ({ to }) => (to === 'umask' ? 'deny' : 'allow')],
    ['by default', nobody],
  ])('a run that was guarded is replayed with what was decided %s', async (_how, onMiss) => {
    const options = { ...quiet, engine, fingerprint, depth: 2, onMiss, onMissDefault: 'allow', record: file } as const
    const report = await new CheckSession(['sh', '-c', OTHER], options).report
    expect(report.misses.map(({ action }) => action)).not.toContain('alert')
    expect(json(await replay(file, fingerprint, 2))).toBe(asReplayed(report))
  })

  test('a replay at another depth is what a live check at that depth finds', async () => {
    const session = new CheckSession(['sh', '-c', OTHER], { ...quiet, engine, fingerprint, depth: 2, record: file })
    const report = await session.report
    expect(json(await replay(file, fingerprint, 2))).toBe(asReplayed(report))
    expect((await replay(file, fingerprint, 3)).missCount).toBeGreaterThanOrEqual(report.missCount)
  })
})

const TRACEES = [
  'clone_restarted_by_timer',
  'exec_from_thread',
  'filter_listener',
  'handler_siglongjmp',
  'io_uring',
  'kill_threaded_child',
  'm32',
  'nested_handlers',
  'pipeline',
  'threads_8x1000',
  'thread_churn',
  'unknown_numbers',
  'vfork_then_exec',
]

describe('a session in which nearly every call is a miss', () => {
  const fingerprint = join(folder, 'true.tfp')

  beforeAll(async () => {
    await learnProgram(['true'], { ...quiet, file: fingerprint, settings: { scope: 'set' } })
  })

  test.each(TRACEES)('that of %s, is replayed to its report, byte for byte', async (name) => {
    const tracee = listTracees().find((other) => other.name === name)
    if (tracee === undefined) throw new Error('there is no such tracee')
    const session = new CheckSession([compileTracee(tracee)], { ...quiet, fingerprint, record: file })
    const report = await session.report
    expect(report.missCount).toBeGreaterThan(0)
    expect(json(await replay(file, fingerprint))).toBe(asReplayed(report))
  })
})

test('a run that was checked as one sequence is replayed to its report, byte for byte', async () => {
  const fingerprint = join(folder, 'log.tfp')
  await learnProgram(['sh', '-c', 'true'], { ...quiet, file: fingerprint, settings: { tracks: 'log' } })
  const session = new CheckSession(['sh', '-c', OTHER], { ...quiet, fingerprint, record: file })
  const report = await session.report
  expect(report).toMatchObject({ verdict: 'abnormal', trackCount: 1 })
  expect(json(await replay(file, fingerprint))).toBe(asReplayed(report))
})

describe('without a fingerprint file', () => {
  test('a replay takes from the store what the live session took', async () => {
    for (const script of ['true', 'cd /', 'cd / && cd /']) {
      const session = new CheckSession(['sh', '-c', script], { ...quiet, record: file })
      const report = await session.report
      expect(json(await replay(file, null))).toBe(asReplayed(report))
      if (script !== 'cd /') await learnProgram(['sh', '-c', 'true'], quiet)
      else expect(report.missCount).toBeGreaterThan(0)
    }
  })
})

test('the session of a process that already ran is replayed to its report, byte for byte', async () => {
  const fingerprint = join(folder, 'attached.tfp')
  await learnProgram(['sh', '-c', 'sleep 0.02; sleep 0.02'], { ...quiet, file: fingerprint })
  // No child of ours: it is left behind by a shell that ends.
  const left = "sh -c 'while :; do sleep 0.02; done' > /dev/null 2>&1 & echo $!"
  const pid = Number(spawnSync('sh', ['-c', left], { encoding: 'utf8' }).stdout)
  const session = new CheckSession(pid, { ...quiet, fingerprint, record: file })
  try {
    await session.pid
    await sleep(300)
  } finally {
    process.kill(pid)
  }
  const report = await session.report
  expect(report.recordCount).toBeGreaterThan(20)
  expect(json(await replay(file, fingerprint))).toBe(asReplayed(report))
})

describe('learning from captures', () => {
  const script = 'for i in 1 2 3; do (cd /; pwd); done; trap "true" USR1; kill -USR1 $$'
  const captures = [1, 2, 3].map((run) => join(folder, `${run}.tfc`))
  const learnFrom = async (file: string, logs = captures): Promise<unknown[]> => {
    const refused: unknown[] = []
    await learnLogs({
      logs,
      format: 'auto',
      mapping: null,
      file,
      name: null,
      scenario: 'default',
      settings: { depth: 3 },
      home: quiet.home,
      onSession: ({ refusal }) => refused.push(...(refusal === null ? [] : [refusal])),
      onWritten: () => {},
      onFailure: (error) => refused.push(error),
    })
    return refused
  }

  test('gives the fingerprint that learning from live runs gives, and each capture counts once', async () => {
    const live = join(folder, 'live.tfp')
    for (const capture of captures) {
      await learnProgram(['sh', '-c', script], { ...quiet, file: live, settings: { depth: 3 } })
      await recordProgram(['sh', '-c', script], capture, quiet)
    }
    const learned = join(folder, 'learned.tfp')
    for (let time = 0; time < 2; time += 1) {
      expect(await learnFrom(learned)).toEqual([])
      // A capture does not tell which C library there was.
      expect(bodyOf(learned)).toBe(bodyOf(live).replace(/^libc .*\n/m, ''))
    }
  })

  test('is refused where the capture was cut off or damaged', async () => {
    await recordProgram(['true'], file, quiet)
    const whole = readFileSync(file)
    writeFileSync(file, whole.subarray(0, -1))
    const none = join(folder, 'none.tfp')
    expect(await learnFrom(none, [file])).toEqual(['the capture was cut off before its session ended'])
    writeFileSync(file, Buffer.concat([whole, whole]))
    expect((await learnFrom(none, [file]))[0]).toBe('the capture is damaged')
    expect(existsSync(none)).toBe(false)
  })
})

function bodyOf(file: string): string {
  return readFileSync(file, 'latin1').replace(/^checksum .*\n/m, '')
}

describe('tracefp record', () => {
  const tracefp = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const env = { ...process.env, TRACEFP_HOME: quiet.home }
    return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env, timeout: 20_000 })
  }
  const record = (...args: string[]): ReturnType<typeof tracefp> => tracefp('record', ...args)

  test('ends as the program did, leaves its output alone and says what it wrote', () => {
    const { status, stdout, stderr } = record('-o', file, '--', 'sh', '-c', 'echo out; exit 7')
    expect([status, stdout]).toEqual([7, 'out\n'])
    expect(stderr).toMatch(new RegExp(`^tracefp: ${file}: \\d+ records in ${statSync(file).size} bytes\n$`))
    expect(record('-q', '-o', file, '--', 'sh', '-c', 'kill -15 $$')).toMatchObject({ status: 143, stderr: '' })
  })

  test('what run writes with --record, check reads: one report, byte for byte', () => {
    const [fingerprint, live, replayed] = ['cli.tfp', 'live.json', 'replayed.json'].map((name) => join(folder, name))
    const given = ['-f', fingerprint as string, '--report'] as const
    tracefp('learn', '-o', fingerprint as string, '--runs', '1', '--', 'sh', '-c', 'true')
    expect(tracefp('run', ...given, live as string, '--record', file, '--', 'sh', '-c', 'cd /').status).toBe(100)
    const { status, stderr } = tracefp('check', ...given, replayed as string, file)
    const text = readFileSync(replayed as string, 'utf8')
    expect(text).toBe(readFileSync(live as string, 'utf8').replace('"kind": "live"', '"kind": "capture"'))
    expect(stderr).toContain(`${file} is read as capture: it begins as a capture`)
    expect(status).toBe(1)
  })

  test('a file that cannot be written is told before anything runs', () => {
    for (const bad of [folder, '/dev/full']) {
      expect(record('-o', bad, '--', 'echo', 'out')).toMatchObject({ status: 125, stdout: '' })
    }
  })

  test('a command that is not there leaves the file as it was', () => {
    writeFileSync(file, 'old')
    expect(record('-o', file, '--', 'no-such-command').status).toBe(127)
    expect(readFileSync(file, 'utf8')).toBe('old')
  })

  test('a disk that fills up ends the capture and not the program, and is told', () => {
    const script = 'ulimit -f 4; exec "$@"'
    const command = [
      MAIN,
      'record',
      '-o',
      file,
      '--',
      'sh',
      '-c',
      'i=0; while [ $i -lt 3000 ]; do cd /; i=$((i+1)); done; echo out',
    ]
    const env = { ...process.env, TRACEFP_HOME: quiet.home }
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, ...command], {
      encoding: 'utf8',
      env,
    })
    expect(stdout).toBe('out\n')
    expect(stderr).toMatch(/^tracefp: .*: EFBIG: .*: the capture ends there, the program went on\n$/)
    expect(status).toBe(125)
  })
})

describe('a recorder that is killed', () => {
  const script = 'i=0; while [ $i -lt $1 ]; do (cd /); i=$((i+1)); done'
  const fingerprint = join(folder, 'killed.tfp')

  beforeAll(async () => {
    for (let run = 0; run < 3; run += 1) {
      await learnProgram(['sh', '-c', script, 'sh', '20'], { ...quiet, file: fingerprint })
    }
  })

  test('leaves a capture that is read up to its last block, and inconclusive', async () => {
    let recordCount = 0
    for (let turn = 0; turn < 20; turn += 1) {
      rmSync(file, { force: true })
      const tool = spawn(process.execPath, [MAIN, 'record', '-o', file, '--', 'sh', '-c', script, 'sh', '1000000'], {
        stdio: 'ignore',
        env: { ...process.env, TRACEFP_HOME: quiet.home },
      })
      const ended = once(tool, 'exit')
      while (!existsSync(file) || statSync(file).size === 0) await sleep(1)
      await sleep(Math.random() ** 2 * 1500)
      tool.kill('SIGKILL')
      expect(await ended).toEqual([null, 'SIGKILL'])
      const report = await replay(file, fingerprint)
      expect(report).toMatchObject({ verdict: 'inconclusive', missCount: 0, gapCount: 1 })
      expect(report.notes.map(({ code }) => code)).toEqual(['capture_cut'])
      expect(Number(/byte (\d+):/.exec(report.notes[0]?.message ?? '')?.[1])).toBeLessThanOrEqual(statSync(file).size)
      recordCount += report.recordCount
    }
    expect(recordCount).toBeGreaterThan(1000)
  }, 120_000)
})
