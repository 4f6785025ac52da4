// What is to be sent, on disk until it was sent: a folder per receiver, a file per thing, which appears whole. Who sends a file
// renames it to its own process first, so that two do not send the same one; one whose sender was killed is sent again.

import { closeSync, constants, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../model/folder.ts'
import { removeFile } from '../model/remove-file.ts'

/** Oldest first, by name: names are ULIDs. */
const NAME = /^([0-9A-HJKMNP-TV-Z]{26})\.json(?:\.(\d+))?$/
const TEMPORARY = /^\.(\d+)\.[0-9A-Z]{26}\.tmp$/
const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
/** Things that wait for one receiver; the oldest go first, and are counted. */
export const MAX_WAITING = 1000

export class Spool {
  readonly folder: string

  constructor(home: string, receiver: string) {
    this.folder = join(home, 'spool', receiver)
  }

  /** On the disk when this returns. Answers how many old ones were dropped for it. */
  put(id: string, text: string): number {
    makeFolder(this.folder)
    const temporary = join(this.folder, `.${process.pid}.${id}.tmp`)
    try {
      const fd = openSync(temporary, NEW, 0o600)
      try {
        const bytes = Buffer.from(text)
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(temporary, join(this.folder, `${id}.json`))
    } catch (error) {
      removeFile(temporary)
      throw error
    }
    const waiting = this.waiting()
    const old = waiting.slice(0, Math.max(0, waiting.length - MAX_WAITING))
    for (const dropped of old) removeFile(join(this.folder, `${dropped}.json`))
    return old.length
  }

  /** Ids of what waits and nobody is sending, oldest first. */
  waiting(): string[] {
    let names: string[]
    try {
      names = readdirSync(this.folder)
    } catch {
      return []
    }
    const ids: string[] = []
    for (const name of names) {
      const leftBy = TEMPORARY.exec(name)?.[1]
      if (leftBy !== undefined && !isAlive(Number(leftBy))) removeFile(join(this.folder, name))
      const [, id, claimedBy] = NAME.exec(name) ?? []
      if (id === undefined) continue
      if (claimedBy === undefined) ids.push(id)
      else if (!isAlive(Number(claimedBy)) && this.#rename(name, `${id}.json`)) ids.push(id)
    }
    return ids.sort()
  }

  /** Null: another process sends it. */
  claim(id: string): string | null {
    if (!this.#rename(`${id}.json`, `${id}.json.${process.pid}`)) return null
    try {
      return readFileSync(join(this.folder, `${id}.json.${process.pid}`), 'utf8')
    } catch {
      return null
    }
  }

  /** It was sent, or is not worth it. */
  remove(id: string): void {
    removeFile(join(this.folder, `${id}.json.${process.pid}`))
  }

  /** It could not be sent: later again. */
  giveBack(id: string): void {
    this.#rename(`${id}.json.${process.pid}`, `${id}.json`)
  }

  #rename(from: string, to: string): boolean {
    try {
      renameSync(join(this.folder, from), join(this.folder, to))
      return true
    } catch {
      return false
    }
  }
}

/** How much waits per receiver, as it is: nothing is moved. */
export function waitingCounts(home: string): { readonly receiver: string; readonly count: number }[] {
  return namesIn(join(home, 'spool')).map((receiver) => {
    const count = namesIn(join(home, 'spool', receiver)).filter((name) => NAME.test(name)).length
    return { receiver, count }
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
