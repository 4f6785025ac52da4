// A session that freezes at a miss, and how others release it: a Unix socket in `frozen/` of tracefp's home, named after
// the session. One line goes in (`allow`, `kill` or `show`), one comes back (`ok`, JSON, or `error WHY`).
import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { TracefpError } from '../errors.ts'
import type { Decided } from '../match/decider.ts'
import type { Miss } from '../match/miss.ts'

export type Release = 'allow' | 'kill'

/** What `release` without a session shows. */
export interface FrozenSession {
  readonly session: string
  readonly pid: number
  readonly command: readonly string[]
  readonly miss: Miss | null
}

const LINE_LIMIT = 1 << 20
const ANSWER_MS = 5_000

export class Freezer {
  readonly #home: string
  readonly #facts: Omit<FrozenSession, 'miss'>
  readonly #onFreeze: (miss: Miss) => void
  readonly #server: Server
  readonly #path: string
  #open: { readonly miss: Miss; decide(release: Release): void } | null = null

  /** @throws TracefpError TFP_ERR_FILE where others could not reach it. */
  static async open(
    home: string,
    facts: Omit<FrozenSession, 'miss'>,
    onFreeze: (miss: Miss) => void,
  ): Promise<Freezer> {
    const freezer = new Freezer(home, facts, onFreeze)
    try {
      await freezer.#listen()
    } catch (cause) {
      const message = `${freezer.#path}: ${(cause as Error).message}: a frozen session could not be released`
      throw new TracefpError('TFP_ERR_FILE', message, { cause })
    }
    return freezer
  }

  private constructor(home: string, facts: Omit<FrozenSession, 'miss'>, onFreeze: (miss: Miss) => void) {
    this.#home = home
    this.#facts = facts
    this.#onFreeze = onFreeze
    this.#path = join(folderOf(home), `${facts.session}.sock`)
    this.#server = createServer((socket) => this.#serve(socket))
    // The session keeps the process alive, not this.
    this.#server.unref()
  }

  /** Waits until somebody releases the session; `kill` when it is gone anyway. */
  ask(miss: Miss, signal: AbortSignal): Promise<Decided> {
    return new Promise((resolve) => {
      const decide = (decision: Release): void => {
        this.#open = null
        resolve({ decision, isDefault: false })
      }
      this.#open = { miss, decide }
      signal.addEventListener('abort', () => decide('kill'), { once: true })
      this.#onFreeze(miss)
    })
  }

  /** False: it is not frozen. */
  release(release: Release): boolean {
    if (this.#open === null) return false
    this.#open.decide(release)
    return true
  }

  close(): void {
    this.#server.close()
    rmSync(this.#path, { force: true })
  }

  async #listen(): Promise<void> {
    mkdirSync(folderOf(this.#home), { recursive: true, mode: 0o700 })
    await withShortPath(this.#home, this.#facts.session, (path) => {
      return new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(path, resolve)
      })
    })
  }

  #serve(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    readLine(socket).then(
      (line) => socket.end(`${this.#answer(line)}\n`),
      () => socket.destroy(),
    )
  }

  #answer(line: string): string {
    if (line === 'show')
      return JSON.stringify({ ...this.#facts, miss: this.#open?.miss ?? null } satisfies FrozenSession)
    if (line !== 'allow' && line !== 'kill') return 'error expected allow, kill or show'
    return this.release(line) ? 'ok' : 'error it is not frozen'
  }
}

/** Sessions of this home that would freeze, frozen or not. Those whose tracefp was killed are cleared away. */
export async function freezingSessions(home: string): Promise<FrozenSession[]> {
  const sessions: FrozenSession[] = []
  for (const name of namesIn(folderOf(home))) {
    const session = name.replace(/\.sock$/, '')
    try {
      sessions.push(JSON.parse(await talk(home, session, 'show')) as FrozenSession)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') rmSync(join(folderOf(home), name), { force: true })
    }
  }
  return sessions
}

/** @throws TracefpError TFP_ERR_SESSION when there is no such session, or it is not frozen. */
export async function releaseSession(home: string, session: string, release: Release): Promise<void> {
  const fail = (why: string): never => {
    throw new TracefpError('TFP_ERR_SESSION', `session ${session}: ${why}; see tracefp release without a session`)
  }
  if (!/^[0-9A-Z]{26}$/.test(session)) fail('this is not the name of a session')
  const answer = await talk(home, session, release).catch((error: NodeJS.ErrnoException) => {
    return fail(error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? 'there is none' : error.message)
  })
  if (answer !== 'ok') fail(answer.replace(/^error /, ''))
}

function folderOf(home: string): string {
  return join(home, 'frozen')
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.sock'))
  } catch {
    return []
  }
}

async function talk(home: string, session: string, line: string): Promise<string> {
  return await withShortPath(home, session, async (path) => {
    const socket = createConnection(path)
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('it does not answer')))
    socket.write(`${line}\n`)
    return await readLine(socket)
  })
}

/** Names of sockets have at most 107 bytes, homes may have more: the folder is named by a descriptor. */
async function withShortPath<T>(home: string, session: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = openSync(folderOf(home), 'r')
  try {
    return await use(`/proc/self/fd/${folder}/${session}.sock`)
  } finally {
    closeSync(folder)
  }
}

function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (piece: string) => {
      text += piece
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
      else if (text.length > LINE_LIMIT) socket.destroy(new Error('the line is too long'))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('it said nothing')))
  })
}
