// A session that freezes at a miss, and how others release it: a Unix socket in `frozen/` of tracefp's home, named after
// the session. One line goes in (`show`, `allow KEY` or `kill KEY`), one comes back (JSON, `ok`, or `error WHY`).
//
// Each freeze has a key of its own, which `show` tells. The program may be of the same user and may have written to the
// socket before it froze; what it wrote is read while it is frozen. But it cannot know the key.
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { TracefpError } from '../errors.ts'
import type { Decided } from '../match/decider.ts'
import type { Miss } from '../match/miss.ts'
import { makeFolder } from '../model/folder.ts'
import { removeFile } from '../model/remove-file.ts'

export type Release = 'allow' | 'kill'

/** What `release` without a session shows. */
export interface FrozenSession {
  readonly session: string
  readonly pid: number
  readonly command: readonly string[]
  readonly miss: Miss | null
}

interface Shown extends FrozenSession {
  /** Releases this freeze and no other. */
  readonly key: string | null
}

export interface FreezeEvents {
  readonly onFreeze: (miss: Miss) => void
  /** It goes on. */
  readonly onThaw: () => void
}

interface Freeze {
  readonly miss: Miss
  readonly key: string
  decide(release: Release): void
}

const LINE_LIMIT = 1 << 20
const ANSWER_MS = 5_000

export class Freezer {
  readonly #home: string
  readonly #facts: Omit<FrozenSession, 'miss'>
  readonly #events: FreezeEvents
  readonly #server: Server
  readonly #path: string
  #open: Freeze | null = null

  /** @throws TracefpError TFP_ERR_FILE where others could not reach it. */
  static async open(home: string, facts: Omit<FrozenSession, 'miss'>, events: FreezeEvents): Promise<Freezer> {
    const freezer = new Freezer(home, facts, events)
    try {
      await freezer.#listen()
    } catch (cause) {
      const message = `${freezer.#path}: ${(cause as Error).message}: a frozen session could not be released`
      throw new TracefpError('TFP_ERR_FILE', message, { cause })
    }
    return freezer
  }

  private constructor(home: string, facts: Omit<FrozenSession, 'miss'>, events: FreezeEvents) {
    this.#home = home
    this.#facts = facts
    this.#events = events
    this.#path = join(folderOf(home), `${facts.session}.sock`)
    this.#server = createServer((socket) => this.#serve(socket))
    // The session keeps the process alive, not this.
    this.#server.unref()
  }

  /** Waits until somebody releases the session; `kill` when it is gone anyway. */
  ask(miss: Miss, signal: AbortSignal): Promise<Decided> {
    return new Promise((resolve) => {
      const freeze: Freeze = {
        miss,
        key: randomUUID(),
        decide: (decision) => {
          if (this.#open !== freeze) return
          this.#open = null
          resolve({ decision, isDefault: false })
          if (decision === 'allow') this.#events.onThaw()
        },
      }
      this.#open = freeze
      signal.addEventListener('abort', () => freeze.decide('kill'), { once: true })
      try {
        this.#events.onFreeze(miss)
      } catch (error) {
        this.#open = null
        throw error
      }
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
    removeFile(this.#path)
  }

  async #listen(): Promise<void> {
    makeFolder(folderOf(this.#home))
    await withShortPath(this.#home, this.#facts.session, (path) => {
      return new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(path, resolve)
      })
    })
  }

  #serve(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    readLine(socket)
      .then((line) => socket.end(`${this.#answer(line)}\n`))
      .catch(() => socket.destroy())
  }

  #answer(line: string): string {
    const { miss = null, key = null } = this.#open ?? {}
    if (line === 'show') return JSON.stringify({ ...this.#facts, miss, key } satisfies Shown)
    const [release, of] = line.split(' ')
    if (release !== 'allow' && release !== 'kill') return 'error expected show, allow or kill'
    return of === key && this.release(release) ? 'ok' : 'error it is not frozen'
  }
}

/** Sessions of this home that would freeze, frozen or not. Those whose tracefp was killed are cleared away. */
export async function freezingSessions(home: string): Promise<FrozenSession[]> {
  const sessions: FrozenSession[] = []
  for (const name of namesIn(folderOf(home))) {
    const session = name.replace(/\.sock$/, '')
    try {
      const { key: _, ...shown } = await show(home, session)
      sessions.push(shown)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') removeFile(join(folderOf(home), name))
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
  try {
    const { key } = await show(home, session)
    const answer = key === null ? 'it is not frozen' : await talk(home, session, `${release} ${key}`)
    if (answer !== 'ok') fail(answer.replace(/^error /, ''))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (error instanceof TracefpError) throw error
    fail(code === 'ENOENT' || code === 'ECONNREFUSED' ? 'there is none' : message)
  }
}

async function show(home: string, session: string): Promise<Shown> {
  return JSON.parse(await talk(home, session, 'show')) as Shown
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
