// Keeps a session: that it began, its misses as they come, what it came to. Whatever goes wrong with that is told once and
// changes nothing else: neither verdict nor program. `run` loads this file; what a session with misses needs is loaded when
// the first one comes.

import { join } from 'node:path'
import type { Policy } from '../alert/policy.ts'
import type { JudgedBy } from '../check-logs.ts'
import type { Miss } from '../match/miss.ts'
import type { Result } from '../match/report.ts'
import { removeFile } from '../model/remove-file.ts'
import { hostFacts } from '../source/host.ts'
import type { Evidence } from '../store/evidence.ts'
import { Inbox } from '../store/inbox.ts'
import { makePrivateFolder } from '../store/private-folder.ts'
import type { BegunRecord } from '../store/records.ts'
import type { Alarm } from './alarm.ts'

export interface KeeperOptions {
  readonly home: string
  /** Null: the defaults. */
  readonly policy: Policy | null
  /** Trouble, in words: once per kind. */
  readonly onTrouble: (message: string) => void
}

export interface KeptFacts {
  readonly session: string
  readonly name: string
  readonly argv: readonly string[]
}

/** Misses that come together are told together; the longer they come, the rarer. */
const SETTLE_MS = 500
const LONGEST_SETTLE_MS = 30_000
/** Sessions in the inbox that are worth loading a database for. */
const FULL_INBOX = 64

export class Keeper {
  readonly #options: KeeperOptions
  #policy: Policy | null
  readonly #inbox: Inbox
  readonly #misses: Miss[] = []
  readonly #troubles = new Set<string>()
  #facts: KeptFacts | null = null
  #alarm: Promise<Alarm> | null = null
  #timer: NodeJS.Timeout | null = null
  #telling: Promise<void> = Promise.resolve()
  #takeInEvery = 1
  #settleMs = SETTLE_MS

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#policy = options.policy
    this.#inbox = new Inbox(options.home)
  }

  /** From now on this is the policy in force. */
  adopt(policy: Policy | null): void {
    this.#policy = policy
    this.#alarm?.then((alarm) => alarm.adopt(policy)).catch(() => {})
  }

  /** For the session: where its evidence is kept meanwhile. */
  evidenceOptions(): { readonly evidence?: string } {
    const folder = join(this.#options.home, 'evidence')
    return this.#trying(() => makePrivateFolder(folder)) ? { evidence: folder } : {}
  }

  /** The program was started, or joined. */
  begun(facts: KeptFacts): void {
    this.#facts = facts
    const { host, bootId, uid } = hostFacts()
    const record: BegunRecord = {
      kind: 'begin',
      ...facts,
      program: facts.name,
      host,
      bootId,
      uid,
      pid: process.pid,
      pidStart: ownStart(),
      startedAt: new Date().toISOString(),
    }
    this.#trying(() => this.#inbox.put(facts.session, record, false))
  }

  miss(miss: Miss): void {
    this.#misses.push(miss)
    if (this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#tell()
    }, this.#settleMs)
    this.#timer.unref()
    this.#settleMs = Math.min(this.#settleMs * 2, LONGEST_SETTLE_MS)
  }

  /** What came of it. Resolves when it is kept and sinks had their time. */
  async ended(result: Result, evidence: Evidence | JudgedBy | null = null): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#telling
    const isToTell = result.report.notes.some(({ library }) => library !== undefined)
    if (result.outcome === 'abnormal' || isToTell) {
      await this.#attempt(async () => (await this.#alarmOf()).ended(result, evidence))
      return
    }
    const { report, outcome } = result
    // Misses that make no alarm leave none.
    if (evidence !== null && 'captures' in evidence && evidence.isOurs) {
      for (const file of evidence.captures) removeFile(file)
    }
    this.#trying(() => this.#inbox.put(report.session, { kind: 'end', outcome, report, evidence: null }, false))
    await this.#attempt(async () => {
      if (this.#inbox.list().length >= FULL_INBOX * this.#takeInEvery) await this.takeIn()
    })
  }

  /** Empties the inbox into the store. */
  async takeIn(): Promise<void> {
    await this.#attempt(async () => {
      // Whoever cannot do it now shall not try it at every session.
      this.#takeInEvery *= 2
      const { openStore } = await import('./open-store.ts')
      const store = await openStore(this.#options.home, this.#policy)
      store.close()
      this.#takeInEvery = 1
    })
  }

  #tell(): void {
    const facts = this.#facts
    if (facts === null) return
    this.#telling = this.#telling.then(() =>
      this.#attempt(async () => (await this.#alarmOf()).missed(facts, [...this.#misses])),
    )
  }

  #alarmOf(): Promise<Alarm> {
    const { home } = this.#options
    this.#alarm ??= import('./alarm.ts').then(({ Alarm }) =>
      Alarm.of(home, this.#policy, (error) => this.#trouble(error)),
    )
    return this.#alarm
  }

  #trying(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.#trouble(error)
      return false
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#trouble(error)
    }
  }

  #trouble(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    if (this.#troubles.has(message)) return
    this.#troubles.add(message)
    this.#options.onTrouble(message)
  }
}

/** When this process started, in clock ticks after boot: a pid alone may be another's later. */
function ownStart(): string {
  try {
    const stat = process.getBuiltinModule('node:fs').readFileSync('/proc/self/stat', 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
