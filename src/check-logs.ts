// Check of logs, the whole story: as check.ts, but the records come from logs that somebody else wrote, and each session in them
// becomes a report of its own.

import { realpathSync } from 'node:fs'
import type { CheckedProgram } from './match/checked-program.ts'
import { Checker } from './match/checker.ts'
import type { BurstOptions } from './match/frame.ts'
import { KnownImages } from './match/known-images.ts'
import { type BegunSession, LogHandler } from './match/log-handler.ts'
import { isUnread, notesOfCounts, type ReadCounts } from './match/log-notes.ts'
import type { Miss } from './match/miss.ts'
import { buildReport, type Result, type SessionFacts } from './match/report.ts'
import { Walker } from './match/walker.ts'
import { checkDepthOf, type Fingerprint, type ProgramFingerprint } from './model/fingerprint.ts'
import type { Image } from './model/stream.ts'
import { TransitionTable } from './model/table.ts'
import { newUlid } from './model/ulid.ts'
import { VERSION } from './package.ts'
import { hostFacts } from './source/host.ts'
import { mappingOfLog } from './source/log/log-mapping.ts'
import type { LogFormatName } from './source/log/log-reader.ts'
import { type LogInput, logInputsOf } from './source/log/log-sets.ts'
import type { LogSession, OpenLog } from './source/log/log-source.ts'
import { readGivenFingerprints } from './store/fingerprint-file.ts'
import { assertOwnStore, fingerprintFolder, storedFor } from './store/fingerprint-store.ts'
import { type Trust, trustIn } from './store/trust.ts'
import { builtinMapping } from './syscall/builtin.ts'
import type { Mapping } from './syscall/mapping.ts'
import { openMapping } from './syscall/mapping-file.ts'
import { type NamingMapping, namingMapping } from './syscall/naming.ts'

export interface CheckLogsOptions {
  /** Files, `-` for stdin. */
  readonly logs: readonly string[]
  readonly format: LogFormatName | 'auto'
  /** Name or file; null: that of the log, or of the fingerprint, or the usual one. */
  readonly mapping: string | null
  /** Fingerprint files; none = those of the fingerprint store that were learned for the program. */
  readonly files: readonly string[]
  /** tracefp's home: the fingerprint store. */
  readonly home: string
  /** Public keys (files, or `ed25519:...`) that all must have signed a fingerprint; none = it need not be signed. */
  readonly requireSignature?: readonly string[]
  /** At most the depth that was learned; null = 2. */
  readonly depth: number | null
  /** When misses are an alarm; absent: always. */
  readonly burst?: BurstOptions
  /** Logs are still being written: they are read until this is aborted. Null: they are whole. */
  readonly follow: AbortSignal | null
  /** `log` is the session it is of. */
  readonly onMiss: (miss: Miss, log: string) => void
  readonly onResult: (result: LogResult) => void
  /** A log could not be read, or what was read of it before. The others go on. */
  readonly onFailure: (error: unknown, log: string) => void
  readonly onOpen?: (log: OpenLog) => void
  /** Results of abnormal sessions say how they were judged. */
  readonly wantsEvidence?: boolean
  /** A session of a log begins, the one before it in this log is over. Of captures nobody is told: theirs is over long since. */
  readonly onBegin?: (session: BegunLogSession) => void
  readonly onProgress?: (log: string, position: number, size: number | null) => void
  /** Tables of the fingerprints of `files`, that another thread has compiled. */
  readonly tables?: CompiledTables
}

export interface LogResult extends Result {
  /** Only where evidence is wanted: what is needed to judge an abnormal session again. */
  readonly judgedBy?: JudgedBy
}

export interface JudgedBy {
  /** The file. */
  readonly path: string
  /** Which of its sessions, from 0. */
  readonly session: number
  readonly format: LogFormatName
  /** As it was asked for; null: as the log or the fingerprint says. */
  readonly mapping: string | null
  /** Texts of the fingerprints, in their order. */
  readonly fingerprints: readonly string[]
}

export interface BegunLogSession {
  /** As in its report. */
  readonly session: string
  readonly name: string
}

/** Of each fingerprint file, in its order, the tables of its programs, in theirs. */
export type CompiledTables = readonly (readonly SharedArrayBuffer[])[]

/** Reads the logs one after the other; those that are followed, side by side. @throws what the fingerprints are wrong with. */
export async function checkLogs(options: CheckLogsOptions): Promise<void> {
  const checks = new LogChecks(options)
  const follow = options.follow === null ? {} : { follow: options.follow }
  const inputs = await logInputsOf(options.logs, { format: options.format, ...follow })
  if (options.follow !== null) await Promise.all(inputs.map((input) => checks.check(input)))
  else for (const input of inputs) await checks.check(input)
}

/** What all logs are checked against. */
export class LogChecks {
  readonly #options: CheckLogsOptions
  readonly #given: readonly Fingerprint[]
  readonly #trust: Trust | null

  /** Fingerprints are read before the logs: a damaged file must not cost an hour. Which mapping they need, each log says. */
  constructor(options: CheckLogsOptions) {
    this.#options = options
    this.#trust = trustIn(options.requireSignature ?? [], options.home)
    this.#given = readGivenFingerprints(options.files, this.#trust, checkDepthOf(options.depth))
    if (this.#given.length === 0) assertOwnStore(fingerprintFolder(options.home))
  }

  async check(input: LogInput): Promise<void> {
    const { onOpen, onFailure } = this.#options
    try {
      const log = await input.open()
      onOpen?.(log)
      await new LogCheck(log, this.#given, this.#trust, this.#options).run()
    } catch (error) {
      onFailure(error, input.name)
    }
  }

  /** For other threads; undefined: what a number means there is not what it means here, each must compile its own. */
  compile(): CompiledTables | undefined {
    const learned = this.#given[0]?.settings.mapping
    const { mapping: wanted, depth } = this.#options
    const mapping = wanted === null ? builtinMapping(learned ?? '') : openMapping(wanted)
    if (mapping?.hasNumbers !== true) return undefined
    const naming = namingMapping(mapping)
    const tables = this.#given.map(({ programs, settings }) =>
      Array.from(programs.values(), (section) => {
        const { buffer } = TransitionTable.compile(section, naming, checkDepthOf(depth), settings.transparent)
        return buffer
      }),
    )
    return naming.unknownNames.size === 0 ? tables : undefined
  }
}

interface CheckedSession {
  readonly id: string
  readonly facts: LogSession
  readonly startedAt: string
  readonly handler: LogHandler
  checked: { readonly checker: Checker; readonly walker: Walker<CheckedProgram> } | null
}

/** One log: its sessions, one after the other. */
class LogCheck {
  readonly #log: OpenLog
  readonly #given: readonly Fingerprint[]
  readonly #trust: Trust | null
  readonly #options: CheckLogsOptions
  readonly #mapping: Mapping
  readonly #naming: NamingMapping
  readonly #tables = new Map<ProgramFingerprint, TransitionTable>()
  #session: CheckedSession | null = null
  #endedCount = 0

  constructor(log: OpenLog, given: readonly Fingerprint[], trust: Trust | null, options: CheckLogsOptions) {
    this.#log = log
    this.#given = given
    this.#trust = trust
    this.#options = options
    this.#mapping = mappingOfLog(log, options.mapping, given[0]?.settings.mapping ?? null)
    this.#naming = namingMapping(this.#mapping)
    for (const [at, { programs }] of given.entries()) {
      const buffers = options.tables?.[at]?.values()
      for (const section of programs.values()) {
        const buffer = buffers?.next().value
        if (buffer !== undefined) this.#tables.set(section, TransitionTable.fromBuffer(buffer))
      }
    }
  }

  async run(): Promise<void> {
    const { onProgress } = this.#options
    await this.#log.read({
      mapping: this.#naming,
      inOrder: this.#given[0]?.settings.tracks === 'log',
      begin: (facts) => this.#begin(facts),
      end: (counts, cut) => this.#end(counts, cut),
      ...(onProgress === undefined ? {} : { progress: (position, size) => onProgress(this.#log.name, position, size) }),
    })
  }

  get #isCapture(): boolean {
    return this.#log.format.name === 'capture'
  }

  #begin(facts: LogSession): LogHandler {
    const session: CheckedSession = {
      id: newUlid(),
      facts,
      startedAt: new Date().toISOString(),
      handler: new LogHandler((image) => this.#beginCheck(session, image)),
      checked: null,
    }
    this.#session = session
    if (!this.#isCapture) this.#options.onBegin?.({ session: session.id, name: facts.name })
    return session.handler
  }

  /** The program is known, and so are its fingerprints. */
  #beginCheck(session: CheckedSession, image: Image | null): BegunSession {
    const { depth, burst, onMiss } = this.#options
    const mapping = this.#naming
    const isCapture = this.#isCapture
    const fingerprints = this.#given.length > 0 || image === null ? this.#given : this.#storedFor(image)
    const checker = new Checker({
      fingerprints,
      mapping,
      order: this.#log.order,
      source: isCapture ? 'live' : 'log',
      at: session.facts.at,
      tables: this.#tables,
      // In a filtered log steps are missing: what looks like a miss is none.
      onMiss: (miss) => {
        if (!session.handler.noteCodes.has('filtered')) onMiss(miss, session.facts.name)
      },
      ...(depth === null ? {} : { depth }),
      ...(burst === undefined ? {} : { burst }),
    })
    const logged = session.facts.logged()
    const walker = new Walker(checker, {
      mapping,
      tracks: checker.tracks,
      joinImage: isCapture ? null : (image ?? onlyRoot(fingerprints)),
      tellsSignals: this.#log.format.tellsSignals ?? true,
      ...(logged === null ? {} : { rootPpid: logged.rootPpid, rootAncestors: logged.rootAncestors }),
    })
    session.checked = { checker, walker }
    // A capture names programs as the kernel does, and with their hashes.
    if (isCapture) return { handler: walker, resolve: (given) => given }
    const known = new KnownImages(fingerprints, realPath)
    return { handler: walker, resolve: (given) => known.resolve(given) }
  }

  #storedFor(image: Image): Fingerprint[] {
    const folder = fingerprintFolder(this.#options.home)
    const depth = checkDepthOf(this.#options.depth)
    const spellings = this.#isCapture ? [image] : KnownImages.spellings(image, realPath)
    for (const spelled of spellings) {
      const stored = storedFor(folder, spelled, this.#mapping, this.#trust, depth)
      if (stored.length > 0) return stored.map(({ fingerprint }) => fingerprint)
    }
    return []
  }

  #end(counts: ReadCounts, cut: string | null): void {
    const session = this.#session
    this.#session = null
    if (session === null) return
    session.handler.begin(null)
    const { checker, walker } = session.checked as NonNullable<CheckedSession['checked']>
    for (const note of notesOfCounts(counts, this.#mapping.name, cut)) checker.note(note)
    walker.finish()
    const facts = { ...this.#factsOf(session), unparsedLineCount: counts.unparsedLineCount }
    const result = buildReport(facts, walker, checker)
    const isFalse = session.handler.noteCodes.has('filtered') || isUnread(counts)
    const judgedBy = !isFalse && result.outcome === 'abnormal' ? this.#judgedBy(checker) : null
    this.#endedCount += 1
    this.#options.onResult(isFalse ? withoutVerdict(result) : { ...result, ...(judgedBy === null ? {} : { judgedBy }) })
  }

  /** Null: it is not wanted, or cannot be done: a mapping of the user's own is nowhere but in its file. */
  #judgedBy(checker: Checker): JudgedBy | null {
    const { mapping, wantsEvidence } = this.#options
    if (wantsEvidence !== true || this.#isCapture) return null
    if (mapping !== null && builtinMapping(mapping) === undefined) return null
    const { name, format } = this.#log
    const session = this.#endedCount
    return { path: name, session, format: format.name, mapping, fingerprints: checker.fingerprintTexts() }
  }

  /** A capture knows its session; of any other log only its name is known, and where and when it was checked. */
  #factsOf({ id, facts, startedAt }: CheckedSession): Omit<SessionFacts, 'unparsedLineCount'> {
    const { format, order } = this.#log
    const logged = facts.logged()
    if (logged !== null) {
      const source = { kind: 'capture', engine: logged.engine, format: null, order } as const
      // Of a capture that was cut off the end is where its last record stands.
      return { ...logged, tracefp: VERSION, source, endedAt: logged.endedAt ?? facts.at() }
    }
    const { host, machineId, uid } = hostFacts()
    return {
      tracefp: VERSION,
      session: id,
      name: facts.name,
      source: this.#isCapture
        ? { kind: 'capture', engine: null, format: null, order }
        : { kind: 'log', engine: null, format: format.name, order },
      host,
      machineId,
      bootId: '',
      uid,
      argv: [],
      startedAt,
      endedAt: new Date().toISOString(),
    }
  }
}

/** Steps are missing that the program made: its misses say nothing. */
function withoutVerdict({ report }: Result): Result {
  return { report: { ...report, verdict: 'inconclusive' }, outcome: 'inconclusive' }
}

/** What runs in a log that does not say it: the one program that the fingerprints were learned for. */
function onlyRoot(fingerprints: readonly Fingerprint[]): Image | null {
  const roots = new Map<string, Image>()
  for (const { roots: keys, programs, settings } of fingerprints) {
    for (const key of settings.scope === 'set' ? programs.keys() : keys) {
      const image = programs.get(key)?.image
      if (image !== undefined) roots.set(key, image)
    }
  }
  const [root] = roots.values()
  return roots.size === 1 && root !== undefined ? { ...root, sha256: null, buildId: null } : null
}

function realPath(path: string): string | null {
  try {
    return path.startsWith('/') ? realpathSync(path) : null
  } catch {
    return null
  }
}
