// The inbox of the session store: one small file per thing told, which appears whole or not at all. `run` writes here and
// loads no database; whoever opens the store takes the files in. So a store that is locked, damaged or full of work holds up
// nobody, and what was told survives kill -9 of everyone.

import { closeSync, constants, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TracefpError } from '../errors.ts'
import { removeFile } from '../model/remove-file.ts'
import { makePrivateFolder } from './private-folder.ts'
import type { StoreRecord } from './records.ts'

const NAME = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.(begin|alert-[0-9A-HJKMNP-TV-Z]{26}|end)$/
const TEMPORARY = /^\.(\d+)\..*\.tmp$/
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Of one session, in the order in which they are taken in. */
const ORDER = ['begin', 'alert', 'end'] as const

export class Inbox {
  readonly folder: string

  constructor(home: string) {
    this.folder = join(home, 'inbox')
  }

  /** `isSynced`: it is on the disk when this returns, not only in the kernel. @throws TracefpError TFP_ERR_STORE. */
  put(session: string, record: StoreRecord, isSynced: boolean): void {
    makePrivateFolder(dirname(this.folder))
    makePrivateFolder(this.folder)
    const name = `${session}.${record.kind === 'alert' ? `alert-${record.event.id}` : record.kind}`
    const temporary = join(this.folder, `.${process.pid}.${name}.tmp`)
    try {
      removeFile(temporary)
      const fd = openSync(temporary, NEW, 0o600)
      try {
        const bytes = Buffer.from(JSON.stringify(record))
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
        if (isSynced) fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(temporary, join(this.folder, name))
      if (isSynced) syncFolder(this.folder)
    } catch (cause) {
      removeFile(temporary)
      throw new TracefpError('TFP_ERR_STORE', `${this.folder}: ${(cause as Error).message}`, { cause })
    }
  }

  /** Names of what waits, oldest session first. Leftovers of writers that were killed are removed. */
  list(): string[] {
    let names: string[]
    try {
      names = readdirSync(this.folder)
    } catch {
      return []
    }
    for (const name of names) {
      const pid = TEMPORARY.exec(name)?.[1]
      if (pid !== undefined && !isAlive(Number(pid))) this.remove(name)
    }
    return names.filter((name) => NAME.test(name)).sort(byOrder)
  }

  /** Null: another process took it. @throws SyntaxError: it is no JSON. */
  read(name: string): StoreRecord | null {
    let fd: number
    try {
      fd = openSync(join(this.folder, name), READ)
    } catch {
      return null
    }
    try {
      return JSON.parse(readFileSync(fd, 'utf8')) as StoreRecord
    } finally {
      closeSync(fd)
    }
  }

  remove(name: string): void {
    removeFile(join(this.folder, name))
  }

  /** What cannot be understood is kept out of the way, to be looked at. */
  setAside(name: string): void {
    try {
      renameSync(join(this.folder, name), join(this.folder, `damaged-${name}`))
    } catch {
      // Another process did.
    }
  }
}

export function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function byOrder(a: string, b: string): number {
  const [[, sessionA = '', kindA = ''], [, sessionB = '', kindB = '']] = [NAME.exec(a) ?? [], NAME.exec(b) ?? []]
  if (sessionA !== sessionB) return sessionA < sessionB ? -1 : 1
  const places = [kindA, kindB].map((kind) => ORDER.findIndex((word) => kind.startsWith(word)))
  const byKind = (places[0] as number) - (places[1] as number)
  return byKind !== 0 ? byKind : kindA < kindB ? -1 : 1
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
