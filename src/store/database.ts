// SQLite behind one interface: node:sqlite where the running Node has it, else the package libsql. Either is loaded when a
// store is opened and not before: what `tracefp run` starts with knows nothing of it.

import { existsSync } from 'node:fs'
import { TracefpError } from '../errors.ts'

export type Value = string | number | null | Uint8Array
export type Row = Readonly<Record<string, Value>>

/** Synchronous: what is written is written when the call returns. */
export interface Statement {
  run(...values: Value[]): unknown
  get(...values: Value[]): Row | undefined
  all(...values: Value[]): Row[]
}

export interface Database {
  readonly engine: DatabaseEngine
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export type DatabaseEngine = 'node:sqlite' | 'libsql'

type Opened = Omit<Database, 'engine'>
type Open = (file: string) => Opened

/** In the order in which they are tried. */
const ENGINES: ReadonlyMap<DatabaseEngine, () => Promise<Open>> = new Map([
  ['node:sqlite', loadBuiltin],
  ['libsql', loadLibsql],
])

/**
 * Opens a file, which is made where it is missing.
 * @throws TracefpError TFP_ERR_STORE: there is no SQLite here, or the file cannot be opened.
 */
export async function openDatabase(file: string, only?: DatabaseEngine): Promise<Database> {
  for (const [engine, load] of ENGINES) {
    if (only !== undefined && engine !== only) continue
    const open = await load().catch(() => null)
    if (open === null) continue
    try {
      const database = open(file)
      // Each once: what is prepared is memory that the garbage collector does not see, and gives back late.
      const statements = new Map<string, Statement>()
      return {
        engine,
        exec: (sql) => void database.exec(sql),
        prepare: (sql) => {
          const statement = statements.get(sql) ?? database.prepare(sql)
          statements.set(sql, statement)
          return statement
        },
        close: () => void database.close(),
      }
    } catch (cause) {
      throw new TracefpError('TFP_ERR_STORE', `${file}: ${(cause as Error).message}`, { cause })
    }
  }
  const hint = 'use Node 22.13 or newer, or install the package libsql'
  throw new TracefpError('TFP_ERR_STORE', `there is no ${only ?? 'SQLite'} here: ${hint}`)
}

/** Absent before Node 22.13; until it is called stable, Node warns of it once, which is nothing to a user of tracefp. */
async function loadBuiltin(): Promise<Open> {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    const builtin: unknown = process.getBuiltinModule('node:sqlite')
    if (builtin === undefined) throw new Error('this Node has no node:sqlite')
    const { DatabaseSync } = builtin as { readonly DatabaseSync: new (file: string) => Opened }
    return (file) => new DatabaseSync(file)
  } finally {
    process.emitWarning = emitWarning
  }
}

/**
 * To find out which C library there is it has Node write a whole diagnostic report (18 ms); where ldd can be read it finds it there,
 * once the report says nothing.
 */
async function loadLibsql(): Promise<Open> {
  const { report } = process
  const { getReport } = report
  if (existsSync('/usr/bin/ldd')) report.getReport = () => ({})
  try {
    const { default: Libsql } = (await import('libsql')) as unknown as { default: new (file: string) => Opened }
    return (file) => new Libsql(file)
  } finally {
    report.getReport = getReport
  }
}
