// The daemon: follows what the configuration names, takes a new one without letting go of what stays the same, and says how it is.

import type { Metric } from '../alert/formats.ts'
import { metricsText } from '../alert/formats.ts'
import type { Policy } from '../alert/policy.ts'
import { VERSION } from '../package.ts'
import { deliver } from '../session/deliver.ts'
import { openStore } from '../session/open-store.ts'
import { SpoolRetry } from '../session/spool-retry.ts'
import { metricsOf } from '../store/metrics.ts'
import type { SessionStore } from '../store/session-store.ts'
import { type EntryConfig, identityOf, type Listen, readConfig, type WatchConfig } from './config.ts'
import { type Endpoint, openEndpoint } from './endpoint.ts'
import { type Attempt, Entry, type EntryState } from './entry.ts'
import { logAttempt } from './follow-log.ts'
import { programAttempt } from './follow-program.ts'
import { serviceAttempt } from './follow-service.ts'
import type { ServiceManager } from './service-manager.ts'

export interface DaemonOptions {
  /** The configuration. */
  readonly file: string
  readonly home: string
  /** One line for the journal. */
  readonly say: (text: string) => void
  readonly manager: ServiceManager
}

export interface Health {
  readonly status: 'ok' | 'degraded'
  readonly tracefp: string
  readonly startedAt: string
  readonly config: { readonly file: string; readonly loadedAt: string; readonly refused: string | null }
  /** Why the store cannot be used; null: it can. */
  readonly store: string | null
  readonly entries: readonly EntryState[]
}

/** Pauses of logs and services; programs have their own. */
const FIRST_MS = 1_000
const LONGEST_MS = 30_000
/** What other processes told the store, and what waits in spools, is looked at so often. */
const TIDY_MS = 60_000

export class Daemon {
  readonly #options: DaemonOptions
  readonly #startedAt = new Date().toISOString()
  #config: WatchConfig
  #loadedAt = this.#startedAt
  #refused: string | null = null
  #entries = new Map<string, Entry>()
  #endpoint: Endpoint | null = null
  #store: SessionStore | null = null
  #storeTrouble: string | null = null
  #timer: NodeJS.Timeout | null = null
  /** One after the other: reloads, the end. */
  #work: Promise<void> = Promise.resolve()
  #isStopping = false
  readonly #retry: SpoolRetry

  /** @throws TracefpError TFP_ERR_DAEMON_CONFIG, TFP_ERR_ALERT_POLICY, TFP_ERR_FILE. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const config = await readConfig(options.file, options.home)
    const daemon = new Daemon(options, config)
    await daemon.#begin()
    return daemon
  }

  private constructor(options: DaemonOptions, config: WatchConfig) {
    this.#options = options
    this.#config = config
    this.#retry = new SpoolRetry({ flush: () => this.#flush() })
  }

  /** Where health and metrics are; null: nowhere. */
  get url(): string | null {
    return this.#endpoint?.url ?? null
  }

  get health(): Health {
    const entries = [...this.#entries.values()]
    const isWell = this.#refused === null && this.#storeTrouble === null && entries.every((entry) => entry.isWell)
    return {
      status: isWell ? 'ok' : 'degraded',
      tracefp: VERSION,
      startedAt: this.#startedAt,
      config: { file: this.#config.file, loadedAt: this.#loadedAt, refused: this.#refused },
      store: this.#storeTrouble,
      entries: entries.map(({ state }) => state),
    }
  }

  /** Takes the configuration anew. One that is wrong is told and changes nothing. Resolves when it is in force. */
  async reload(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#isStopping) return
      this.#options.manager.reloading()
      try {
        await this.#adopt(await readConfig(this.#options.file, this.#options.home))
        this.#refused = null
      } catch (error) {
        this.#refused = messageOf(error)
        this.#options.say(`the new configuration was refused, the old one stays in force: ${this.#refused}`)
      }
      this.#options.manager.ready()
      this.#tellStatus()
    })
  }

  /** Ends what it started, lets go of what it joined. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#inTurn(async () => {
      this.#options.manager.stopping()
      if (this.#timer !== null) clearInterval(this.#timer)
      await this.#retry.close()
      await Promise.all([...this.#entries.values()].map((entry) => entry.stop()))
      await this.#endpoint?.close()
      this.#useStore((store) => store.takeIn())
      this.#store?.close()
      this.#options.manager.close()
    })
  }

  async #begin(): Promise<void> {
    this.#endpoint = await this.#listen(this.#config.listen)
    await this.#openStore()
    for (const config of this.#config.entries) this.#add(config)
    this.#timer = setInterval(() => void this.#tidy(), TIDY_MS)
    void this.#flush().then((deliveries) => this.#retry.heard(deliveries))
    this.#options.manager.ready()
    this.#tellStatus()
  }

  /** What stays the same goes on; what changed ends before it begins anew. */
  async #adopt(config: WatchConfig): Promise<void> {
    const former = this.#config
    if (JSON.stringify(config.listen) !== JSON.stringify(former.listen)) {
      // The new one first: where it cannot be had, nothing changes.
      const endpoint = await this.#listen(config.listen)
      await this.#endpoint?.close()
      this.#endpoint = endpoint
    }
    this.#config = config
    this.#loadedAt = new Date().toISOString()
    const wanted = new Map(config.entries.map((entry) => [entry.name, entry]))
    const gone = [...this.#entries.values()].filter((entry) => {
      const next = wanted.get(entry.config.name)
      return next === undefined || this.#identity(next, config.policy) !== this.#identity(entry.config, former.policy)
    })
    await Promise.all(gone.map((entry) => entry.stop()))
    for (const { config: old } of gone) this.#entries.delete(old.name)
    for (const entry of this.#entries.values()) entry.adopt(config.policy)
    const kept = this.#entries
    this.#entries = new Map()
    // In the order of the file.
    for (const entry of config.entries) {
      const known = kept.get(entry.name)
      if (known === undefined) this.#add(entry)
      else this.#entries.set(entry.name, known)
    }
    const addedCount = this.#entries.size - kept.size
    this.#options.say(`configuration: ${kept.size} go on, ${gone.length} ended, ${addedCount} began`)
  }

  /** What is done at a miss of a session is decided when it begins: another mode of the policy is another entry. */
  #identity(entry: EntryConfig, policy: Policy): string {
    const followsPolicy = entry.kind !== 'log' && entry.onMiss === null
    return `${identityOf(entry)}${followsPolicy ? JSON.stringify([policy.defaultMode, ...policy.modes]) : ''}`
  }

  #add(config: EntryConfig): void {
    const entry = new Entry({
      config,
      attempt: attemptOf(config, this.#options.home),
      policy: () => this.#config.policy,
      say: (text) => this.#options.say(`${config.name}: ${text}`),
      onChange: () => this.#tellStatus(),
      firstMs: config.kind === 'program' ? config.restartMs : FIRST_MS,
      longestMs: config.kind === 'program' ? config.restartMaxMs : LONGEST_MS,
    })
    this.#entries.set(config.name, entry)
    entry.start()
  }

  async #listen(listen: Listen | null): Promise<Endpoint | null> {
    if (listen === null) return null
    return await openEndpoint(listen, {
      health: () => ({ isWell: this.health.status === 'ok', body: this.health }),
      metrics: () => this.#metrics(),
    })
  }

  #metrics(): string {
    const { entries } = this.health
    const perEntry = (name: string, help: string, of: (entry: EntryState) => number): Metric => ({
      name: `tracefp_watch_${name}`,
      help,
      type: name.endsWith('_total') ? 'counter' : 'gauge',
      values: entries.map((entry) => ({ labels: { kind: entry.kind, entry: entry.name }, value: of(entry) })),
    })
    const own = [
      perEntry('up', 'Whether the entry is followed now.', ({ state }) => (state === 'running' ? 1 : 0)),
      perEntry('sessions_total', 'Sessions of the entry since the daemon began.', ({ sessionCount }) => sessionCount),
      perEntry('misses_total', 'Misses told of the entry since the daemon began.', ({ missCount }) => missCount),
    ]
    let stored: Metric[] = []
    this.#useStore((store) => {
      store.takeIn()
      stored = metricsOf(store)
    })
    return metricsText([...stored, ...own])
  }

  async #tidy(): Promise<void> {
    if (this.#store === null) await this.#openStore()
    this.#useStore((store) => store.takeIn())
    // Other processes leave events there too; what was tried is not tried more often for that.
    if (!this.#retry.isWaiting) this.#retry.heard(await this.#flush())
  }

  async #flush(): ReturnType<typeof deliver> {
    const { home } = this.#options
    const { policy } = this.#config
    return policy.sinks.length === 0 ? [] : await deliver([], { home, policy })
  }

  async #openStore(): Promise<void> {
    try {
      this.#store = await openStore(this.#options.home, this.#config.policy)
      this.#storeTrouble = null
    } catch (error) {
      this.#lament(error)
    }
  }

  /** Trouble with the store ends nothing: it is opened again later. */
  #useStore(use: (store: SessionStore) => void): void {
    if (this.#store === null) return
    try {
      use(this.#store)
      this.#storeTrouble = null
    } catch (error) {
      this.#lament(error)
      this.#store.close()
      this.#store = null
    }
  }

  #lament(error: unknown): void {
    const trouble = messageOf(error)
    if (trouble !== this.#storeTrouble) this.#options.say(trouble)
    this.#storeTrouble = trouble
  }

  #tellStatus(): void {
    if (this.#isStopping) return
    const { entries } = this.health
    const running = entries.filter(({ state }) => state === 'running').length
    const troubles = entries.flatMap(({ name, trouble }) => (trouble === null ? [] : [`${name}: ${trouble}`]))
    if (this.#refused !== null) troubles.unshift('the last configuration was refused')
    this.#options.manager.status([`${running} of ${entries.length} followed`, ...troubles].join('; '))
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work)
    return this.#work
  }
}

function attemptOf(config: EntryConfig, home: string): Attempt {
  switch (config.kind) {
    case 'program':
      return programAttempt(config, home)
    case 'log':
      return logAttempt(config, home)
    case 'service':
      return serviceAttempt(config, home)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
