// A process of tracefp's own that does not do as it should: whatever it says or leaves unsaid, its host goes on.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { startInProcess } from '../../src/session/judge-process.ts'
import type { WorkerTask } from '../../src/session/protocol.ts'

const played = vi.hoisted(() => ({ file: '' }))

vi.mock('node:child_process', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:child_process')>()
  const other = (command: string, [entry, ...rest]: string[], options: object): ChildProcess => {
    return original.spawn(
      command,
      [entry?.endsWith('judge.js') === true ? played.file : (entry ?? ''), ...rest],
      options,
    )
  }
  return { ...original, spawn: other }
})

const folder = mkdtempSync(join(tmpdir(), 'judge-process-'))
const started: number[] = []
afterEach(() => {
  for (const pid of started.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
})
afterAll(() => rmSync(folder, { recursive: true }))

const launch = { stdio: [0, 1, 2] }
const TASK = { kind: 'check', options: { target: { kind: 'launch', launch } } } as unknown as WorkerTask

/** What the process does, as the body of a module; `tell` sends a message, `raw` bytes. */
function play(body: string, stopMs?: number) {
  const own = join(folder, 'own.pid')
  rmSync(own, { force: true })
  played.file = join(folder, 'judge.mjs')
  writeFileSync(
    played.file,
    `import { spawn } from 'node:child_process'
import { readSync, writeFileSync, writeSync } from 'node:fs'
import { serialize } from 'node:v8'
const raw = (bytes) => writeSync(3, bytes)
const frame = (body) => { const head = Buffer.alloc(4); head.writeUInt32LE(body.length); return Buffer.concat([head, body]) }
const tell = (message) => raw(frame(serialize(message)))
writeFileSync(${JSON.stringify(own)}, String(process.pid))
${body}`,
  )
  const heard: string[] = []
  let failures = 0
  let send: ((message: { readonly type: 'stop' }) => void) | undefined
  const failed = new Promise<string>((resolve) => {
    const fail = (error: unknown): void => {
      failures += 1
      resolve(String(error))
    }
    const hear = ({ type }: { readonly type: string }): void => void heard.push(type)
    send = startInProcess(TASK, { hear, fail, onKept: () => {} }, stopMs)
  })
  const pid = (): number => Number(readFileSync(own, 'latin1'))
  return {
    heard,
    failed,
    stop: () => send?.({ type: 'stop' }),
    pid,
    hasBegun: () => existsSync(own),
    count: () => failures,
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

const gone = (pid: number): Promise<void> => vi.waitFor(() => expect(isAlive(pid)).toBe(false), 20_000)
const forEver = 'setInterval(() => {}, 1000)'

test.each([
  ['a length that no message has', "raw(Buffer.from('ffffffff00', 'hex'))", /4294967295 bytes/],
  ['bytes that are no message', "raw(frame(Buffer.from('nonsense')))", /deserialize/],
  ['bytes of a message that is cut short', 'raw(frame(serialize({ a: [1, 2, 3] }).subarray(0, -3)))', /deserialize/],
])('%s end the process, and the task', async (_, body, why) => {
  const judge = play(`tell({ type: 'wantsTask' }); ${body}; ${forEver}`)
  expect(await judge.failed).toMatch(why)
  await gone(judge.pid())
  expect(judge.heard).toEqual([])
})

test('what it said before its end is heard, and the program that nobody judges is killed', async () => {
  const judge = play(
    "const { pid } = spawn('sleep', ['100']); writeFileSync(process.argv[1] + '.program', String(pid)); tell({ type: 'started', pid }); process.exit(1)",
  )
  expect(await judge.failed).toMatch(/ended before its task was done/)
  expect(judge.heard).toEqual(['started'])
  const program = Number(readFileSync(`${played.file}.program`, 'latin1'))
  started.push(program)
  await gone(program)
})

test('a program that is none of its own is not killed for it', async () => {
  const { pid } = spawn('sleep', ['100'], { stdio: 'ignore' })
  started.push(pid as number)
  for (const other of [pid, process.pid, -1, 0, '1/../self']) {
    const judge = play(`tell({ type: 'started', pid: ${JSON.stringify(other)} }); process.exit(1)`)
    expect(await judge.failed).toMatch(/ended before its task was done/)
    expect(judge.heard).toEqual(['started'])
    expect(isAlive(pid as number)).toBe(true)
  }
})

test('one that does not stop when it is told to is killed', async () => {
  const judge = play(`const { pid } = spawn('sleep', ['100']); tell({ type: 'started', pid }); ${forEver}`, 100)
  await vi.waitFor(() => expect(judge.heard).toEqual(['started']), 20_000)
  judge.stop()
  expect(await judge.failed).toMatch(/ended before its task was done/)
  await gone(judge.pid())
})

test('to one that reads nothing and is gone, things are said in vain', async () => {
  const judge = play('process.exit(0)')
  judge.stop()
  await judge.failed
  judge.stop()
  expect(judge.heard).toEqual([])
})
