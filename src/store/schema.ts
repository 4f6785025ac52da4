// The tables of the session store, as steps from one version to the next. A step is never edited once it was released: what
// comes later is a step of its own.

import type { Database } from './database.ts'

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE session (
     id TEXT PRIMARY KEY, state TEXT NOT NULL, name TEXT NOT NULL, program TEXT NOT NULL, host TEXT NOT NULL,
     uid INTEGER NOT NULL, pid INTEGER, pid_start TEXT, boot_id TEXT NOT NULL, kind TEXT NOT NULL, engine TEXT,
     started_at TEXT NOT NULL, ended_at TEXT, verdict TEXT, outcome TEXT,
     record_count INTEGER NOT NULL, track_count INTEGER NOT NULL, transition_count INTEGER NOT NULL,
     miss_count INTEGER NOT NULL, gap_count INTEGER NOT NULL, dropped_count INTEGER NOT NULL,
     unparsed_line_count INTEGER NOT NULL, body TEXT, evidence TEXT, evidence_sha256 TEXT, changed INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX session_changed ON session (changed);
   CREATE INDEX session_running ON session (state) WHERE state = 'running';
   CREATE INDEX session_verdict ON session (verdict, id);
   CREATE TABLE session_program (
     session TEXT NOT NULL, n INTEGER NOT NULL, program TEXT NOT NULL, sha256 TEXT, fingerprint TEXT,
     record_count INTEGER NOT NULL, miss_count INTEGER NOT NULL, coverage REAL NOT NULL, PRIMARY KEY (session, n)
   ) WITHOUT ROWID;
   CREATE INDEX session_program_program ON session_program (program, session);
   CREATE TABLE miss (
     session TEXT NOT NULL, n INTEGER NOT NULL, program TEXT NOT NULL, kind TEXT NOT NULL, from_symbol TEXT NOT NULL,
     to_symbol TEXT NOT NULL, severity TEXT NOT NULL, depth INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (session, n)
   ) WITHOUT ROWID;
   CREATE INDEX miss_step ON miss (program, from_symbol, to_symbol, session);
   CREATE TABLE alert (
     id TEXT PRIMARY KEY, session TEXT NOT NULL, program TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL,
     score REAL NOT NULL, mode TEXT NOT NULL, opened_at TEXT NOT NULL, updated_at TEXT NOT NULL,
     miss_count INTEGER NOT NULL, suppressed_count INTEGER NOT NULL, told INTEGER NOT NULL, body TEXT NOT NULL,
     changed INTEGER NOT NULL, UNIQUE (session, program)
   ) WITHOUT ROWID;
   CREATE INDEX alert_changed ON alert (changed);
   CREATE INDEX alert_state ON alert (state, id);
   CREATE TABLE action (
     id TEXT PRIMARY KEY, alert TEXT NOT NULL, former TEXT NOT NULL, state TEXT NOT NULL, actor TEXT NOT NULL,
     via TEXT NOT NULL, at TEXT NOT NULL, note TEXT NOT NULL
   );
   CREATE INDEX action_alert ON action (alert, id);
   CREATE TABLE fingerprint (
     program TEXT NOT NULL, sha256 TEXT NOT NULL, first_session TEXT NOT NULL, last_session TEXT NOT NULL,
     session_count INTEGER NOT NULL, PRIMARY KEY (program, sha256)
   ) WITHOUT ROWID;
   CREATE TABLE chain (
     seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, sha256 TEXT NOT NULL, hash TEXT NOT NULL,
     body TEXT
   );
   CREATE UNIQUE INDEX chain_id ON chain (kind, id);
   CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1), now INTEGER NOT NULL);
   INSERT INTO clock VALUES (1, 0);`,
  `CREATE TABLE sink (
     name TEXT PRIMARY KEY, sent_count INTEGER NOT NULL, failed_count INTEGER NOT NULL, dropped_count INTEGER NOT NULL
   ) WITHOUT ROWID;`,
]

export const SCHEMA_VERSION: number = MIGRATIONS.length

/** Brings the store to this version. False: it is of a newer tracefp, and nothing was touched. */
export function migrate(database: Database): boolean {
  const version = versionOf(database)
  if (version >= SCHEMA_VERSION) return version === SCHEMA_VERSION
  // Another process may be at it: whoever comes second finds nothing to do.
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const [index, sql] of MIGRATIONS.entries()) if (index >= versionOf(database)) step(database, sql, index + 1)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
  return true
}

function step(database: Database, sql: string, version: number): void {
  database.exec(sql)
  database.exec(`PRAGMA user_version = ${version}`)
}

function versionOf(database: Database): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
}
