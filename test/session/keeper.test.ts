// A session that is kept: what sinks are told while it runs and at its end.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { DEFAULT_POLICY, type Policy } from '../../src/alert/policy.ts'
import type { Miss } from '../../src/match/miss.ts'
import { newUlid } from '../../src/model/ulid.ts'
import { Alarm } from '../../src/session/alarm.ts'
import { Keeper } from '../../src/session/keeper.ts'
import { SessionStore } from '../../src/store/session-store.ts'
import { newFolder } from '../store/folder.ts'
import { missOf, resultOf } from '../store/reports.ts'

interface Told {
  readonly kind: string
  readonly alert: string
  readonly id: string
  readonly missCount: number
  readonly severity: string
}

function setUp(given: Partial<Policy> = {}): { home: string; policy: Policy; told: () => Told[] } {
  const home = newFolder()
  mkdirSync(home, { mode: 0o700 })
  const file = join(home, 'told.jsonl')
  const policy: Policy = { ...DEFAULT_POLICY, tellFrom: 'low', sinks: [{ name: 'x', type: 'jsonl', file }], ...given }
  const told = (): Told[] => {
    try {
      return readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    } catch {
      return []
    }
  }
  return { home, policy, told }
}

const quiet = missOf({ to: 'getpid', severity: 'low', image: '/usr/bin/server' })
const bad = missOf({ to: 'execve', severity: 'critical', image: '/usr/bin/server' })

async function go(
  rounds: readonly (readonly Miss[])[],
  given: Partial<Policy> = {},
): Promise<{ told: Told[]; home: string }> {
  const { home, policy, told } = setUp(given)
  const trouble = vi.fn()
  const alarm = await Alarm.of(home, policy, trouble)
  const session = newUlid()
  const misses: Miss[] = []
  for (const round of rounds) {
    misses.push(...round)
    await alarm.missed({ session, name: './server', argv: [] }, misses)
  }
  await alarm.ended(resultOf(misses, { session }), null)
  expect(trouble).not.toHaveBeenCalled()
  return { told: told(), home }
}

test('one alert per program, however many misses: the first, what is worse, and the sum at the end', async () => {
  const { told, home } = await go([[quiet], [quiet, quiet], [quiet, bad], [bad, bad]])
  expect(told.map(({ kind, missCount, severity }) => [kind, missCount, severity])).toEqual([
    ['opened', 1, 'low'],
    ['raised', 5, 'critical'],
    ['closed', 7, 'critical'],
  ])
  expect(new Set(told.map(({ alert }) => alert)).size).toBe(1)
  expect(new Set(told.map(({ id }) => id)).size).toBe(3)
  using store = await SessionStore.open(home)
  expect(store.alerts()).toMatchObject([{ id: told[0]?.alert, missCount: 7, severity: 'critical', isTold: true }])
})

test('each program of a session has an alert of its own', async () => {
  const { told } = await go([[bad, { ...bad, image: '/usr/bin/other' }]])
  expect(told.slice(0, 2).map(({ kind }) => kind)).toEqual(['opened', 'opened'])
  expect(new Set(told.map(({ alert }) => alert)).size).toBe(2)
})

test('of several sessions that one keeper ends, each has its alert', async () => {
  const { home, policy } = setUp()
  const keeper = new Keeper({ home, policy, onTrouble: vi.fn() })
  const sessions = [newUlid(), newUlid()]
  for (const session of sessions) await keeper.ended(resultOf([bad], { session }))
  using store = await SessionStore.open(home)
  expect(store.alerts().map(({ session }) => session)).toEqual(sessions.reverse())
})

test('what is observed, too low or in quiet hours is recorded and told to nobody', async () => {
  for (const given of [
    { defaultMode: 'observe' },
    { tellFrom: 'critical' },
    { quiet: [[0, 1440]] },
  ] as Partial<Policy>[]) {
    const { told, home } = await go([[quiet]], given)
    expect(told).toEqual([])
    using store = await SessionStore.open(home)
    expect(store.alerts()).toMatchObject([{ isTold: false, missCount: 1 }])
  }
})

test('misses that are no alarm raise none', async () => {
  const { told, home } = await go([[{ ...bad, isAlarm: false }]])
  expect(told).toEqual([])
  using store = await SessionStore.open(home)
  expect(store.alerts()).toEqual([])
})

test('what was allowed elsewhere weighs little', async () => {
  const { home, policy } = setUp()
  const once = async (): Promise<void> => {
    const alarm = await Alarm.of(home, policy, vi.fn())
    await alarm.ended(resultOf([missOf({ ...bad, image: '/usr/bin/server' })]), null)
  }
  await once()
  using store = await SessionStore.open(home)
  const [first] = store.alerts()
  store.decide({ alert: first?.id as string, state: 'allowed', actor: 'ann', via: 'cli', note: '' })
  await once()
  store.takeIn()
  expect(store.alerts({ state: 'new' })).toMatchObject([{ severity: 'low' }])
  expect(first?.severity).toBe('critical')
})

test('a library that changed has an alert beside the verdict, which weighs little once it was allowed', async () => {
  const { home, policy, told } = setUp()
  const library = {
    program: '/usr/bin/server',
    path: '/lib/libx.so',
    sha256: 'b'.repeat(64),
    learned: ['a'.repeat(64)],
  }
  const notes = [{ code: 'library_changed', message: 'x', library }]
  const once = async (): Promise<void> => {
    await new Keeper({ home, policy, onTrouble: vi.fn() }).ended(resultOf([], { notes }))
  }
  await once()
  using store = await SessionStore.open(home)
  expect(store.sessions()).toMatchObject([{ verdict: 'authentic', missCount: 0 }])
  const [alert] = store.alerts()
  expect(alert).toMatchObject({ severity: 'high', missCount: 1, suppressedCount: 0 })
  expect(store.session(store.sessions()[0]?.id as string)?.report).toMatchObject({ misses: [], notes })
  store.decide({ alert: alert?.id as string, state: 'allowed', actor: 'ann', via: 'cli', note: 'updated' })
  await once()
  expect(told().map(({ severity }) => severity)).toEqual(['high', 'low'])
  expect(store.audit().findings).toEqual([])
})

test('a home that cannot be used is told, each trouble once, and the keeper goes on', async () => {
  const onTrouble = vi.fn()
  const keeper = new Keeper({ home: '/proc/none', policy: null, onTrouble })
  keeper.begun({ session: newUlid(), name: 'x', argv: [] })
  keeper.miss(bad)
  await keeper.ended(resultOf())
  expect(keeper.evidenceOptions()).toEqual({})
  const messages = onTrouble.mock.calls.map(([message]) => message)
  expect(messages.length).toBeGreaterThan(0)
  expect(new Set(messages).size).toBe(messages.length)
})
