// The supervisor of examples/: it embeds the library as a host would, through the name of the package.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { CheckSessionOptions } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { alive, Place, tracee, until } from './guarding.ts'

interface Supervisor {
  readonly facts: { state: string; pid: number | null; startCount: number; missCount: number; failure: string | null }
  run(): Promise<void>
  stop(): Promise<void>
}
type SupervisorClass = new (argv: readonly string[], options: CheckSessionOptions, times?: object) => Supervisor

const EXAMPLE = join(PACKAGE_ROOT, 'examples/supervisor')
const { Supervisor } = (await import(join(EXAMPLE, 'supervisor.mjs'))) as { Supervisor: SupervisorClass }
const place = new Place('supervisor')
const target = join(place.work, 'target')
const call = tracee('guarded_call')
const running = new Set<ChildProcess>()
afterAll(() => place.remove())
beforeEach(() => place.renew())
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

function supervise(argv: readonly string[], fingerprint: string, times: object = {}): Supervisor {
  const options = { fingerprint, home: place.home, cwd: place.work, stdio: 'ignore', onMiss: 'deny' } as const
  return new Supervisor(argv, options, { firstPauseMs: 1, ...times })
}

test('a program that ends is started again, until it ends too often too soon', async () => {
  const argv = ['sh', '-c', 'exit 3']
  const supervisor = supervise(argv, await place.learned([argv]), { startLimit: 4 })
  await supervisor.run()
  expect(supervisor.facts).toMatchObject({
    state: 'failed',
    startCount: 4,
    missCount: 0,
    failure: 'it ended 4 times in a row, each time at once',
  })
})

test('a program that is killed is started again, and stopped when the supervisor is', async () => {
  const mark = `98.${process.pid}`
  const supervisor = supervise(['sleep', mark], await place.learned([['sleep', '0.01']]))
  const ended = supervisor.run()
  await until(() => supervisor.facts.state === 'running', 'the first start')
  process.kill(supervisor.facts.pid as number, 'SIGKILL')
  await until(() => supervisor.facts.startCount === 2 && supervisor.facts.state === 'running', 'the second start')
  expect(alive(mark)).toHaveLength(1)
  await supervisor.stop()
  await ended
  expect(supervisor.facts).toMatchObject({ state: 'stopped', startCount: 2, failure: null })
  expect(alive(mark)).toEqual([])
})

test('a program without a fingerprint is not run, and not started again', async () => {
  const supervisor = supervise([tracee('makes_directory')], await place.learned([[call]]))
  await supervisor.run()
  expect(supervisor.facts).toMatchObject({ state: 'failed', startCount: 1 })
  expect(supervisor.facts.failure).toContain('no fingerprint')
  expect(existsSync(target)).toBe(false)
})

/** main.mjs with a program that waits at a miss of medium severity. */
async function waiting(): Promise<{ child: ChildProcess; url: string; token: string; ended: Promise<number | null> }> {
  const fingerprint = await place.learned([[call]])
  const args = [join(EXAMPLE, 'main.mjs'), '-f', fingerprint, '--port', '0', '--', call, 'mkdir', target]
  const env = { ...process.env, TRACEFP_HOME: place.home }
  const child = spawn(process.execPath, args, { cwd: place.work, env, stdio: ['ignore', 'ignore', 'pipe'] })
  running.add(child)
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  const ended = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  await until(() => /token \w+\n/.test(said), 'the address')
  const [, url, token] = /(http:\S+)\/health, token (\w+)/.exec(said) as unknown as [string, string, string]
  while (((await (await fetch(`${url}/misses`)).json()) as unknown[]).length === 0) await sleep(20)
  return { child, url, token, ended }
}

test('an operator decides about a miss while the program waits, and only with the token', async () => {
  const { child, url, token, ended } = await waiting()
  const settle = (headers: Record<string, string>, body: string) =>
    fetch(`${url}/misses/1`, { method: 'POST', headers, body }).then(({ status }) => status)
  const health = await fetch(`${url}/health`)
  expect(health.status).toBe(503)
  expect(await health.json()).toMatchObject({ state: 'running', startCount: 1, waitCount: 1 })
  const [miss] = (await (await fetch(`${url}/misses`)).json()) as object[]
  expect(miss).toMatchObject({ id: '1', from: 'getppid', to: 'mkdir', severity: 'medium' })
  expect(await settle({}, 'allow')).toBe(401)
  expect(await settle({ authorization: `Bearer ${token}x` }, 'allow')).toBe(401)
  expect(await settle({ authorization: `Bearer ${token}` }, 'perhaps')).toBe(400)
  expect(existsSync(target)).toBe(false)
  expect(await settle({ authorization: `Bearer ${token}` }, 'allow')).toBe(200)
  await until(() => existsSync(target), 'what was allowed')
  expect(await settle({ authorization: `Bearer ${token}` }, 'deny')).toBe(409)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(alive(target)).toEqual([])
})

test('a supervisor that is killed while an operator is asked leaves nothing, and the call does not happen', async () => {
  const { child, ended } = await waiting()
  child.kill('SIGKILL')
  await ended
  await until(() => alive(target).length === 0, 'the end of the program')
  expect(existsSync(target)).toBe(false)
})
