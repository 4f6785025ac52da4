// The session store, with each SQLite there is: one suite for both.

import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import type { AlertEvent } from '../../src/alert/event.ts'
import { NOWHERE, scoreOf } from '../../src/alert/score.ts'
import { newUlid } from '../../src/model/ulid.ts'
import { type DatabaseEngine, openDatabase } from '../../src/store/database.ts'
import { Inbox } from '../../src/store/inbox.ts'
import type { BegunRecord } from '../../src/store/records.ts'
import { SessionStore, storeFile } from '../../src/store/session-store.ts'
import { startOf } from '../../src/store/take-in.ts'
import { newFolder } from './folder.ts'
import { missOf, resultOf } from './reports.ts'

const ENGINES: readonly DatabaseEngine[] = ['node:sqlite', 'libsql']
const HAS_BUILTIN = (() => {
  try {
    return (process.getBuiltinModule('node:sqlite') as unknown) !== undefined
  } catch {
    return false
  }
})()

let home = ''
let inbox = new Inbox('')

beforeEach(() => {
  home = newFolder()
  inbox = new Inbox(home)
})

function eventOf(session: string, given: Partial<AlertEvent> = {}): AlertEvent {
  const misses = given.misses ?? [missOf()]
  return {
    schema: 1,
    kind: 'opened',
    id: newUlid(),
    alert: newUlid(),
    time: new Date().toISOString(),
    tracefp: '0.1.0',
    host: 'box',
    machineId: 'm',
    bootId: 'b',
    session,
    name: './server',
    uid: 0,
    program: '/usr/bin/server',
    sha256: null,
    fingerprint: null,
    severity: 'high',
    score: scoreOf(misses, () => NOWHERE),
    mode: 'alert',
    confidence: 'full',
    missCount: misses.length,
    suppressedCount: 0,
    misses,
    gapCount: 0,
    droppedCount: 0,
    ...given,
  }
}

function begunOf(session: string, given: Partial<BegunRecord> = {}): BegunRecord {
  return {
    kind: 'begin',
    session,
    name: './server',
    program: './server',
    argv: ['./server'],
    host: 'box',
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
    uid: 0,
    pid: process.pid,
    pidStart: startOf(process.pid) as string,
    startedAt: new Date().toISOString(),
    ...given,
  }
}

/** Tells an abnormal session with one alert. */
function putAbnormal(): { session: string; alert: string } {
  const { report, outcome } = resultOf([missOf(), missOf({ from: 'close', index: 9 })])
  const event = eventOf(report.session)
  inbox.put(report.session, { kind: 'alert', event, isTold: true }, false)
  inbox.put(report.session, { kind: 'end', outcome, report, evidence: null }, true)
  return { session: report.session, alert: event.alert }
}

function putNormal(given: Parameters<typeof resultOf>[1] = {}): string {
  const { report, outcome } = resultOf([], given)
  inbox.put(report.session, { kind: 'end', outcome, report, evidence: null }, false)
  return report.session
}

describe.each(ENGINES)('with %s', (engine) => {
  const isHere = engine === 'libsql' || HAS_BUILTIN
  if (!isHere) {
    test('everything above and below', ({ skip }) => skip(`${engine} is not in this Node (${process.version})`))
    return
  }
  const open = (): Promise<SessionStore> => SessionStore.open(home, { engine })

  test('a report comes back byte for byte', async () => {
    const { report, outcome } = resultOf([missOf({ image: 'quote"\u001b[31m\u202e' }), missOf()])
    inbox.put(report.session, { kind: 'end', outcome, report, evidence: null }, true)
    using store = await open()
    expect(JSON.stringify(store.session(report.session)?.report)).toBe(JSON.stringify(report))
  })

  test('a session runs until it ends; one whose tracefp is gone is lost', async () => {
    const [running, ended, lost] = [newUlid(1), newUlid(2), newUlid(3)]
    inbox.put(running, begunOf(running), false)
    inbox.put(ended, begunOf(ended), false)
    inbox.put(lost, begunOf(lost, { pidStart: '1' }), false)
    using store = await open()
    expect(store.sessions().map(({ state }) => state)).toEqual(['lost', 'running', 'running'])
    const { report, outcome } = resultOf([], { session: ended })
    inbox.put(ended, { kind: 'end', outcome, report, evidence: null }, false)
    store.takeIn()
    expect(store.sessions().map(({ id, state }) => [id, state])).toEqual([
      [lost, 'lost'],
      [ended, 'ended'],
      [running, 'running'],
    ])
    expect(store.sessions({ state: 'running' }).map(({ id }) => id)).toEqual([running])
    expect(store.session(lost)?.verdict).toBe('inconclusive')
    expect(store.audit().findings).toEqual([])
  })

  test('pages go back in time, and a query takes what fits only', async () => {
    for (let i = 0; i < 5; i += 1) putNormal()
    const { session } = putAbnormal()
    using store = await open()
    const ids = store.sessions().map(({ id }) => id)
    expect(ids).toEqual([...ids].sort().reverse())
    expect(store.sessions({ limit: 2, before: ids[1] as string }).map(({ id }) => id)).toEqual(ids.slice(2, 4))
    expect(store.sessions({ verdict: 'abnormal' }).map(({ id }) => id)).toEqual([session])
    expect(store.sessions({ program: '/usr/bin/server' })).toHaveLength(6)
    expect(store.sessions({ program: '/usr/bin/other' })).toEqual([])
    expect(store.counts()).toMatchObject({ sessionCount: 6, abnormalCount: 1, openAlertCount: 1, missCount: 2 })
    expect(store.programs()).toMatchObject([
      { program: '/usr/bin/server', sessionCount: 6, fingerprints: [{ sha256: 'f'.repeat(64), sessionCount: 6 }] },
    ])
  })

  test('an alert is decided about, and who did it when is kept', async () => {
    const { alert } = putAbnormal()
    using store = await open()
    store.decide({ alert, state: 'acknowledged', actor: 'ann', via: 'cli', note: '' })
    const detail = store.decide({ alert, state: 'incident', actor: 'bob', via: 'console', note: 'ticket' })
    expect(detail.state).toBe('incident')
    expect(detail.actions.map(({ former, state, actor, via, note }) => [former, state, actor, via, note])).toEqual([
      ['new', 'acknowledged', 'ann', 'cli', ''],
      ['acknowledged', 'incident', 'bob', 'console', 'ticket'],
    ])
    expect(store.audit()).toMatchObject({ linkCount: 4, findings: [] })
    expect(() => store.decide({ alert: newUlid(), state: 'allowed', actor: 'x', via: 'cli', note: '' })).toThrow(
      expect.objectContaining({ code: 'TFP_ERR_STORE_UNKNOWN' }),
    )
  })

  test('an alert that becomes more is the same alert', async () => {
    const session = newUlid()
    inbox.put(session, begunOf(session), false)
    const event = eventOf(session)
    inbox.put(session, { kind: 'alert', event, isTold: true }, false)
    using store = await open()
    const time = new Date(Date.now() + 1000).toISOString()
    const raised = eventOf(session, { kind: 'raised', alert: event.alert, severity: 'critical', missCount: 5, time })
    inbox.put(session, { kind: 'alert', event: raised, isTold: false }, false)
    store.takeIn()
    expect(store.alerts()).toMatchObject([{ id: event.alert, severity: 'critical', missCount: 5, isTold: true }])
  })

  test('what changed is told from any change on', async () => {
    putNormal()
    using store = await open()
    const [first] = store.sessions()
    const { session, alert } = putAbnormal()
    store.takeIn()
    const { sessions, alerts } = store.changedSince(first?.changed as number)
    expect([sessions.map(({ id }) => id), alerts.map(({ id }) => id)]).toEqual([[session], [alert]])
  })

  test('the same step in another session is known, and that it was allowed', async () => {
    const { session, alert } = putAbnormal()
    using store = await open()
    expect(store.knownElsewhere(missOf(), session)).toEqual({ sessionCount: 0, allowedCount: 0 })
    expect(store.knownElsewhere(missOf(), newUlid())).toEqual({ sessionCount: 1, allowedCount: 0 })
    store.decide({ alert, state: 'allowed', actor: 'ann', via: 'cli', note: '' })
    expect(store.knownElsewhere(missOf(), newUlid())).toEqual({ sessionCount: 1, allowedCount: 1 })
    expect(store.knownElsewhere(missOf({ to: 'close' }), newUlid()).sessionCount).toBe(0)
  })

  test('what was told twice is kept once', async () => {
    const { report, outcome } = resultOf()
    const record = { kind: 'end', outcome, report, evidence: null } as const
    inbox.put(report.session, record, true)
    using store = await open()
    inbox.put(report.session, record, true)
    store.takeIn()
    expect(store.counts().sessionCount).toBe(1)
    expect(store.audit()).toMatchObject({ linkCount: 1, findings: [] })
  })

  test('by age the oldest normal sessions go, an open alert stays, and the chain knows', async () => {
    const old = { startedAt: '2020-01-01T00:00:00.000Z' }
    putNormal(old)
    putNormal()
    const { report, outcome } = resultOf([missOf()], old)
    inbox.put(report.session, { kind: 'alert', event: eventOf(report.session), isTold: true }, false)
    inbox.put(report.session, { kind: 'end', outcome, report, evidence: null }, true)
    using store = await open()
    expect(
      store
        .sessions()
        .map(({ startedAt }) => startedAt === old.startedAt)
        .sort(),
    ).toEqual([false, true])
    expect(store.audit()).toMatchObject({ prunedCount: 1, findings: [] })
  })

  test('by age an incident stays, and what was only looked at goes', async () => {
    const { report, outcome } = resultOf([missOf()], { startedAt: '2020-01-01T00:00:00.000Z' })
    const event = eventOf(report.session)
    inbox.put(report.session, { kind: 'alert', event, isTold: true }, false)
    inbox.put(report.session, { kind: 'end', outcome, report, evidence: null }, true)
    const decide = async (state: 'incident' | 'acknowledged'): Promise<void> => {
      using store = await open()
      store.decide({ alert: event.alert, state, actor: 'bob', via: 'cli', note: '' })
    }
    const left = async (): Promise<number> => {
      // It is looked at once in 64 changes.
      for (let change = 0; ; change += 1) {
        putNormal()
        using store = await open()
        if (change === 64) return store.sessions({ verdict: 'abnormal' }).length
      }
    }
    await decide('incident')
    expect(await left()).toBe(1)
    await decide('acknowledged')
    expect(await left()).toBe(0)
  })

  test('by size the oldest normal sessions go first, an open alert stays, and the chain knows', async () => {
    const { session } = putAbnormal()
    const argv = ['./server', 'x'.repeat(8_000)]
    const normal = Array.from({ length: 200 }, () => putNormal({ argv }))
    const keepMiB = 0.5
    using store = await SessionStore.open(home, { engine, retention: { keepDays: 90, keepMiB } })
    const left = store.sessions({ limit: 1_000 }).map(({ id }) => id)
    expect(store.counts().byteCount).toBeLessThanOrEqual(keepMiB * 2 ** 20)
    expect(left).toContain(session)
    // Not one more than had to go: a tenth of them at a time.
    expect(left.length).toBeGreaterThan(30)
    // Names of one millisecond are in no order but their own.
    expect(left.filter((id) => id !== session)).toEqual(
      normal
        .sort()
        .slice(-(left.length - 1))
        .reverse(),
    )
    expect(store.alerts()).toHaveLength(1)
    expect(store.audit()).toMatchObject({ prunedCount: 201 - left.length, findings: [] })
  })

  test('a store of the first schema is brought to this one, with all that is in it', async () => {
    const { session, alert } = putAbnormal()
    ;(await open()).close()
    // What the second step made is all that the first did not have.
    const old = await openDatabase(storeFile(home), engine)
    old.exec('DROP TABLE sink; PRAGMA user_version = 1')
    old.close()
    putNormal()
    using store = await open()
    expect(store.sessions().map(({ id }) => id)).toContain(session)
    expect(store.alerts()).toMatchObject([{ id: alert }])
    expect(store.counts().sessionCount).toBe(2)
    store.countSinks([{ name: 'x', sentCount: 1, failedCount: 0, droppedCount: 0 }])
    expect(store.sinkCounts()).toEqual([{ name: 'x', sentCount: 1, failedCount: 0, droppedCount: 0 }])
    expect(store.audit().findings).toEqual([])
  })

  test('a store that is damaged is refused in words', async () => {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    writeFileSync(storeFile(home), 'no database at all, but long enough to have a header of one'.repeat(20), {
      mode: 0o600,
    })
    await expect(open()).rejects.toMatchObject({ code: 'TFP_ERR_STORE' })
  })

  test('a store of a newer tracefp is left alone', async () => {
    ;(await open()).close()
    const database = await openDatabase(storeFile(home), engine)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(open()).rejects.toThrow(/newer tracefp/)
  })

  const TAMPERING: readonly (readonly [string, string, string])[] = [
    ['a verdict that was changed', "UPDATE session SET verdict = 'authentic' WHERE verdict = 'abnormal'", 'altered'],
    ['a miss that was removed', 'DELETE FROM miss WHERE n = 1', 'altered'],
    ['a severity that was lowered', "UPDATE alert SET severity = 'low'", 'altered'],
    ['an alert that nobody decided about', "UPDATE alert SET state = 'allowed'", 'altered'],
    ['a session that was removed', "DELETE FROM session WHERE verdict = 'abnormal'", 'missing'],
    ['a link that was removed', 'DELETE FROM chain WHERE seq = 2', 'missing'],
    [
      'links that changed places',
      'UPDATE chain SET seq = -seq WHERE seq > 2; UPDATE chain SET seq = 7 + seq WHERE seq < 0',
      'moved',
    ],
    ['the end of the chain cut off', 'DELETE FROM chain WHERE seq = 4', 'cut'],
    [
      'a session that was put in',
      "INSERT INTO session SELECT '01', state, name, program, host, uid, pid, pid_start, boot_id, kind, engine, started_at, ended_at, verdict, outcome, record_count, track_count, transition_count, miss_count, gap_count, dropped_count, unparsed_line_count, body, evidence, evidence_sha256, changed FROM session LIMIT 1",
      'added',
    ],
  ]

  test.each(TAMPERING)('audit finds %s', async (_what, sql, problem) => {
    putNormal()
    putNormal()
    putAbnormal()
    ;(await open()).close()
    const database = await openDatabase(storeFile(home), engine)
    database.exec(sql)
    database.close()
    using store = await open()
    expect(store.audit().findings.map((finding) => finding.problem)).toContain(problem)
  })
})

test('several processes write at once, and everything is there', async () => {
  const script = `
    const { SessionStore } = await import(${JSON.stringify(join(process.cwd(), 'lib/store/session-store.js'))})
    const { Inbox } = await import(${JSON.stringify(join(process.cwd(), 'lib/store/inbox.js'))})
    const [home, ...reports] = [process.argv[1], ...JSON.parse(process.argv[2])]
    const inbox = new Inbox(home)
    for (const { report, outcome } of reports) {
      inbox.put(report.session, { kind: 'end', outcome, report, evidence: null }, false)
      const store = await SessionStore.open(home)
      store.close()
    }`
  const sets = [0, 1, 2].map(() => Array.from({ length: 10 }, () => resultOf()))
  await Promise.all(
    sets.map((set) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, home, JSON.stringify(set)]),
    ),
  )
  using store = await SessionStore.open(home)
  const ids = sets.flat().map(({ report }) => report.session)
  expect(store.sessions().map(({ id }) => id)).toEqual(ids.sort().reverse())
  expect(store.audit()).toMatchObject({ linkCount: 30, findings: [] })
})

test('store and folders are for their owner alone, whatever the umask', async () => {
  const before = process.umask(0)
  try {
    putNormal()
    ;(await SessionStore.open(home)).close()
  } finally {
    process.umask(before)
  }
  const modes = ['', 'inbox', 'store.db', 'chain-head'].map((name) => statSync(join(home, name)).mode & 0o777)
  expect(modes.map((mode) => mode.toString(8))).toEqual(['700', '700', '600', '600'])
})

test('a store that others could write to, or that is a link, is refused', async () => {
  const refused = { code: 'TFP_ERR_STORE' }
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const elsewhere = newFolder()
  mkdirSync(elsewhere, { recursive: true })
  symlinkSync(join(elsewhere, 'theirs.db'), storeFile(home))
  await expect(SessionStore.open(home)).rejects.toMatchObject(refused)
  expect(readdirSync(elsewhere)).toEqual([])
  rmSync(storeFile(home))
  chmodSync(home, 0o777)
  await expect(SessionStore.open(home)).rejects.toThrow(/chmod go-w/)
  chmodSync(home, 0o700)
  symlinkSync(elsewhere, join(home, 'inbox'))
  expect(() => putNormal()).toThrow(expect.objectContaining(refused))
  expect(readdirSync(elsewhere)).toEqual([])
})

test('what is no record is set aside, and the rest is taken in', async () => {
  const session = putNormal()
  writeFileSync(join(inbox.folder, `${newUlid(1)}.end`), '{"kind":"end"}')
  writeFileSync(join(inbox.folder, `${newUlid(2)}.end`), '{"kind":')
  symlinkSync('/etc/hostname', join(inbox.folder, `${newUlid(3)}.end`))
  using store = await SessionStore.open(home)
  expect(store.sessions().map(({ id }) => id)).toEqual([session])
  expect(readdirSync(inbox.folder).filter((name) => name.startsWith('damaged-'))).toHaveLength(2)
})

test('a normal session takes less than three kilobytes', async () => {
  for (let i = 0; i < 300; i += 1) putNormal()
  using store = await SessionStore.open(home)
  expect(store.counts()).toMatchObject({ sessionCount: 300 })
  expect(store.counts().byteCount / 300).toBeLessThan(3000)
})
