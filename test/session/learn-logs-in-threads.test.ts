// Learning from logs on several cores: the files are, byte by byte, those that one thread writes, and the same is told.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { learnLogsInThreads } from '../../src/session/learn-logs-in-threads.ts'
import { LogFolder } from './log-folder.ts'

const ids = vi.hoisted(() => ({ count: 0 }))

vi.mock('../../src/model/ulid.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/model/ulid.ts')>()
  const newUlid = (): string => {
    ids.count += 1
    return `01JD8Z5XKQ3V7M2N4P6R8S${String(ids.count).padStart(4, '0')}`
  }
  return { ...original, newUlid }
})

const folder = new LogFolder()
beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T06:00:00Z') }))
afterEach(() => vi.useRealTimers())
afterAll(() => rmSync(folder.path, { recursive: true }))

/** Runs that differ, one that is not there, one that is no log, one of which nothing is learned. */
function logs(): string[] {
  const more = (name: string): string => folder.write(`${name}.log`, folder.goodWith(`${name}(0) = 0`))
  return [
    more('getpriority'),
    folder.timed(),
    folder.nowhere(),
    folder.words(),
    folder.write('filtered.log', folder.recorded('e_trace.o.log')),
    ...['getuid', 'geteuid', 'getgid', 'getegid'].map(more),
    folder.write('again.log', folder.good),
  ]
}

interface Learned {
  readonly events: unknown[]
  readonly files: ReadonlyMap<string, string>
}

/** `file` null: in the store, which has what `before` brings about. */
async function learn(threadCount: number, file: string | null, before: readonly string[] = []): Promise<Learned> {
  const home = join(folder.path, 'home')
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home)
  ids.count = 0
  const events: unknown[] = []
  const options = {
    format: 'auto',
    mapping: null,
    file: file === null ? null : join(home, file),
    name: null,
    scenario: 'default',
    settings: { depth: 3 },
    home,
    worthBytes: 1,
    roundCount: 3,
    onOpen: ({ name, format, reason }) => events.push({ name, format: format.name, reason }),
    onSession: (session) => events.push(session),
    onWritten: (written) => events.push(written),
    onFailure: (error, name) => events.push({ error: String(error), name }),
  } satisfies Omit<Parameters<typeof learnLogsInThreads>[0], 'logs'>
  if (before.length > 0) await learnLogsInThreads({ ...options, logs: before, threadCount: 1 })
  await learnLogsInThreads({ ...options, logs: logs(), threadCount })
  const names = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tf[pl]/.test(name))
  return { events, files: new Map(names.sort().map((name) => [name, readFileSync(join(home, name), 'latin1')])) }
}

describe('logs learned on several cores', () => {
  test('make the same file', async () => {
    const alone = await learn(1, 'own.tfp')
    expect(alone.events.filter((event) => 'refusal' in (event as object)).length).toBe(8)
    expect(alone.events.filter((event) => 'error' in (event as object)).length).toBe(2)
    expect(alone.files.size).toBe(2)
    expect(alone.files.get('own.tfp')).toContain('geteuid')
    expect(await learn(3, 'own.tfp')).toEqual(alone)
  })

  test('are added to the same file', async () => {
    const before = [folder.write('before.log', folder.recorded('f_t.o.log'))]
    const alone = await learn(1, 'own.tfp', before)
    expect(await learn(2, 'own.tfp', before)).toEqual(alone)
  })

  test('go to the same files of the store', async () => {
    const alone = await learn(1, null)
    expect(alone.files.size).toBeGreaterThan(1)
    expect(await learn(3, null)).toEqual(alone)
  })
})
