// The session store: one SQLite file in tracefp's home, which several processes use at once. All SQL stands in this room.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TracefpError } from '../errors.ts'
import type { Miss } from '../match/miss.ts'
import { newUlid } from '../model/ulid.ts'
import { type Audit, auditStore } from './audit.ts'
import { append, headOf } from './chain.ts'
import { type Database, type DatabaseEngine, openDatabase } from './database.ts'
import { Inbox } from './inbox.ts'
import { assertPrivate, keepPrivate, makePrivateFolder } from './private-folder.ts'
import * as queries from './queries.ts'
import type {
  ActionRow,
  AlertDetail,
  AlertRow,
  AlertState,
  ProgramRow,
  SessionDetail,
  SessionRow,
  SinkCount,
  StoreCounts,
} from './records.ts'
import { bytesOf, DEFAULT_RETENTION, evidenceBytes, prune, type Retention, removeEvidence } from './retention.ts'
import { migrate } from './schema.ts'
import { lose, orphans, takeIn } from './take-in.ts'

export interface StoreOptions {
  readonly retention?: Retention
  readonly engine?: DatabaseEngine
  /** How long to wait for another process that writes; default 10,000. */
  readonly busyMs?: number
}

export interface Decision {
  readonly alert: string
  readonly state: Exclude<AlertState, 'new'>
  /** Who decided. */
  readonly actor: string
  readonly via: ActionRow['via']
  readonly note: string
}

/** Files taken in per transaction. */
const BATCH = 256
/** Retention is looked at once in so many changes. */
const PRUNE_EVERY = 64
const HEAD = 'chain-head'

export function storeFile(home: string): string {
  return join(home, 'store.db')
}

export function evidenceFolder(home: string): string {
  return join(home, 'evidence')
}

export class SessionStore {
  readonly home: string
  readonly #database: Database
  readonly #inbox: Inbox
  readonly #retention: Retention

  /**
   * Opens the store of a home, makes it where there is none, and takes in what waits.
   * @throws TracefpError TFP_ERR_STORE: it cannot be used, or not be trusted.
   */
  static async open(home: string, options: StoreOptions = {}): Promise<SessionStore> {
    makePrivateFolder(home)
    const file = storeFile(home)
    for (const name of [file, `${file}-wal`, `${file}-shm`]) assertPrivate(name, 'file')
    const database = await openDatabase(file, options.engine)
    try {
      keepPrivate(file)
      database.exec(`PRAGMA busy_timeout = ${options.busyMs ?? 10_000}`)
      database.exec('PRAGMA journal_mode = WAL')
      database.exec('PRAGMA synchronous = FULL')
      if (!migrate(database)) throw new Error('it was made by a newer tracefp')
      for (const name of [`${file}-wal`, `${file}-shm`]) keepPrivate(name)
      const store = new SessionStore(home, database, options.retention ?? DEFAULT_RETENTION)
      store.takeIn()
      return store
    } catch (cause) {
      database.close()
      throw storeError(file, cause)
    }
  }

  private constructor(home: string, database: Database, retention: Retention) {
    this.home = home
    this.#database = database
    this.#inbox = new Inbox(home)
    this.#retention = retention
  }

  get engine(): DatabaseEngine {
    return this.#database.engine
  }

  /** What other processes told since; how many things it were. @throws TracefpError TFP_ERR_STORE. */
  takeIn(): number {
    const count = this.#takeInOnce()
    // Of what was just told some may be over already: only now is it known whom to look for.
    return this.#attempt(() => orphans(this.#database)).length === 0 ? count : count + this.#takeInOnce()
  }

  sessions(query: queries.SessionQuery = {}): SessionRow[] {
    return this.#attempt(() => queries.sessionsOf(this.#database, query))
  }

  /** Null: there is none. */
  session(id: string): SessionDetail | null {
    return this.#attempt(() => queries.sessionDetail(this.#database, id))
  }

  alerts(query: queries.AlertQuery = {}): AlertRow[] {
    return this.#attempt(() => queries.alertsOf(this.#database, query))
  }

  alert(id: string): AlertDetail | null {
    return this.#attempt(() => queries.alertDetail(this.#database, id))
  }

  programs(): ProgramRow[] {
    return this.#attempt(() => queries.programsOf(this.#database))
  }

  counts(): StoreCounts {
    const byteCount = this.#attempt(() => bytesOf(this.#database)) + evidenceBytes(evidenceFolder(this.home))
    return this.#attempt(() => queries.countsOf(this.#database, byteCount))
  }

  /** Rows that changed after the change with this number; begin with 0. */
  changedSince(changed: number): { readonly sessions: SessionRow[]; readonly alerts: AlertRow[] } {
    return this.#attempt(() => queries.changedSince(this.#database, changed))
  }

  knownElsewhere(
    step: Pick<Miss, 'image' | 'from' | 'to'>,
    session: string,
  ): ReturnType<typeof queries.knownElsewhere> {
    return this.#attempt(() => queries.knownElsewhere(this.#database, step, session))
  }

  /** The whole id of what begins so. @throws TracefpError TFP_ERR_STORE_UNKNOWN: none or several do. */
  idOf(table: 'session' | 'alert', beginning: string): string {
    const ids = /^[0-9A-Za-z]{1,26}$/.test(beginning)
      ? this.#attempt(() => queries.idsLike(this.#database, table, beginning.toUpperCase()))
      : []
    if (ids.length === 1) return ids[0] as string
    const why = ids.length === 0 ? `there is no ${table} ${beginning}` : `several ${table}s begin with ${beginning}`
    throw new TracefpError('TFP_ERR_STORE_UNKNOWN', `${why}: tracefp ${table}s lists them`)
  }

  /** Decides about an alert. @throws TracefpError TFP_ERR_STORE_UNKNOWN. */
  decide({ alert, state, actor, via, note }: Decision): AlertDetail {
    this.#write((changed) => {
      const former = this.#database.prepare('SELECT state FROM alert WHERE id = ?').get(alert)?.['state']
      if (former === undefined) throw new TracefpError('TFP_ERR_STORE_UNKNOWN', `there is no alert ${alert}`)
      const id = newUlid()
      this.#database.prepare('UPDATE alert SET state = ?, changed = ? WHERE id = ?').run(state, changed, alert)
      this.#database
        .prepare('INSERT INTO action (id, alert, former, state, actor, via, at, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(id, alert, former, state, actor, via, new Date().toISOString(), note)
      append(this.#database, 'action', id)
    })
    this.#noteHead()
    return this.alert(alert) as AlertDetail
  }

  /** Walks the chain. `heads`: of earlier audits; the one that the store notes itself is among them always. */
  audit(heads: readonly string[] = []): Audit {
    const own = readOr(join(this.home, HEAD)).trim()
    return this.#attempt(() =>
      auditStore(this.#database, evidenceFolder(this.home), own === '' ? heads : [...heads, own]),
    )
  }

  /** Adds to what became of events. */
  countSinks(counts: readonly SinkCount[]): void {
    if (counts.length === 0) return
    this.#write(() => {
      const add = this.#database.prepare(
        `INSERT INTO sink (name, sent_count, failed_count, dropped_count) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET sent_count = sent_count + excluded.sent_count,
           failed_count = failed_count + excluded.failed_count, dropped_count = dropped_count + excluded.dropped_count`,
      )
      for (const count of counts) add.run(count.name, count.sentCount, count.failedCount, count.droppedCount)
    })
  }

  sinkCounts(): SinkCount[] {
    const rows = this.#attempt(() => this.#database.prepare('SELECT * FROM sink ORDER BY name').all())
    return rows.map((row) => ({
      name: String(row['name']),
      sentCount: Number(row['sent_count']),
      failedCount: Number(row['failed_count']),
      droppedCount: Number(row['dropped_count']),
    }))
  }

  /** Hash of the last link of the chain; empty: there is none yet. */
  head(): string {
    return this.#attempt(() => headOf(this.#database)?.hash ?? '')
  }

  close(): void {
    this.#database.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #takeInOnce(): number {
    const gone = this.#attempt(() => orphans(this.#database))
    const names = this.#inbox.list()
    for (let at = 0; at < names.length; at += BATCH) this.#takeInBatch(names.slice(at, at + BATCH))
    if (gone.length > 0) {
      this.#write((changed) => {
        for (const id of gone) lose(this.#database, id, changed)
      })
    }
    if (names.length > 0 || gone.length > 0) this.#tidy()
    return names.length
  }

  #takeInBatch(names: readonly string[]): void {
    const taken: string[] = []
    this.#write((changed) => {
      for (const name of names) {
        try {
          const record = this.#inbox.read(name)
          if (record === null) continue
          this.#savepoint(() => takeIn(this.#database, record, changed))
          taken.push(name)
        } catch (error) {
          if (isStorageTrouble(error)) throw error
          this.#inbox.setAside(name)
        }
      }
    })
    // Only what is on the disk in the store leaves the inbox.
    for (const name of taken) this.#inbox.remove(name)
  }

  #savepoint(work: () => void): void {
    this.#database.exec('SAVEPOINT one')
    try {
      work()
      this.#database.exec('RELEASE one')
    } catch (error) {
      this.#database.exec('ROLLBACK TO one')
      this.#database.exec('RELEASE one')
      throw error
    }
  }

  #tidy(): void {
    const now = Number(this.#attempt(() => this.#database.prepare('SELECT now FROM clock').get())?.['now'])
    if (now % PRUNE_EVERY === 1) {
      const files: string[] = []
      this.#write(() => void files.push(...prune(this.#database, evidenceFolder(this.home), this.#retention)))
      removeEvidence(evidenceFolder(this.home), files)
    }
    this.#noteHead()
  }

  /** So that a chain whose end was cut off is found. It is a note and no link: trouble with it is none. */
  #noteHead(): void {
    const head = this.#attempt(() => headOf(this.#database))
    if (head === undefined) return
    const file = join(this.home, HEAD)
    try {
      writeFileSync(`${file}.${process.pid}`, `${head.hash}\n`, { mode: 0o600 })
      renameSync(`${file}.${process.pid}`, file)
    } catch {
      // The next one will.
    }
  }

  /** One transaction, which has the write lock from its beginning: none can fail halfway for another process. */
  #write(work: (changed: number) => void): void {
    this.#attempt(() => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        const row = this.#database.prepare('UPDATE clock SET now = now + 1 RETURNING now').get()
        work(Number(row?.['now']))
        this.#database.exec('COMMIT')
      } catch (error) {
        try {
          this.#database.exec('ROLLBACK')
        } catch {
          // SQLite did it itself: the disk is full, say.
        }
        throw error
      }
    })
  }

  #attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      throw storeError(storeFile(this.home), cause)
    }
  }
}

/** Full, locked, damaged: nothing that one record could be blamed for. */
function isStorageTrouble(error: unknown): boolean {
  return (
    error instanceof Error &&
    /\b(?:full|locked|busy|I\/O|malformed|not a database|readonly|read-only)\b/i.test(error.message)
  )
}

function storeError(file: string, cause: unknown): TracefpError {
  if (cause instanceof TracefpError) return cause
  return new TracefpError('TFP_ERR_STORE', `${file}: ${(cause as Error).message}`, { cause })
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
