// A session that freezes at a miss: release from another process, and everything that may happen to it while it is frozen.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { CheckSession } from '../../src/session/check-session.ts'
import { alive, ENGINES, Place, tracee, until } from './guarding.ts'

const MAIN = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
const place = new Place('guard-freeze')
const target = join(place.work, 'target')
const call = tracee('guarded_call')
const env = { ...process.env, TRACEFP_HOME: place.home, NO_COLOR: '1' }
const running = new Set<ChildProcess>()
afterAll(() => place.remove())
beforeEach(() => place.renew())
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

interface Frozen {
  readonly child: ChildProcess
  readonly session: string
  readonly ended: Promise<{ code: number | null; signal: string | null; stderr: string }>
}

/** A command line that froze at `mkdir target`. */
async function frozen(engine: string, command: readonly string[] = [call, 'mkdir', target]): Promise<Frozen> {
  const fingerprint = await place.learned([[call]])
  const args = [MAIN, 'run', '-f', fingerprint, '--engine', engine, '--on-miss', 'freeze', '--', ...command]
  const child = spawn(process.execPath, args, { env, cwd: place.work, stdio: ['ignore', 'ignore', 'pipe'] })
  running.add(child)
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal, stderr })
    })
  })
  await until(() => /tracefp release \w{26}/.test(stderr), 'the freeze')
  return { child, session: /release (\w{26})/.exec(stderr)?.[1] as string, ended }
}

function release(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'release', ...args], { env, encoding: 'utf8' })
}

function sockets(): string[] {
  return existsSync(join(place.home, 'frozen')) ? readdirSync(join(place.home, 'frozen')) : []
}

test.each(ENGINES)('frozen it waits, is listed, and goes on when it is released: %s', async (engine) => {
  const { child, session, ended } = await frozen(engine)
  await sleep(100)
  expect(existsSync(target)).toBe(false)
  expect(release().stdout).toContain(`${session}  pid ${child.pid}  ${call} mkdir ${target}\n`)
  expect(release().stdout).toMatch(/getppid -> mkdir; expected getuid\n/)
  const [listed] = JSON.parse(release('--json').stdout)
  expect(listed).toMatchObject({ session, pid: child.pid, miss: { to: 'mkdir' } })
  expect(Object.keys(listed)).toEqual(['session', 'pid', 'command', 'miss'])
  expect(release(session, '--allow')).toEqual(expect.objectContaining({ status: 0, stdout: '', stderr: '' }))
  expect(await ended).toMatchObject({ code: 100, stderr: expect.stringContaining('; allowed') })
  expect(existsSync(target)).toBe(true)
  expect(release().stderr).toBe('tracefp: no session is frozen\n')
  expect(sockets()).toEqual([])
})

test.each(ENGINES)('released with --kill, the call does not happen: %s', async (engine) => {
  const { session, ended } = await frozen(engine)
  expect(release(session, '--kill').status).toBe(0)
  expect(await ended).toMatchObject({ code: 100, stderr: expect.stringContaining('; killed') })
  expect(existsSync(target)).toBe(false)
  expect(alive(target)).toEqual([])
})

test('it freezes at each miss anew', async () => {
  const { session, ended } = await frozen('notify', [call, 'mkdir', target, '3'])
  for (let i = 0; i < 3; i++) {
    await until(() => release().stdout.includes(session), 'the next freeze')
    expect(release(session, '--allow').status).toBe(0)
  }
  const { stderr } = await ended
  expect(stderr.match(/frozen at: /g)?.length).toBe(3)
  expect(stderr.match(/; allowed$/gm)?.length).toBe(3)
})

test('a session that is not there, or not frozen, and half a command are each one line and an exit code', async () => {
  const { session, ended } = await frozen('notify')
  const other = `${session.slice(0, -1)}${session.endsWith('Z') ? 'Y' : 'Z'}`
  expect(release(other, '--allow')).toMatchObject({
    status: 5,
    stderr: expect.stringMatching(/^tracefp: [^\n]*none[^\n]*\n$/),
  })
  expect(release('../../etc/passwd', '--allow')).toMatchObject({ status: 5 })
  expect(release(session)).toMatchObject({ status: 2, stderr: expect.stringMatching(/--allow and --kill/) })
  expect(release(session, '--allow', '--kill').status).toBe(2)
  expect(release('--kill').status).toBe(2)
  expect(existsSync(target)).toBe(false)
  release(session, '--kill')
  await ended
  expect(release(session, '--allow')).toMatchObject({ status: 5, stderr: expect.stringMatching(/there is none/) })
})

test('what was written to the socket before it froze does not release it', async () => {
  const { session, ended } = await frozen('notify')
  const path = join(place.home, 'frozen', `${session}.sock`)
  for (const line of ['allow', 'allow ', 'allow null', `allow ${session}`, 'kill', 'show me', 'x'.repeat(100)]) {
    const answer = await new Promise((resolve) => {
      const socket = createConnection(path, () => socket.write(`${line}\n`))
      socket.on('data', (text) => resolve(text.toString()))
    })
    expect(answer).toMatch(/^error /)
  }
  expect(release().stdout).toContain(session)
  expect(existsSync(target)).toBe(false)
  release(session, '--kill')
  await ended
})

test.each(ENGINES)(
  'a frozen program that is killed from outside ends the session, and its call does not run: %s',
  async (engine) => {
    const { ended, session } = await frozen(engine)
    const { tgid } = JSON.parse(release('--json').stdout)[0].miss
    process.kill(tgid, 'SIGKILL')
    expect(await ended).toMatchObject({ code: 100, stderr: expect.stringContaining('; killed') })
    expect(existsSync(target)).toBe(false)
    expect(sockets()).not.toContain(`${session}.sock`)
  },
)

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s to the frozen command line kills the program',
  async (signal) => {
    for (const engine of ENGINES) {
      const { child, ended } = await frozen(engine)
      child.kill(signal)
      expect(await ended).toMatchObject({ code: 100, stderr: expect.stringContaining('; killed') })
      expect(existsSync(target)).toBe(false)
      expect(alive(target)).toEqual([])
    }
    expect(sockets()).toEqual([])
  },
)

test.each(ENGINES)(
  'kill -9 of the frozen command line leaves no tracee, and its socket is cleared away: %s',
  async (engine) => {
    const { child, session, ended } = await frozen(engine)
    child.kill('SIGKILL')
    expect((await ended).signal).toBe('SIGKILL')
    await until(() => alive(target).length === 0, 'the end of the tracee')
    expect(existsSync(target)).toBe(false)
    expect(sockets()).toContain(`${session}.sock`)
    expect(release().stderr).toBe('tracefp: no session is frozen\n')
    expect(sockets()).not.toContain(`${session}.sock`)
  },
)

test.each(['worker', 'this'] as const)(
  'a callback that throws leaves nothing that waits for ever: in thread %s',
  async (thread) => {
    const fingerprint = await place.learned([[call]])
    const fail = (): never => {
      throw new Error('from the host')
    }
    const options = {
      fingerprint,
      home: place.home,
      cwd: place.work,
      stdio: 'ignore',
      thread,
      onMiss: 'freeze',
    } as const
    const unheard = new CheckSession([call, 'mkdir', target], { ...options, onFreeze: fail })
    const pid = await unheard.pid
    await expect(unheard.report).rejects.toThrow('from the host')
    expect([existsSync(`/proc/${pid}`), existsSync(target)]).toEqual([false, false])

    let tellFrozen = (): void => {}
    const isFrozen = new Promise<void>((resolve) => {
      tellFrozen = resolve
    })
    const thawed = new CheckSession([call, 'mkdir', target], { ...options, onFreeze: () => tellFrozen(), onThaw: fail })
    await isFrozen
    await expect(thawed.release('allow')).rejects.toThrow('from the host')
    expect((await thawed.report).exit).toEqual({ code: 0, signal: null })
    expect(existsSync(target)).toBe(true)
  },
)
