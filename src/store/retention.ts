// What is kept, and for how long: by age, then by size, oldest first. An alert that nobody decided about, and an incident,
// keep their session whatever its age. That records were removed, and which, is a link of the chain.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { removeFile } from '../model/remove-file.ts'
import { newUlid } from '../model/ulid.ts'
import { append } from './chain.ts'
import type { Database, Value } from './database.ts'

export interface Retention {
  readonly keepDays: number
  readonly keepMiB: number
}

export const DEFAULT_RETENTION: Retention = { keepDays: 90, keepMiB: 512 }

const DAY_MS = 86_400_000
const MIB = 1 << 20
/** Of the sessions there are, per step towards the size. */
const SHARE = 0.1

/** Sessions that may go. */
const MAY_GO = `state <> 'running' AND NOT EXISTS
  (SELECT 1 FROM alert WHERE alert.session = session.id AND alert.state IN ('new', 'incident'))`

/** Within a transaction that holds the write lock. Answers the files of evidence that are to be removed after it. */
export function prune(
  database: Database,
  folder: string,
  { keepDays, keepMiB }: Retention,
  nowMs: number = Date.now(),
): string[] {
  const before = new Date(nowMs - keepDays * DAY_MS).toISOString()
  const files = remove(database, idsWhere(database, 'started_at < ?', [before]))
  let byteCount = bytesOf(database) + evidenceBytes(folder, new Set(files))
  while (byteCount > keepMiB * MIB) {
    const total = Number(database.prepare('SELECT count(*) AS n FROM session').get()?.['n'])
    const share = Math.max(1, Math.ceil(total * SHARE))
    // What was normal goes first.
    const normal = idsWhere(database, "verdict = 'authentic'", [], share)
    const ids = normal.length > 0 ? normal : idsWhere(database, '1', [], share)
    if (ids.length === 0) break
    files.push(...remove(database, ids))
    byteCount = bytesOf(database) + evidenceBytes(folder, new Set(files))
  }
  return files
}

/** Of the database that are in use. */
export function bytesOf(database: Database): number {
  const word = (name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0)
  return (word('page_count') - word('freelist_count')) * word('page_size')
}

export function evidenceBytes(folder: string, without: ReadonlySet<string> = new Set()): number {
  let sum = 0
  try {
    for (const name of readdirSync(folder)) {
      if (!without.has(name)) sum += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
    }
  } catch {
    // There is none yet.
  }
  return sum
}

export function removeEvidence(folder: string, files: readonly string[]): void {
  for (const file of files) removeFile(join(folder, file))
}

function idsWhere(database: Database, where: string, values: readonly Value[], limit = 10_000): string[] {
  return database
    .prepare(`SELECT id FROM session WHERE ${where} AND ${MAY_GO} ORDER BY id LIMIT ?`)
    .all(...values, limit)
    .map(({ id }) => String(id))
}

function remove(database: Database, ids: readonly string[]): string[] {
  if (ids.length === 0) return []
  const files: string[] = []
  const links: number[] = []
  const seqOf = database.prepare('SELECT seq FROM chain WHERE kind = ? AND id = ?')
  const note = (kind: string, id: string): void => {
    const seq = seqOf.get(kind, id)?.['seq']
    if (seq !== undefined) links.push(Number(seq))
  }
  for (const id of ids) {
    const evidence = database.prepare('SELECT evidence FROM session WHERE id = ?').get(id)?.['evidence']
    if (typeof evidence === 'string') files.push(evidence)
    note('session', id)
    for (const { id: alert } of database.prepare('SELECT id FROM alert WHERE session = ?').all(id)) {
      note('alert', String(alert))
      for (const row of database.prepare('SELECT id FROM action WHERE alert = ?').all(alert as string)) {
        note('action', String(row['id']))
      }
      database.prepare('DELETE FROM action WHERE alert = ?').run(alert as string)
    }
    for (const table of ['alert', 'miss', 'session_program']) {
      database.prepare(`DELETE FROM ${table} WHERE session = ?`).run(id)
    }
    database.prepare('DELETE FROM session WHERE id = ?').run(id)
  }
  append(database, 'prune', newUlid(), JSON.stringify(links))
  return files
}
