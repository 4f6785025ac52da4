// Takes what was told into the tables: idempotent, so that whoever was killed halfway is followed by one who does it again.

import { readFileSync } from 'node:fs'
import { libraryMissesOf } from '../match/library-miss.ts'
import type { Report } from '../match/report.ts'
import { append } from './chain.ts'
import type { Database, Value } from './database.ts'
import { type AlertRecord, type BegunRecord, type EndedRecord, FIRST_LIBRARY, type StoreRecord } from './records.ts'

/** Within a transaction that holds the write lock. `changed`: number of this change. */
export function takeIn(database: Database, record: StoreRecord, changed: number): void {
  switch (record.kind) {
    case 'begin':
      return takeBegin(database, record, changed)
    case 'alert':
      return takeAlert(database, record, changed)
    case 'end':
      return takeEnd(database, record, changed)
  }
}

/** Sessions whose tracefp is gone: to be asked before the inbox is read, since what it told last is there by then. */
export function orphans(database: Database): string[] {
  const rows = database.prepare("SELECT id, pid, pid_start, boot_id FROM session WHERE state = 'running'").all()
  return rows.filter((row) => !isRunning(Number(row['pid']), row['pid_start'], row['boot_id'])).map(({ id }) => `${id}`)
}

/** A session that nobody will end any more. */
export function lose(database: Database, id: string, changed: number): void {
  const { isNew } = changeOf(
    database
      .prepare(
        `UPDATE session SET state = 'lost', verdict = 'inconclusive', outcome = 'inconclusive', pid = NULL, pid_start = NULL,
           changed = ? WHERE id = ? AND state = 'running'`,
      )
      .run(changed, id),
  )
  if (isNew) link(database, id)
}

/** Start of a process in clock ticks after boot; null: there is none. */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie is over, whether its parent knows or not.
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function isRunning(pid: number, start: Value | undefined, bootId: Value | undefined): boolean {
  const now = bootIdNow()
  return (now === '' || now === bootId) && startOf(pid) === start
}

function bootIdNow(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}

const NO_COUNTS = '0, 0, 0, 0, 0, 0, 0'

function takeBegin(database: Database, record: BegunRecord, changed: number): void {
  const { session, name, program, host, uid, pid, pidStart, bootId, startedAt } = record
  database
    .prepare(
      `INSERT INTO session (id, state, name, program, host, uid, pid, pid_start, boot_id, kind, engine, started_at, record_count,
         track_count, transition_count, miss_count, gap_count, dropped_count, unparsed_line_count, changed)
       VALUES (?, 'running', ?, ?, ?, ?, ?, ?, ?, 'live', NULL, ?, ${NO_COUNTS}, ?) ON CONFLICT (id) DO NOTHING`,
    )
    .run(session, name, program, host, uid, pid, pidStart, bootId, startedAt, changed)
}

function takeEnd(database: Database, { outcome, report, evidence }: EndedRecord, changed: number): void {
  const before = database.prepare('SELECT state FROM session WHERE id = ?').get(report.session)
  if (before !== undefined && before['state'] !== 'running') return
  database.prepare('DELETE FROM session WHERE id = ?').run(report.session)
  database
    .prepare(
      `INSERT INTO session (id, state, name, program, host, uid, boot_id, kind, engine, started_at, ended_at, verdict, outcome,
         record_count, track_count, transition_count, miss_count, gap_count, dropped_count, unparsed_line_count, body, evidence,
         evidence_sha256, changed)
       VALUES (?, 'ended', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      report.session,
      report.name,
      report.programs[0]?.image ?? report.name,
      report.host,
      report.uid,
      report.bootId,
      report.source.kind,
      report.source.engine,
      report.startedAt,
      report.endedAt,
      report.verdict,
      outcome,
      report.recordCount,
      report.trackCount,
      report.transitionCount,
      report.missCount,
      report.gapCount,
      report.droppedCount,
      report.unparsedLineCount,
      restOf(report),
      evidence?.file ?? null,
      evidence?.sha256 ?? null,
      changed,
    )
  takePrograms(database, report)
  const insert = database.prepare(
    `INSERT INTO miss (session, n, program, kind, from_symbol, to_symbol, severity, depth, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const [n, miss] of report.misses.entries()) {
    const { image, kind, from, to, severity, depth } = miss
    insert.run(report.session, n, image, kind, from, to, severity, depth, JSON.stringify(miss))
  }
  // Found by other sessions as misses are; the report has them in its notes.
  for (const [n, miss] of libraryMissesOf(report.notes, report.startedAt).entries()) {
    const { image, kind, from, to, severity, depth } = miss
    insert.run(report.session, FIRST_LIBRARY + n, image, kind, from, to, severity, depth, JSON.stringify(miss))
  }
  link(database, report.session)
}

/** As it was told, but for the lists that have tables of their own. */
function restOf(report: Report): string {
  return JSON.stringify({ ...report, programs: [], misses: [] })
}

function takePrograms(database: Database, { session, programs }: Report): void {
  const insert = database.prepare(
    `INSERT INTO session_program (session, n, program, sha256, fingerprint, record_count, miss_count, coverage)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const inForce = database.prepare(
    `INSERT INTO fingerprint (program, sha256, first_session, last_session, session_count) VALUES (?, ?, ?, ?, 1)
     ON CONFLICT (program, sha256) DO UPDATE SET last_session = excluded.last_session, session_count = session_count + 1`,
  )
  for (const [n, { image, sha256, fingerprint, recordCount, missCount, coverage }] of programs.entries()) {
    insert.run(session, n, image, sha256, fingerprint, recordCount, missCount, coverage)
    if (fingerprint !== null) inForce.run(image, fingerprint, session, session)
  }
}

function takeAlert(database: Database, { event, isTold }: AlertRecord, changed: number): void {
  // The links of an ended session are closed: what comes late cannot change its alerts.
  const state = database.prepare('SELECT state FROM session WHERE id = ?').get(event.session)?.['state']
  if (state === 'ended' || state === 'lost') return
  database
    .prepare(
      `INSERT INTO alert (id, session, program, state, severity, score, mode, opened_at, updated_at, miss_count,
         suppressed_count, told, body, changed)
       VALUES (?, ?, ?, 'new', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (session, program) DO UPDATE SET severity = excluded.severity, score = excluded.score,
         updated_at = excluded.updated_at, miss_count = excluded.miss_count, suppressed_count = excluded.suppressed_count,
         told = max(told, excluded.told), body = excluded.body, changed = excluded.changed
         WHERE excluded.updated_at >= updated_at`,
    )
    .run(
      event.alert,
      event.session,
      event.program,
      event.severity,
      event.score.value,
      event.mode,
      event.time,
      event.time,
      event.missCount,
      event.suppressedCount,
      isTold ? 1 : 0,
      JSON.stringify(event),
      changed,
    )
}

/** The session and its alerts do not change any more. */
function link(database: Database, session: string): void {
  append(database, 'session', session)
  const alerts = database.prepare('SELECT id FROM alert WHERE session = ? ORDER BY id').all(session)
  for (const { id } of alerts) append(database, 'alert', String(id))
}

/** Both engines answer `changes`; one of them may answer a bigint. */
function changeOf(result: unknown): { readonly isNew: boolean } {
  return { isNew: Number((result as { readonly changes: number | bigint }).changes) > 0 }
}
