// What a run leaves in the store: sessions, alerts, evidence that can be judged again, and notes when it could leave nothing.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tracefp } from '../cli/cli.ts'

const LEARNED = ['sh', '-c', 'echo hello; read line </etc/hostname']
const ABNORMAL = ['sh', '-c', 'echo hello; mkdir /proc/none 2>/dev/null; cd /; umask 022; read line </etc/hostname']

describe('a session in the store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-evidence-'))
  const file = join(folder, 'sh.tfp')
  const home = join(folder, 'home')
  const run = (...args: string[]): ReturnType<typeof tracefp> => tracefp(args, ['env', `TRACEFP_HOME=${home}`])
  const rows = async (...args: string[]): Promise<Record<string, unknown>[]> =>
    JSON.parse((await run(...args, '--json')).stdout)

  beforeAll(async () => {
    expect((await run('learn', '-o', file, '--runs', '2', '--', ...LEARNED)).code).toBe(0)
    expect((await run('run', '-f', file, '--', ...LEARNED)).code).toBe(0)
    expect((await run('run', '-f', file, '--', ...ABNORMAL)).code).toBe(100)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('is there with what came of it, and an abnormal one has an alert and evidence', async () => {
    const sessions = await rows('sessions')
    expect(sessions.map(({ verdict, state }) => [verdict, state])).toEqual([
      ['abnormal', 'ended'],
      ['authentic', 'ended'],
    ])
    expect(sessions.map(({ evidence }) => evidence)).toEqual([`${sessions[0]?.['id']}.tfe`, null])
    const alerts = await rows('alerts')
    expect(alerts).toMatchObject([
      { session: sessions[0]?.['id'], state: 'new', missCount: sessions[0]?.['missCount'] },
    ])
    expect(readdirSync(join(home, 'evidence'))).toEqual([`${sessions[0]?.['id']}.tfe`])
  })

  test('an alert says by which formula it is how bad, and is decided about', async () => {
    const [alert] = await rows('alerts')
    const told = await run('alert', String(alert?.['id']))
    expect(told.stdout).toMatch(
      /severity +\w+: [\d.]+ = impact [\d.]+ \(.+: C\d I\d A\d\) x novelty [\d.]+ \(.+\) x burst/,
    )
    const decided = await run('alert', String(alert?.['id']), 'ack', '--note', 'seen', '--json')
    expect(JSON.parse(decided.stdout)).toMatchObject({ state: 'acknowledged', actions: [{ via: 'cli', note: 'seen' }] })
    expect((await run('alert', 'ZZZ')).code).toBe(5)
  })

  test('its evidence gives the same verdict, bit for bit, also without the store', async () => {
    const [session] = await rows('sessions')
    const bundle = join(home, 'evidence', String(session?.['evidence']))
    const replayed = await tracefp(['replay', bundle], ['env', `TRACEFP_HOME=${join(folder, 'other')}`])
    expect(replayed.stdout).toMatch(/replay of the whole session: the same, bit for bit\n$/)
    expect(replayed.code).toBe(0)
    const { report, previous, processes } = JSON.parse(gunzipSync(readFileSync(bundle)).toString())
    expect([report.session, previous]).toEqual([session?.['id'], expect.stringMatching(/^[0-9a-f]{64}$/)])
    expect(processes[0]).toMatchObject({ images: [{ path: expect.stringMatching(/sh$/) }], exit: { code: 0 } })
  })

  test('evidence that was altered is not the same any more, and audit finds it', async () => {
    expect(await run('audit')).toMatchObject({ code: 0 })
    const [session] = await rows('sessions')
    const bundle = join(home, 'evidence', String(session?.['evidence']))
    const bytes = readFileSync(bundle)
    const altered = JSON.parse(gunzipSync(bytes).toString())
    altered.report.missCount = 1
    altered.report.misses.length = 1
    writeFileSync(bundle, gzipSync(JSON.stringify(altered)))
    expect(await run('replay', bundle)).toMatchObject({ code: 1, stdout: expect.stringContaining('NOT the same') })
    expect(await run('audit')).toMatchObject({ code: 1, stdout: expect.stringMatching(/^altered .*evidence/) })
    rmSync(bundle)
    expect(await run('audit')).toMatchObject({ code: 1, stdout: expect.stringMatching(/^missing /) })
    writeFileSync(bundle, bytes, { mode: 0o600 })
    expect(await run('audit')).toMatchObject({ code: 0 })
    writeFileSync(bundle, 'no evidence')
    expect(await run('replay', bundle)).toMatchObject({ code: 5, stdout: '' })
    writeFileSync(bundle, bytes)
  })

  test('what was recorded anyway is its evidence, and stays where it is', async () => {
    const recorded = join(folder, 'recorded')
    const capture = join(folder, 'capture')
    const below = ['env', `TRACEFP_HOME=${recorded}`]
    expect((await tracefp(['run', '--record', capture, '-f', file, '--', ...ABNORMAL], below)).code).toBe(100)
    expect(readFileSync(capture).length).toBeGreaterThan(0)
    const [name] = readdirSync(join(recorded, 'evidence'))
    const replayed = await tracefp(['replay', join(recorded, 'evidence', name as string)], below)
    expect(replayed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/whole session: the same, bit for bit\n$/),
    })
  })

  test('a log leaves the same as what ran', async () => {
    const [logged, log] = [join(folder, 'logged'), join(folder, 'x.strace')]
    const lines = (middle: string): string =>
      ['execve("/opt/x", ["x"], 0x0) = 0', middle, 'exit_group(0) = ?'].map((call) => `9 ${call}\n`).join('')
    writeFileSync(log, lines('write(1, "", 1) = 1'))
    const below = ['env', `TRACEFP_HOME=${logged}`]
    expect((await tracefp(['learn', '-o', join(folder, 'x.tfp'), '--from', log], below)).code).toBe(0)
    writeFileSync(log, lines('mkdir("/x", 0777) = 0'))
    expect((await tracefp(['check', '-f', join(folder, 'x.tfp'), log], below)).code).toBe(1)
    const [{ evidence }] = JSON.parse((await tracefp(['sessions', '--json'], below)).stdout)
    rmSync(log)
    const replayed = await tracefp(['replay', join(logged, 'evidence', evidence)], below)
    expect(replayed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/whole session: the same, bit for bit\n$/),
    })
    expect((await tracefp(['audit'], below)).code).toBe(0)
  })

  test('--no-store leaves nothing', async () => {
    const none = join(folder, 'none')
    const ended = await tracefp(['run', '--no-store', '-f', file, '--', ...ABNORMAL], ['env', `TRACEFP_HOME=${none}`])
    expect(ended.code).toBe(100)
    expect(() => readdirSync(join(none, 'inbox'))).toThrow(/ENOENT/)
  })

  test('a store that cannot be used changes nothing but a note', async () => {
    const broken = join(folder, 'broken')
    mkdirSync(broken, { mode: 0o700 })
    writeFileSync(join(broken, 'store.db'), 'x'.repeat(5000), { mode: 0o600 })
    const below = ['env', `TRACEFP_HOME=${broken}`]
    const ended = await tracefp(['run', '-f', file, '--', ...ABNORMAL], below)
    expect(ended).toMatchObject({ code: 100, stdout: 'hello\n' })
    expect(ended.stderr).toMatch(/note: not all was recorded: .*store\.db/)
    // What was told waits until there is a store again.
    rmSync(join(broken, 'store.db'))
    expect(JSON.parse((await tracefp(['sessions', '--json'], below)).stdout)).toMatchObject([{ verdict: 'abnormal' }])
    chmodSync(broken, 0o777)
    const refused = await tracefp(['run', '-f', file, '--', ...LEARNED], below)
    expect(refused).toMatchObject({ code: 0, stdout: 'hello\n', stderr: expect.stringContaining('chmod go-w') })
  })

  test('a session whose tracefp is killed is lost, and says so', async () => {
    const lost = join(folder, 'lost')
    const script = `TRACEFP_HOME=${lost} timeout -s KILL 2 node ${process.cwd()}/lib/tracefp.cjs run -q -- sleep 60`
    await tracefp(['--version'], ['sh', '-c', `${script}; exec "$@"`, 'sh'])
    const sessions = JSON.parse((await tracefp(['sessions', '--json'], ['env', `TRACEFP_HOME=${lost}`])).stdout)
    expect(sessions).toMatchObject([{ state: 'lost', verdict: 'inconclusive', name: 'sleep' }])
  })

  test('the policy says what is done at a miss, and sinks are told once per program', async () => {
    const ruled = join(folder, 'ruled')
    mkdirSync(ruled, { mode: 0o700 })
    const lines = join(ruled, 'alerts.jsonl')
    writeFileSync(
      join(ruled, 'policy.toml'),
      `[program."${realpathSync('/bin/sh')}"]\nmode = "kill"\n[alert]\nfrom = "low"\n[[sink]]\ntype = "jsonl"\nfile = "${lines}"\n`,
      { mode: 0o600 },
    )
    const below = ['env', `TRACEFP_HOME=${ruled}`]
    const killed = await tracefp(['run', '-f', file, '--', ...ABNORMAL], below)
    expect(killed).toMatchObject({ code: 100, stderr: expect.stringMatching(/; killed\n/) })
    const told = await tracefp(['run', '--on-miss', 'alert', '-f', file, '--', ...ABNORMAL], below)
    expect(told.stderr).not.toMatch(/; killed\n/)
    const events = readFileSync(lines, 'utf8').trim().split('\n')
    expect(events.map((line) => JSON.parse(line))).toMatchObject([
      { kind: 'opened', mode: 'kill', missCount: 1 },
      { kind: 'opened', mode: 'kill' },
    ])
    writeFileSync(join(ruled, 'policy.toml'), '[alert]\nform = "low"\n')
    const refused = await tracefp(['run', '-f', file, '--', ...LEARNED], below)
    expect(refused).toMatchObject({ code: 125, stdout: '', stderr: expect.stringContaining('alert.form') })
  })
})
