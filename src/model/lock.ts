// A lock between processes: a file with the name of its holder. It is made whole by link(2), so nobody reads half a holder.
// A holder that died is seen by pid and start time; whoever breaks its lock first makes a marker named after the holder's
// token, so that of many that see the same dead holder only one removes its lock, and nobody removes a newer one.

import { link, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '../addon/hash.ts'
import { TracefpError } from '../errors.ts'

export interface LockOptions {
  /** How long to wait for another holder, default 30 s. */
  readonly timeoutMs?: number
}

interface Holder {
  readonly token: string
  readonly pid: number
  /** Clock ticks after boot, from /proc/PID/stat: a pid alone may be reused. */
  readonly startTime: string
  readonly bootId: string
  /** Inode of the pid namespace: pids mean nothing outside it. */
  readonly pidNamespace: string
  readonly host: string
}

const MARKER_LIFE_MS = 10_000

/** Runs `work` while this process holds the lock at `path`. @throws TracefpError TFP_ERR_MODEL_LOCKED after the timeout. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const holder = await describeSelf()
  await acquire(path, holder, options.timeoutMs ?? 30_000)
  try {
    await removeLeftovers(path, holder)
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function acquire(path: string, self: Holder, timeoutMs: number): Promise<void> {
  const own = `${path}.${self.token}`
  const deadline = Date.now() + timeoutMs
  try {
    await writeFile(own, JSON.stringify(self), { flag: 'wx' })
    for (;;) {
      if (await tryLink(own, path)) return
      const holder = await readHolder(path)
      if (holder !== undefined && (await isDead(holder, self))) await breakLock(path, holder)
      else if (Date.now() >= deadline) throw lockedError(path, holder)
      else await sleep(5 + Math.random() * 20)
    }
  } finally {
    await rm(own, { force: true })
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

async function breakLock(path: string, dead: Holder): Promise<void> {
  const marker = `${path}.${dead.token}.dead`
  try {
    await writeFile(marker, '', { flag: 'wx' })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    // Who made an old marker was killed before it could go on.
    if ((await ageOf(marker)) > MARKER_LIFE_MS) await rm(marker, { force: true })
    else await sleep(5)
    return
  }
  try {
    if ((await readHolder(path))?.token !== dead.token) return
    await rm(path, { force: true })
    await rm(`${path}.${dead.token}`, { force: true })
  } finally {
    await rm(marker, { force: true })
  }
}

/** What those left who were killed while they waited. Only the holder of the lock does this. */
async function removeLeftovers(path: string, self: Holder): Promise<void> {
  const prefix = `${basename(path)}.`
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{16}$/.test(name.slice(prefix.length))) continue
    const file = join(dirname(path), name)
    const holder = await readHolder(file)
    if (holder === undefined ? (await ageOf(file)) > MARKER_LIFE_MS : await isDead(holder, self)) {
      await rm(file, { force: true })
    }
  }
}

/** Milliseconds since the file was written; 0: no such file. */
async function ageOf(path: string): Promise<number> {
  return await stat(path).then(
    (facts) => Date.now() - facts.mtimeMs,
    () => 0,
  )
}

/** Undefined: gone by now, or not written by us; the latter is waited for, never broken. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, 'utf8'))
    const isHolder = typeof holder === 'object' && holder !== null && /^[0-9a-f]{16}$/.test((holder as Holder).token)
    return isHolder ? (holder as Holder) : undefined
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Only what can be known: another host or another pid namespace of this boot may well be alive. */
async function isDead(holder: Holder, self: Holder): Promise<boolean> {
  if (holder.host !== self.host) return false
  if (holder.bootId !== self.bootId) return true
  if (holder.pidNamespace !== self.pidNamespace) return false
  return (await startTimeOf(holder.pid)) !== holder.startTime
}

async function describeSelf(): Promise<Holder> {
  return {
    token: Buffer.from(randomBytes(8)).toString('hex'),
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? '',
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim(),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    host: hostname(),
  }
}

/** Field 22 of /proc/PID/stat; the command before it may hold spaces and parentheses. Undefined: gone, or a zombie. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === 'X' ? undefined : fields[18]
}

function lockedError(path: string, holder: Holder | undefined): TracefpError {
  const who = holder === undefined ? 'someone' : `process ${holder.pid} on ${holder.host}`
  return new TracefpError(
    'TFP_ERR_MODEL_LOCKED',
    `${path} is held by ${who}; if that is gone for good, remove the file`,
  )
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
