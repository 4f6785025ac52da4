// What is done about a session with misses: an alert per program, scored and told by the policy; evidence; the store.

import { readFileSync } from 'node:fs'
import { type AlertEvent, EVENT_MISSES, type EventKind } from '../alert/event.ts'
import { DEFAULT_POLICY, isToTell, modeOf, type Policy, SEVERITIES } from '../alert/policy.ts'
import { type Elsewhere, NOWHERE, scoreOf, severityOf } from '../alert/score.ts'
import type { JudgedBy } from '../check-logs.ts'
import { isLibraryMiss, libraryMissesOf } from '../match/library-miss.ts'
import type { Miss } from '../match/miss.ts'
import type { Report, Result } from '../match/report.ts'
import { removeFile } from '../model/remove-file.ts'
import { newUlid } from '../model/ulid.ts'
import { VERSION } from '../package.ts'
import { hostFacts } from '../source/host.ts'
import { type Bundle, type Evidence, writeBundle } from '../store/evidence.ts'
import { Inbox } from '../store/inbox.ts'
import type { EndedRecord } from '../store/records.ts'
import { evidenceFolder, type SessionStore } from '../store/session-store.ts'
import type { Delivery } from './deliver.ts'
import type { KeptFacts } from './keeper.ts'
import { logCaptures } from './log-evidence.ts'
import { openStore } from './open-store.ts'
import { asText, judge } from './replay.ts'
import { SpoolRetry } from './spool-retry.ts'

export class Alarm {
  readonly #home: string
  #policy: Policy
  readonly #inbox: Inbox
  readonly #onTrouble: (error: unknown) => void
  /** By session and program. */
  readonly #alerts = new Map<string, Known>()
  #retry: SpoolRetry | null = null
  #store: SessionStore | null = null

  static async of(home: string, policy: Policy | null, onTrouble: (error: unknown) => void): Promise<Alarm> {
    return new Alarm(home, policy ?? DEFAULT_POLICY, onTrouble)
  }

  private constructor(home: string, policy: Policy, onTrouble: (error: unknown) => void) {
    this.#home = home
    this.#policy = policy
    this.#inbox = new Inbox(home)
    this.#onTrouble = onTrouble
  }

  /** From now on this is the policy in force. */
  adopt(policy: Policy | null): void {
    this.#policy = policy ?? DEFAULT_POLICY
  }

  /** The session goes on; these are its misses so far. */
  async missed(facts: KeptFacts, misses: readonly Miss[]): Promise<void> {
    const { host, machineId, bootId, uid } = hostFacts()
    const { session, name } = facts
    const known = { host, machineId, bootId, uid, session, name, gapCount: 0, droppedCount: 0 }
    try {
      await this.#judge(misses, (program) => ({
        ...known,
        sha256: null,
        fingerprint: null,
        missCount: countOf(misses, program),
      }))
    } finally {
      this.#closeStore()
    }
  }

  async ended(result: Result, evidence: Evidence | JudgedBy | null): Promise<void> {
    try {
      await this.#ended(result, evidence)
    } finally {
      this.#closeStore()
    }
  }

  async #ended({ report, outcome }: Result, evidence: Evidence | JudgedBy | null): Promise<void> {
    // What still waits goes out with the last event, or stays on the disk.
    await this.#retry?.close()
    const { host, machineId, bootId, uid, session, name, gapCount, droppedCount } = report
    const known = { host, machineId, bootId, uid, session, name, gapCount, droppedCount }
    const libraries = libraryMissesOf(report.notes, report.startedAt)
    await this.#judge(
      [...report.misses, ...libraries],
      (image) => {
        const program = report.programs.find((other) => other.image === image)
        const missCount = (program?.missCount ?? countOf(report.misses, image)) + countOf(libraries, image)
        return { ...known, sha256: program?.sha256 ?? null, fingerprint: program?.fingerprint ?? null, missCount }
      },
      'closed',
    )
    const kept = await this.#keepEvidence(
      report,
      evidence,
      [...this.#alerts.values()].map(({ event }) => event).filter((event) => event.session === session),
    )
    const record: EndedRecord = { kind: 'end', outcome, report, evidence: kept }
    this.#attempt(() => this.#inbox.put(session, record, true))
    await this.#withStore(() => {})
    for (const [key, { event }] of this.#alerts) if (event.session === session) this.#alerts.delete(key)
  }

  /** Scores what there is, keeps it and tells it, where it says more than what was told before. */
  async #judge(misses: readonly Miss[], factsOf: (program: string) => ProgramFacts, last?: 'closed'): Promise<void> {
    // Those below the threshold, and what is known from failures, alarm nobody.
    const alarms = misses.filter((miss) => miss.isAlarm || isLibraryMiss(miss))
    const programs = [...new Set(alarms.map(({ image }) => image))]
    const events: AlertEvent[] = []
    await this.#withStore((store) => {
      for (const program of programs) {
        const own = alarms.filter(({ image }) => image === program)
        const facts = factsOf(program)
        const known = new Map<string, Elsewhere>()
        const elsewhere = (miss: Miss): Elsewhere => {
          // A flood is of few steps, again and again.
          const step = `${miss.from}\n${miss.to}`
          const found = known.get(step) ?? this.#elsewhere(store, miss, facts.session)
          known.set(step, found)
          return found
        }
        events.push(this.#eventOf(program, own, facts, elsewhere, last))
      }
    })
    const toTell: AlertEvent[] = []
    for (const event of events) {
      const told = this.#alerts.get(keyOf(event))?.told ?? null
      const isNow = isToTell(this.#policy, event, new Date(event.time)) && isNews(event, told)
      if (isNow) toTell.push(event)
      this.#alerts.set(keyOf(event), { event, told: isNow ? event : told })
      const record = { kind: 'alert', event, isTold: isNow || told !== null } as const
      this.#attempt(() => this.#inbox.put(event.session, record, true))
    }
    await this.#tell(toTell)
  }

  /** Sinks get what is news, and what waits from before. */
  async #tell(events: readonly AlertEvent[]): Promise<void> {
    if (events.length === 0 || this.#policy.sinks.length === 0) return
    const { deliver } = await import('./deliver.ts')
    const send = async (told: readonly AlertEvent[]): Promise<Delivery[]> => {
      const deliveries = await deliver(told, { home: this.#home, policy: this.#policy })
      for (const delivery of deliveries) this.#tellTrouble(delivery)
      return deliveries
    }
    this.#retry ??= new SpoolRetry({ flush: () => send([]) })
    this.#retry.heard(await send(events))
  }

  #tellTrouble({ sink, trouble, waitingCount, droppedCount }: Delivery): void {
    if (trouble === null) return
    const fate = droppedCount > 0 ? `${droppedCount} dropped` : `${waitingCount} wait in the spool`
    this.#onTrouble(new Error(`sink ${sink}: ${trouble}: ${fate}`))
  }

  #eventOf(
    program: string,
    misses: readonly Miss[],
    facts: ProgramFacts,
    elsewhere: (miss: Miss) => Elsewhere,
    last: 'closed' | undefined,
  ): AlertEvent {
    const before = this.#alerts.get(keyOf({ session: facts.session, program }))?.event
    const score = scoreOf(misses, elsewhere)
    const severity = severityOf(score.value, this.#policy.thresholds)
    const listed = misses.slice(0, EVENT_MISSES)
    const worst = misses[score.miss] as Miss
    if (!listed.includes(worst)) listed[listed.length - 1] = worst
    const isWorse = before !== undefined && SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(before.severity)
    const kind: EventKind = before === undefined ? 'opened' : isWorse ? 'raised' : (last ?? 'raised')
    return {
      schema: 1,
      kind,
      id: newUlid(),
      alert: before?.alert ?? newUlid(),
      time: new Date().toISOString(),
      tracefp: VERSION,
      ...facts,
      program,
      severity,
      score,
      mode: modeOf(this.#policy, program),
      confidence: facts.gapCount + facts.droppedCount > 0 ? 'lowered' : 'full',
      suppressedCount: facts.missCount - listed.length,
      misses: listed,
    }
  }

  #elsewhere(store: SessionStore | null, miss: Miss, session: string): Elsewhere {
    try {
      return store?.knownElsewhere(miss, session) ?? NOWHERE
    } catch (error) {
      this.#onTrouble(error)
      return NOWHERE
    }
  }

  /** Null: there is nothing to keep, or it cannot be kept, which was told. */
  async #keepEvidence(
    report: Report,
    evidence: Evidence | JudgedBy | null,
    alerts: readonly AlertEvent[],
  ): Promise<EndedRecord['evidence']> {
    if (evidence === null) return null
    try {
      const packed = 'captures' in evidence ? await packedOf(evidence, report) : await logCaptures(evidence, report)
      if (packed === null) return null
      let previous = ''
      await this.#withStore((store) => {
        previous = store?.head() ?? ''
      })
      return writeBundle(evidenceFolder(this.#home), {
        evidence: 1,
        tracefp: VERSION,
        node: process.version,
        kernel: hostFacts().kernel,
        madeAt: new Date().toISOString(),
        previous,
        report,
        alerts,
        processes: 'processes' in evidence ? evidence.processes : [],
        ...packed,
        fingerprints: evidence.fingerprints,
      })
    } catch (error) {
      this.#onTrouble(error)
      return null
    } finally {
      if ('captures' in evidence && evidence.isOurs) {
        for (const file of evidence.captures) removeFile(file)
      }
    }
  }

  /** With what was told until now. Null: it cannot be opened, which was told. */
  async #withStore(use: (store: SessionStore | null) => void): Promise<void> {
    try {
      if (this.#store === null) this.#store = await openStore(this.#home, this.#policy)
      else this.#store.takeIn()
    } catch (error) {
      this.#onTrouble(error)
      this.#closeStore()
    }
    use(this.#store)
  }

  /** A session may go on for months: what it does not need is not held open. */
  #closeStore(): void {
    this.#store?.close()
    this.#store = null
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#onTrouble(error)
    }
  }
}

type ProgramFacts = Pick<
  AlertEvent,
  | 'host'
  | 'machineId'
  | 'bootId'
  | 'uid'
  | 'session'
  | 'name'
  | 'gapCount'
  | 'droppedCount'
  | 'sha256'
  | 'fingerprint'
  | 'missCount'
>

/** The last event of a program, and the last that sinks were told. */
interface Known {
  readonly event: AlertEvent
  readonly told: AlertEvent | null
}

/** The captures of a live session, with what judging them again says. */
async function packedOf(
  { captures: files, isWhole, fingerprints }: Evidence,
  report: Report,
): Promise<Pick<Bundle, 'captures' | 'isWhole'>> {
  const captures: Bundle['captures'][number][] = []
  for (const file of files) {
    const bytes = readFileSync(file)
    const judged = await judge(bytes, fingerprints, report)
    if (judged !== null) captures.push({ bytes: bytes.toString('base64'), report: asText(judged.report) })
  }
  return { captures, isWhole: isWhole && captures.length === files.length }
}

/** One alert per session and program. */
function keyOf({ session, program }: Pick<AlertEvent, 'session' | 'program'>): string {
  return `${session}\n${program}`
}

/** While a session goes on only what is worse is told again; at its end also that there was more. */
function isNews(event: AlertEvent, told: AlertEvent | null): boolean {
  if (told === null || SEVERITIES.indexOf(event.severity) > SEVERITIES.indexOf(told.severity)) return true
  return event.kind === 'closed' && event.missCount > told.missCount
}

function countOf(misses: readonly Miss[], program: string): number {
  return misses.filter(({ image }) => image === program).length
}
