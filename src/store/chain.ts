// The hash chain: every session that ended, every alert of it and every decision about one is a link, and the hash of a link
// holds that of the one before. What was altered, left out or moved later no longer fits.

import { sha256Of } from '../addon/hash.ts'
import type { Database, Row, Value } from './database.ts'

export type LinkKind = 'session' | 'alert' | 'action' | 'prune'

export interface Link {
  readonly seq: number
  readonly kind: LinkKind
  readonly id: string
  /** Of what it links. */
  readonly sha256: string
  readonly hash: string
  /** Of a prune: JSON, the numbers of the links whose records were removed. */
  readonly body: string | null
}

export const GENESIS: string = '0'.repeat(64)

/** Appends a link. Within a transaction that holds the write lock. */
export function append(database: Database, kind: LinkKind, id: string, body: string | null = null): void {
  const last = headOf(database)
  const seq = (last?.seq ?? 0) + 1
  const sha256 = body === null ? digestOf(database, kind, id) : sha256Of(body)
  if (sha256 === null) throw new Error(`there is no ${kind} ${id} to link`)
  const hash = hashOf(last?.hash ?? GENESIS, { seq, kind, id, sha256 })
  database
    .prepare('INSERT INTO chain (seq, kind, id, sha256, hash, body) VALUES (?, ?, ?, ?, ?, ?)')
    .run(seq, kind, id, sha256, hash, body)
}

export function headOf(database: Database): Link | undefined {
  return database.prepare('SELECT * FROM chain ORDER BY seq DESC LIMIT 1').get() as unknown as Link | undefined
}

export function hashOf(previous: string, { seq, kind, id, sha256 }: Omit<Link, 'hash' | 'body'>): string {
  return sha256Of(`${previous}\n${seq} ${kind} ${id} ${sha256}\n`)
}

/** Everything that is kept of it and does not change any more. Null: it is not there. */
export function digestOf(database: Database, kind: LinkKind, id: string): string | null {
  const parts = PARTS[kind]
  const rows = parts.map((sql) => database.prepare(sql).all(id))
  if ((rows[0]?.length ?? 0) === 0) return null
  return sha256Of(JSON.stringify(rows.map((list) => list.map(valuesOf))))
}

/** By name, so that the order of columns does not matter. */
function valuesOf(row: Row): [string, Value][] {
  return Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))
}

const PARTS: Readonly<Record<LinkKind, readonly string[]>> = {
  session: [
    `SELECT id, state, name, program, host, uid, boot_id, kind, engine, started_at, ended_at, verdict, outcome,
       record_count, track_count, transition_count, miss_count, gap_count, dropped_count, unparsed_line_count, body,
       evidence, evidence_sha256 FROM session WHERE id = ?`,
    'SELECT * FROM session_program WHERE session = ? ORDER BY n',
    'SELECT * FROM miss WHERE session = ? ORDER BY n',
  ],
  alert: [
    `SELECT id, session, program, severity, score, mode, opened_at, updated_at, miss_count, suppressed_count, told, body
       FROM alert WHERE id = ?`,
  ],
  action: ['SELECT * FROM action WHERE id = ?'],
  prune: [],
}
