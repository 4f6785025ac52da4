// The daemon, as it is started by a service manager: what it follows, what it tells, and how it takes another configuration.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Health } from '../../src/daemon/daemon.ts'
import { neededByEbpf, permittedOf } from '../../src/source/privileges.ts'
import { MAIN, tracefp } from '../cli/cli.ts'
import { until } from './guarding.ts'
import { whyNoEbpf } from './record.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-watch-'))
const [home, script, fingerprint, logPrint] = ['home', 'serve.sh', 'serve.tfp', 'log.tfp'].map((name) =>
  join(folder, name),
) as [string, string, string, string]
/** Does what it is told through a FIFO; its second argument is where it says that it got there. */
const SCRIPT = `#!/bin/sh
exec 3<>"$1"
while read -r word <&3; do
  case $word in
    evil) umask 077 ;;
    stop) exit 3 ;;
  esac
done
`
const LOG = (middle: string): string =>
  ['execve("/opt/x", ["x"], 0x0) = 0', 'read(0, "", 1) = 0', middle, 'exit_group(0) = ?']
    .map((call) => `100 ${call}\n`)
    .join('')

const whyNotEbpf = await whyNoEbpf()
if (whyNotEbpf !== null) console.log(`skipped: ${whyNotEbpf}`)
const running = new Set<ChildProcess>()
const hasPython = spawnSync('python3', ['--version']).status === 0

function fifo(name: string): string {
  const path = join(folder, name)
  rmSync(path, { force: true })
  expect(spawnSync('mkfifo', [path]).status).toBe(0)
  return path
}

const privilegesOf = (pid: number | 'self'): bigint => permittedOf(readFileSync(`/proc/${pid}/status`, 'latin1'))

class Watch {
  readonly process: ChildProcess
  readonly ended: Promise<number | null>
  #said = ''
  #url = ''

  constructor(config: string, env: Record<string, string> = {}) {
    this.write(config)
    this.process = spawn(process.execPath, [MAIN, 'watch', Watch.file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TRACEFP_HOME: home, ...env },
    })
    running.add(this.process)
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString()
    })
    this.ended = new Promise((resolve) => this.process.once('exit', (code) => resolve(code)))
  }

  static readonly file: string = join(folder, 'watch.toml')

  write(config: string): void {
    writeFileSync(Watch.file, `[watch]\nlisten = "127.0.0.1:0"\n${config}`, { mode: 0o600 })
  }

  async says(what: RegExp): Promise<void> {
    for (let i = 0; i < 2000 && !what.test(this.#said); i += 1) await sleep(20)
    expect(this.#said).toMatch(what)
  }

  get said(): string {
    return this.#said
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    if (this.#url === '') {
      await this.says(/metrics: (\S+)\/healthz/)
      this.#url = /metrics: (\S+)\/healthz/.exec(this.#said)?.[1] as string
    }
    const response = await fetch(`${this.#url}${path}`)
    return { status: response.status, text: await response.text() }
  }

  async health(): Promise<Health> {
    return JSON.parse((await this.get('/healthz')).text)
  }

  /** Until it is so. */
  async healthIs(isSo: (health: Health) => boolean): Promise<Health> {
    for (let i = 0; i < 800; i += 1) {
      const health = await this.health()
      if (isSo(health)) return health
      await sleep(50)
    }
    throw new Error(`it does not become so: ${JSON.stringify(await this.health())}\n${this.#said}`)
  }

  async end(): Promise<number | null> {
    this.process.kill('SIGTERM')
    return await this.ended
  }
}

function program(name: string, path: string, more = ''): string {
  return `[[program]]\nname = "${name}"\ncommand = ["${script}", "${path}"]\nfingerprint = ["${fingerprint}"]\n${more}\n`
}

const allRun = ({ entries }: Health): boolean => entries.every(({ state }) => state === 'running')

beforeAll(async () => {
  writeFileSync(script, SCRIPT)
  chmodSync(script, 0o755)
  const words = fifo('learn')
  const learning = tracefp(
    ['learn', '-o', fingerprint, '--runs', '2', '--', script, words],
    ['env', `TRACEFP_HOME=${home}`],
  )
  // It reads too, or it would die of a FIFO without a reader between two runs.
  const writer = spawn('sh', ['-c', `exec 3<>${words}; while :; do echo a; echo b; echo stop; sleep 0.1; done >&3`])
  expect((await learning).code).toBe(0)
  writer.kill()
  const log = join(folder, 'learn.strace')
  writeFileSync(log, LOG('write(1, "", 1) = 1'))
  expect((await tracefp(['learn', '-o', logPrint, '--from', log])).code).toBe(0)
}, 60_000)
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Long, for a machine that has more to do.
describe('the daemon', { timeout: 90_000 }, () => {
  test('follows a program, a log and a service that runs: what they do is told, kept and counted', async () => {
    const [own, others, log, pidFile] = [fifo('own'), fifo('others'), join(folder, 'x.strace'), join(folder, 'pid')]
    const service = spawn(script, [others], { stdio: 'ignore' })
    running.add(service)
    writeFileSync(pidFile, `${service.pid}\n`)
    writeFileSync(log, LOG('write(1, "", 1) = 1'))
    const watch = new Watch(
      `${program('web', own)}
[[log]]\nname = "logged"\nfile = "${log}"\nfingerprint = ["${logPrint}"]
[[service]]\nname = "joined"\npid_file = "${pidFile}"\nfingerprint = ["${fingerprint}"]\n`,
    )
    const { entries } = await watch.healthIs(allRun)
    expect(entries.map(({ kind, name }) => [kind, name])).toEqual([
      ['program', 'web'],
      ['log', 'logged'],
      ['service', 'joined'],
    ])
    expect(entries[2]?.pid).toBe(service.pid)
    for (const path of [own, others]) writeFileSync(path, 'a\nevil\n')
    appendFileSync(log, LOG('mkdir("/x", 0777) = 0'))
    await watch.healthIs((health) => health.entries.every(({ missCount }) => missCount > 0))
    await watch.says(/^tracefp: web: abnormal: \S+ \S+serve\.sh\[\d+\] \S+ -> umask; expected/m)
    await watch.says(/^tracefp: joined: abnormal: .* -> umask/m)
    await watch.says(/^tracefp: logged: abnormal: \/opt\/x\[100\] read -> mkdir; expected write; line 7$/m)
    const metrics = (await watch.get('/metrics')).text
    expect(metrics).toMatch(/^tracefp_watch_up\{kind="service",entry="joined"\} 1$/m)
    expect(metrics).toMatch(/^tracefp_sessions_running 3$/m)
    expect(await watch.end()).toBe(0)
    // What was joined goes on, what was started does not.
    expect(existsSync(`/proc/${service.pid}`)).toBe(true)
    expect(existsSync(`/proc/${entries[0]?.pid}`)).toBe(false)
    const listed = await tracefp(['alerts', '--json'], ['env', `TRACEFP_HOME=${home}`])
    const alerts = JSON.parse(listed.stdout) as { session: string }[]
    expect(new Set(alerts.map(({ session }) => session))).toEqual(new Set(entries.map(({ session }) => session)))
    const sessions = await tracefp(['sessions', '--json'], ['env', `TRACEFP_HOME=${home}`])
    expect((JSON.parse(sessions.stdout) as { state: string }[]).every(({ state }) => state === 'ended')).toBe(true)
  })

  test.skipIf(whyNotEbpf !== null)('has services and programs killed by the kernel, one call late', async () => {
    const [own, others] = [fifo('own'), fifo('others')]
    const service = spawn(script, [others], { stdio: 'ignore' })
    running.add(service)
    const ended = new Promise((resolve) => service.once('exit', (_code, signal) => resolve(signal)))
    const kills = 'engine = "ebpf"\non_miss = "kill"'
    const watch = new Watch(
      `${program('web', own, `${kills}\nrestart = "never"`)}
[[service]]\nname = "joined"\npid = ${service.pid}\nfingerprint = ["${fingerprint}"]\n${kills}\n`,
    )
    const { entries: followed } = await watch.healthIs(allRun)
    const pid = followed[0]?.pid as number
    const ours = privilegesOf('self')
    // Who started it judges it, and has little; the program and the daemon have what they were given.
    const judge = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1])
    const few = process.geteuid?.() === 0 ? neededByEbpf(true) : ours
    expect([pid, watch.process.pid as number, judge].map(privilegesOf)).toEqual([ours, ours, few])
    for (const path of [own, others]) writeFileSync(path, 'a\nb\nevil\n')
    await watch.says(/^tracefp: web: abnormal: .* -> umask.*; killed after it$/m)
    await watch.says(/^tracefp: joined: abnormal: .* -> umask.*; killed after it$/m)
    expect(await ended).toBe('SIGKILL')
    await watch.healthIs(({ entries }) => entries.every(({ state }) => state === 'ended'))
    expect(await watch.end()).toBe(0)
  })

  test('takes another configuration without touching what stays, and refuses one that is wrong', async () => {
    const [a, b] = [fifo('a'), fifo('b')]
    const watch = new Watch(`${program('a', a)}${program('b', b)}`)
    const before = await watch.healthIs(allRun)
    watch.write(`${program('a', a)}[[progam]]\nname = "b"\n`)
    watch.process.kill('SIGHUP')
    await watch.says(/refused, the old one stays in force: \S+watch\.toml:8: progam: there is no such setting/)
    const refused = await watch.health()
    expect(refused).toMatchObject({ status: 'degraded', entries: before.entries })
    expect((await watch.get('/healthz')).status).toBe(503)
    watch.write(`${program('a', a)}${program('b', b, 'restart_sec = 0.2')}${program('c', fifo('c'))}`)
    watch.process.kill('SIGHUP')
    await watch.says(/1 go on, 1 ended, 2 began/)
    const after = await watch.healthIs((health) => health.entries.length === 3 && allRun(health))
    expect(after.status).toBe('ok')
    expect(after.entries[0]).toEqual(before.entries[0])
    expect(after.entries[1]?.pid).not.toBe(before.entries[1]?.pid)
    process.kill(after.entries[1]?.pid as number, 'SIGKILL')
    await watch.healthIs(({ entries }) => entries[1]?.sessionCount === 2 && entries[1].state === 'running')
    expect(await watch.end()).toBe(0)
  })

  test('what cannot be followed is tried again, said once, and makes it degraded', async () => {
    const watch = new Watch(
      `[[log]]\nname = "late"\nfile = "${join(folder, 'late.strace')}"\nfingerprint = ["${logPrint}"]\n`,
    )
    await watch.healthIs(({ status, entries }) => status === 'degraded' && entries[0]?.state === 'waiting')
    writeFileSync(join(folder, 'late.strace'), LOG('write(1, "", 1) = 1'))
    await watch.healthIs(({ status }) => status === 'ok')
    expect(watch.said.match(/late: .*no such file/g)).toHaveLength(1)
    expect(await watch.end()).toBe(0)
  })

  test.skipIf(!hasPython)(
    `tells the service manager${hasPython ? '' : ' (skipped: no python3)'}, and no program has its socket`,
    async () => {
      const [address, own] = [join(folder, 'notify'), fifo('own')]
      const heard = join(folder, 'heard')
      const listen = [
        'import socket, sys',
        's = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)',
        's.bind(sys.argv[1])',
        'out = open(sys.argv[2], "w")',
        'while True:',
        '  print(s.recv(4096).decode().replace("\\n", "|"), file=out, flush=True)',
      ]
      running.add(spawn('python3', ['-c', listen.join('\n'), address, heard], { stdio: 'ignore' }))
      await until(() => existsSync(address))
      const told = (): string => readFileSync(heard, 'utf8')
      const watch = new Watch(program('web', own), { NOTIFY_SOCKET: address, WATCHDOG_USEC: '200000' })
      const { entries } = await watch.healthIs(allRun)
      await until(() => /^READY=1$/m.test(told()) && (told().match(/^WATCHDOG=1$/gm)?.length ?? 0) > 2)
      await until(() => /^STATUS=1 of 1 followed$/m.test(told()))
      expect(readFileSync(`/proc/${entries[0]?.pid}/environ`, 'latin1')).not.toContain('NOTIFY_SOCKET')
      const before = process.hrtime.bigint() / 1_000n
      watch.process.kill('SIGHUP')
      await until(() => /^RELOADING=1\|MONOTONIC_USEC=\d+\n(?:.*\n)*READY=1$/m.test(told()))
      expect(BigInt(/MONOTONIC_USEC=(\d+)/.exec(told())?.[1] as string)).toBeGreaterThan(before)
      expect(await watch.end()).toBe(0)
      await until(() => /^STOPPING=1$/m.test(told()))
    },
  )
})
