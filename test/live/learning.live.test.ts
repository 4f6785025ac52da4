// Learning as a user does it: until it is finished, in slices of time, while calls fail, and after an update.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { learnProgram } from '../../src/session/learn-program.ts'
import { MAIN } from '../cli/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'learning-'))
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

function tracefp(...args: readonly string[]) {
  const env = { ...process.env, TRACEFP_HOME: at('home') }
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env, timeout: 100_000 })
}

describe('learn', () => {
  test('runs the program until nothing new is to be expected, and says so in its last line', () => {
    const { status, stderr } = tracefp('learn', '-o', at('until.tfp'), '--until', '0.5', '--', 'true')
    expect(status).toBe(0)
    expect(stderr).toMatch(/run 5 of at most 200: 0 new transitions/)
    expect(stderr).not.toContain('run 6 of')
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(
      /^tracefp: the next run like these .* 0\.000 \(0\.000 to 0\.451\) at depth 2.*: finished \(surely below 0\.5/,
    )
  })

  test('gives up after --max-runs', () => {
    const { status, stderr } = tracefp('learn', '-o', at('max.tfp'), '--max-runs', '3', '--', 'true')
    expect(status).toBe(0)
    expect(stderr).toMatch(/run 3 of at most 3/)
    expect(stderr).toMatch(/not finished, 56 more runs that bring nothing new would be needed for 0\.05\n$/)
  })

  test('a run that was ended before its first call does not count as one that brought nothing new', async () => {
    const file = at('empty.tfp')
    const once = (onStart: (pid: number) => void): ReturnType<typeof learnProgram> =>
      learnProgram(['true'], { file, home: at('home'), stdio: 'ignore', thread: 'this', onStart })
    expect(await once((pid) => process.kill(pid, 'SIGINT'))).toMatchObject({ isLearned: false, recordCount: 0 })
    expect(existsSync(file)).toBe(false)
    expect(await once(() => {})).toMatchObject({ isLearned: true, runCount: 1 })
  })

  test('a program that only crashes is not run for ever', () => {
    const { status, stderr } = tracefp('learn', '-o', at('crash.tfp'), '--', 'sh', '-c', 'kill -SEGV $$')
    expect(status).toBe(125)
    expect(stderr.match(/it crashed/g)).toHaveLength(5)
  })

  test('cuts what a service does into slices, each of them a run, and ends it', () => {
    const service = ['sh', '-c', 'while :; do sleep 0.02; done']
    const { status, stderr } = tracefp(
      'learn',
      '-o',
      at('slice.tfp'),
      '--slice',
      '0.3s',
      '--runs',
      '3',
      '--',
      ...service,
    )
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringMatching(/ of [34] runs\n/) })
    const { runs } = JSON.parse(tracefp('revoke', '--json', at('slice.tfp')).stdout)
    expect(runs[0].soleTransitionCount).toBeGreaterThan(0)
    // What was left when it ended is one, if it did anything then.
    const ids = new Set(runs.map(({ id }: { id: string }) => id))
    expect([3, 4]).toContain(ids.size)
  })

  test('a slice in which nothing happens is no run', () => {
    const command = ['sh', '-c', "trap 'kill $!; exit 0' TERM; sleep 60 & wait"]
    const file = at('idle.tfp')
    const { status, stderr } = tracefp('learn', '-o', file, '--slice', '0.1s', '--runs', '20', '--', ...command)
    expect({ status, stderr }).toMatchObject({ status: 0 })
    const [, idle, all] = /note: (\d+) of (\d+) slices were idle: they are no runs\n/.exec(stderr) ?? []
    expect(Number(idle)).toBeGreaterThanOrEqual(20)
    const [, runs] = / of (\d+) runs?\n/.exec(stderr) ?? []
    // And one is what it did when it was told to end.
    expect(Number(runs)).toBe(Number(all) - Number(idle) + 1)
  })
})

describe('learn --faults', () => {
  const input = at('input')
  const command = ['cat', input]
  writeFileSync(input, 'text\n')
  const file = at('faults.tfp')

  test('is bounded in time, and goes on where it was stopped', () => {
    const first = tracefp('learn', '-o', file, '--faults', '--max-time', '0.5s', '--', ...command)
    expect(first.status).toBe(0)
    expect(first.stderr).toMatch(/(\d+) are left: run it again to go on/)
    const second = tracefp('learn', '-o', file, '--faults', '--max-time', '90s', '--', ...command)
    expect(second.stderr).toMatch(/\d+ faults? of \d+ were tried before/)
    expect(second.stderr).toMatch(/\d+ faults tried: \d+ learned, \d+ discarded \(\d+ only crashed, \d+ did not end\)/)
    expect(second.stderr).not.toContain('are left')
    const third = tracefp('learn', '-o', file, '--faults', '--', ...command)
    expect(third.stderr).toMatch(/; 0 new transitions in this run/)
  }, 120_000)

  test('real trouble that it knows is told at low severity and is no alarm', () => {
    const withoutInput = (against: string, report: string) => {
      rmSync(input)
      const ended = tracefp('run', '-f', against, '--report', report, '--exit-status', 'program', '--', ...command)
      writeFileSync(input, 'text\n')
      return { ...ended, report: JSON.parse(readFileSync(report, 'utf8')) }
    }
    const usual = at('usual.tfp')
    tracefp('learn', '-o', usual, '--runs', '2', '--', ...command)
    const before = withoutInput(usual, at('before.json'))
    expect(before.report.verdict).toBe('abnormal')
    const after = withoutInput(file, at('after.json'))
    expect(after.report).toMatchObject({ verdict: 'authentic', alarmCount: 0 })
    expect(after.report.missCount).toBe(before.report.missCount)
    for (const { layer, severity } of after.report.misses) expect([layer, severity]).toEqual(['fault', 'low'])
    expect(after.stderr).toMatch(/tracefp: low: .*known from runs in which calls were made to fail/)
    expect(tracefp('show', file).stdout).toMatch(/faults +\d+ transitions besides, abnormal but authentic/)
  })
})

describe('an executable that was updated', () => {
  const program = at('program')
  const old = at('old.tfp')

  test('is said to be another one, with the verdict of the old fingerprint beside it', () => {
    copyFileSync('/bin/true', program)
    expect(tracefp('learn', '-o', old, '--runs', '2', '--', program).status).toBe(0)
    writeFileSync(program, Buffer.concat([readFileSync(program), Buffer.from('x')]))
    const { status, stderr } = tracefp('run', '-f', old, '--', program)
    expect(status).toBe(100)
    expect(stderr).toMatch(/program\[\d+\] image changed: it is sha256 [0-9a-f]{12}, learned was sha256 [0-9a-f]{12}/)
    expect(stderr).toMatch(/image changed: .*; by its old fingerprint: authentic/)
    expect(tracefp('learn', '-o', old, '--runs', '1', '--', program).stderr).toMatch(/--upgrade/)
  })

  test('gets a candidate that begins with the old fingerprint, and the difference is shown', () => {
    const before = readFileSync(old)
    copyFileSync('/bin/echo', program)
    const candidate = at('candidate.tfp')
    const { status, stderr } = tracefp('learn', '--upgrade', old, '-o', candidate, '--runs', '2', '--', program, 'x')
    expect(status).toBe(0)
    expect(stderr).toMatch(/program: changed, \d+ sequences more, 0 fewer/)
    expect(stderr).toMatch(/image: sha256 [0-9a-f]{12} -> [0-9a-f]{12}/)
    expect(tracefp('run', '-q', '-f', candidate, '--', program, 'y').status).toBe(0)
    expect(readFileSync(old)).toEqual(before)
    expect(existsSync(at('candidate.tfl'))).toBe(true)
  })

  test('an upgrade without a name for the candidate is a usage error', () => {
    expect(tracefp('learn', '--upgrade', old, '--', program)).toMatchObject({ status: 125, stderr: /-o/ })
  })
})

test('a threshold lets single misses pass, and a burst is an alarm', () => {
  const file = at('burst.tfp')
  const script = (count: number) => ['sh', '-c', `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); umask 022; cd /; done`]
  tracefp('learn', '-o', file, '--runs', '2', '--', 'sh', '-c', 'exit 0')
  const run = (count: number, ...options: readonly string[]) =>
    tracefp('run', '-f', file, ...options, '--', ...script(count))
  expect(run(1).status).toBe(100)
  const quiet = run(1, '--threshold', '9')
  expect(quiet.status).toBe(0)
  expect(quiet.stderr).toMatch(/in no burst of 9 among 20 transitions: no alarm/)
  expect(quiet.stderr).not.toContain('abnormal')
  expect(run(1, '--frame', '9').status).toBe(125)
})
