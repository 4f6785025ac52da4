// What the session store answers. Pages go backwards in time: give the id of the last row as `before` of the next page.

import type { AlertEvent } from '../alert/event.ts'
import type { Miss } from '../match/miss.ts'
import type { Report } from '../match/report.ts'
import type { Database, Row, Value } from './database.ts'
import {
  type ActionRow,
  type AlertDetail,
  type AlertRow,
  type AlertState,
  FIRST_LIBRARY,
  type FingerprintRow,
  type ProgramRow,
  type SessionDetail,
  type SessionRow,
  type StoreCounts,
} from './records.ts'

export interface Page {
  /** At most 1,000; default 100. */
  readonly limit?: number
  /** Id; what is older than it. */
  readonly before?: string
}

export interface SessionQuery extends Page {
  readonly verdict?: 'authentic' | 'abnormal' | 'inconclusive'
  readonly state?: 'running' | 'ended' | 'lost'
  /** Key of a program that ran in it. */
  readonly program?: string
}

export interface AlertQuery extends Page {
  readonly state?: AlertState
  readonly session?: string
  readonly program?: string
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

export function sessionsOf(database: Database, query: SessionQuery): SessionRow[] {
  const where = new Where()
    .add('id < ?', query.before)
    .add('verdict = ?', query.verdict)
    .add('state = ?', query.state)
    .add('id IN (SELECT session FROM session_program WHERE program = ?)', query.program)
  const sql = `SELECT * FROM session ${where.text} ORDER BY id DESC LIMIT ?`
  return database
    .prepare(sql)
    .all(...where.values, limitOf(query))
    .map(sessionOf)
}

export function sessionDetail(database: Database, id: string): SessionDetail | null {
  const row = database.prepare('SELECT * FROM session WHERE id = ?').get(id)
  if (row === undefined) return null
  return {
    ...sessionOf(row),
    report: reportOf(database, row),
    alerts: alertsOf(database, { session: id, limit: MAX_LIMIT }),
  }
}

export function alertsOf(database: Database, query: AlertQuery): AlertRow[] {
  const where = new Where()
    .add('id < ?', query.before)
    .add('state = ?', query.state)
    .add('session = ?', query.session)
    .add('program = ?', query.program)
  const sql = `SELECT * FROM alert ${where.text} ORDER BY id DESC LIMIT ?`
  return database
    .prepare(sql)
    .all(...where.values, limitOf(query))
    .map(alertOf)
}

export function alertDetail(database: Database, id: string): AlertDetail | null {
  const row = database.prepare('SELECT * FROM alert WHERE id = ?').get(id)
  if (row === undefined) return null
  const actions = database.prepare('SELECT * FROM action WHERE alert = ? ORDER BY rowid').all(id)
  return {
    ...alertOf(row),
    event: JSON.parse(String(row['body'])) as AlertEvent,
    actions: actions.map((action) => ({ ...action }) as unknown as ActionRow),
  }
}

/** Those whose id begins so: ids may be shortened on a command line. At most two are looked for. */
export function idsLike(database: Database, table: 'session' | 'alert', beginning: string): string[] {
  const sql = `SELECT id FROM ${table} WHERE id >= ? AND id < ? ORDER BY id LIMIT 2`
  return database
    .prepare(sql)
    .all(beginning, `${beginning}~`)
    .map(({ id }) => String(id))
}

/** Everything that changed after `changed`, oldest change first. */
export function changedSince(
  database: Database,
  changed: number,
): { readonly sessions: SessionRow[]; readonly alerts: AlertRow[] } {
  const rows = (table: string): Row[] =>
    database.prepare(`SELECT * FROM ${table} WHERE changed > ? ORDER BY changed LIMIT ?`).all(changed, MAX_LIMIT)
  return { sessions: rows('session').map(sessionOf), alerts: rows('alert').map(alertOf) }
}

export function programsOf(database: Database): ProgramRow[] {
  const fingerprints = new Map<string, FingerprintRow[]>()
  for (const row of database.prepare('SELECT * FROM fingerprint ORDER BY last_session DESC').all()) {
    const program = String(row['program'])
    fingerprints.set(program, [
      ...(fingerprints.get(program) ?? []),
      {
        sha256: String(row['sha256']),
        firstSession: String(row['first_session']),
        lastSession: String(row['last_session']),
        sessionCount: Number(row['session_count']),
      },
    ])
  }
  const sql = `SELECT program, count(DISTINCT session) AS sessions, sum(miss_count) AS misses, max(session) AS last
    FROM session_program GROUP BY program ORDER BY program`
  return database
    .prepare(sql)
    .all()
    .map((row) => ({
      program: String(row['program']),
      sessionCount: Number(row['sessions']),
      missCount: Number(row['misses']),
      lastSession: String(row['last']),
      fingerprints: fingerprints.get(String(row['program'])) ?? [],
    }))
}

export function countsOf(database: Database, byteCount: number): StoreCounts {
  const sums = database
    .prepare(
      `SELECT count(*) AS sessions, total(state = 'running') AS running, total(state = 'lost') AS lost,
         total(verdict = 'abnormal') AS abnormal, total(verdict = 'inconclusive') AS inconclusive, total(miss_count) AS misses,
         total(gap_count) AS gaps, total(dropped_count) AS drops, total(unparsed_line_count) AS unparsed FROM session`,
    )
    .get() as Row
  const open = database.prepare("SELECT count(*) AS n FROM alert WHERE state IN ('new', 'incident')").get() as Row
  return {
    sessionCount: Number(sums['sessions']),
    runningCount: Number(sums['running']),
    lostCount: Number(sums['lost']),
    abnormalCount: Number(sums['abnormal']),
    inconclusiveCount: Number(sums['inconclusive']),
    openAlertCount: Number(open['n']),
    missCount: Number(sums['misses']),
    gapCount: Number(sums['gaps']),
    droppedCount: Number(sums['drops']),
    unparsedLineCount: Number(sums['unparsed']),
    byteCount,
  }
}

/** In how many other sessions the same step was a miss, and in how many of them the alert was allowed. */
export function knownElsewhere(
  database: Database,
  step: Pick<Miss, 'image' | 'from' | 'to'>,
  session: string,
): { readonly sessionCount: number; readonly allowedCount: number } {
  const stepOf = 'miss.program = ? AND from_symbol = ? AND to_symbol = ?'
  const sql = `SELECT (SELECT count(DISTINCT session) FROM miss WHERE ${stepOf} AND session <> ?) AS sessions,
    (SELECT count(*) FROM alert WHERE state = 'allowed' AND session <> ?
      AND EXISTS (SELECT 1 FROM miss WHERE ${stepOf} AND miss.session = alert.session AND miss.program = alert.program))
    AS allowed`
  const { image, from, to } = step
  const row = database.prepare(sql).get(image, from, to, session, session, image, from, to) as Row
  return { sessionCount: Number(row['sessions']), allowedCount: Number(row['allowed']) }
}

/** The report as it was told, byte for byte when written as JSON. */
function reportOf(database: Database, row: Row): Report | null {
  if (typeof row['body'] !== 'string') return null
  const id = String(row['id'])
  const programs = database.prepare('SELECT * FROM session_program WHERE session = ? ORDER BY n').all(id)
  const misses = database.prepare('SELECT body FROM miss WHERE session = ? AND n < ? ORDER BY n').all(id, FIRST_LIBRARY)
  return {
    ...(JSON.parse(row['body']) as Report),
    programs: programs.map((program) => ({
      image: String(program['program']),
      sha256: program['sha256'] as string | null,
      fingerprint: program['fingerprint'] as string | null,
      recordCount: Number(program['record_count']),
      missCount: Number(program['miss_count']),
      coverage: Number(program['coverage']),
    })),
    misses: misses.map(({ body }) => JSON.parse(String(body)) as Miss),
  }
}

function sessionOf(row: Row): SessionRow {
  return {
    id: String(row['id']),
    state: row['state'] as SessionRow['state'],
    name: String(row['name']),
    program: String(row['program']),
    host: String(row['host']),
    uid: Number(row['uid']),
    pid: row['pid'] as number | null,
    kind: row['kind'] as SessionRow['kind'],
    engine: row['engine'] as string | null,
    startedAt: String(row['started_at']),
    endedAt: row['ended_at'] as string | null,
    verdict: row['verdict'] as SessionRow['verdict'],
    outcome: row['outcome'] as SessionRow['outcome'],
    recordCount: Number(row['record_count']),
    missCount: Number(row['miss_count']),
    gapCount: Number(row['gap_count']),
    droppedCount: Number(row['dropped_count']),
    unparsedLineCount: Number(row['unparsed_line_count']),
    evidence: row['evidence'] as string | null,
    changed: Number(row['changed']),
  }
}

function alertOf(row: Row): AlertRow {
  return {
    id: String(row['id']),
    session: String(row['session']),
    program: String(row['program']),
    state: row['state'] as AlertState,
    severity: row['severity'] as AlertRow['severity'],
    score: Number(row['score']),
    mode: row['mode'] as AlertRow['mode'],
    openedAt: String(row['opened_at']),
    updatedAt: String(row['updated_at']),
    missCount: Number(row['miss_count']),
    suppressedCount: Number(row['suppressed_count']),
    isTold: Number(row['told']) !== 0,
    changed: Number(row['changed']),
  }
}

function limitOf({ limit }: Page): number {
  return Math.max(1, Math.min(MAX_LIMIT, limit ?? DEFAULT_LIMIT))
}

class Where {
  readonly values: Value[] = []
  readonly #parts: string[] = []

  add(part: string, value: Value | undefined): this {
    if (value === undefined) return this
    this.#parts.push(part)
    this.values.push(value)
    return this
  }

  get text(): string {
    return this.#parts.length === 0 ? '' : `WHERE ${this.#parts.join(' AND ')}`
  }
}
