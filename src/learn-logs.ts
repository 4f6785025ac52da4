// Learn from logs, the whole story: as learn.ts, but each session of a log is a run. Runs are added to the ledger some hundred at
// a time: a ledger is written whole. Reading (LogRuns) and adding (LearnedRuns) do not know each other, so that logs can be read in
// threads (session/learn-logs-in-threads.ts).

import { existsSync, realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname } from 'node:path'
import { TracefpError, UsageError } from './errors.ts'
import { KnownImages } from './match/known-images.ts'
import { type BegunSession, LogHandler } from './match/log-handler.ts'
import { isUnread, notesOfCounts, type ReadCounts, UNPARSED_SHARE } from './match/log-notes.ts'
import { type RecordedProgram, Recorder } from './match/recorder.ts'
import { Walker } from './match/walker.ts'
import { decodeFingerprint } from './model/codec-fingerprint.ts'
import { ledgerPathOf, updateLedger } from './model/files.ts'
import { type Fingerprint, makeSettings, type Settings, type Tally } from './model/fingerprint.ts'
import { makeFolder as make } from './model/folder.ts'
import { type RunDelta, type RunInfo, RunObservation } from './model/learner.ts'
import type { Ledger } from './model/ledger.ts'
import { leftOutText } from './model/never-learned.ts'
import type { Image } from './model/stream.ts'
import { newUlid } from './model/ulid.ts'
import { VERSION } from './package.ts'
import { hostFacts } from './source/host.ts'
import { type MappedLog, mappingOfLog } from './source/log/log-mapping.ts'
import type { LogFormatName } from './source/log/log-reader.ts'
import { type LogInput, logInputsOf } from './source/log/log-sets.ts'
import type { LogSession, OpenLog } from './source/log/log-source.ts'
import { readFingerprint, readFingerprintText } from './store/fingerprint-file.ts'
import { assertOwnStore, fileToLearnInto, fingerprintFolder } from './store/fingerprint-store.ts'
import type { Mapping } from './syscall/mapping.ts'
import { type NamingMapping, namingMapping } from './syscall/naming.ts'

export interface ReadLogsOptions {
  readonly format: LogFormatName | 'auto'
  /** Name or file; null: that of the log, or of the fingerprint that is added to, or the usual one. */
  readonly mapping: string | null
  /** The .tfp to write; null = one in the fingerprint store. */
  readonly file: string | null
  /** Name in the store; and of the program, where the log does not say which it is. Null = made of the program's. */
  readonly name: string | null
  readonly scenario: string
  /** What the user asked for; the rest is as in the file that is added to, or as usual. */
  readonly settings: Partial<Settings>
  /** Names of calls that are not learned; absent: the usual ones. */
  readonly neverLearned?: readonly string[]
  readonly home: string
}

export interface LearnLogsOptions extends ReadLogsOptions {
  /** Files, `-` for stdin. */
  readonly logs: readonly string[]
  readonly onSession: (session: LearnedSession) => void
  /** Runs were added to a file. */
  readonly onWritten: (file: LearnedFile) => void
  /** A log could not be read. The others go on. */
  readonly onFailure: (error: unknown, log: string) => void
  readonly onOpen?: (log: OpenLog) => void
  readonly onProgress?: (log: string, position: number, size: number | null) => void
}

/** What came of one session of a log. */
export interface LearnedSession {
  readonly name: string
  /** Why nothing was learned from it; null: it was. */
  readonly refusal: string | null
  readonly recordCount: number
  readonly notes: readonly string[]
}

export interface LearnedFile {
  readonly file: string
  /** Runs and distinct transitions of the fingerprint now. */
  readonly runCount: number
  /** What estimates are made of. */
  readonly tally: Tally | null
  readonly transitionCount: number
  /** Of the runs that were added just now. */
  readonly newTransitionCount: number
}

/** Runs that are added at once. */
const BATCH = 256

/** A program that dies so did not behave. */
const CRASHES: readonly number[] = (
  ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGSYS', 'SIGTRAP'] as const
).map((name) => constants.signals[name])

/** Reads the logs one after the other and adds each session to the fingerprint of its program. */
export async function learnLogs(options: LearnLogsOptions): Promise<void> {
  const runs = new LearnedRuns(options)
  const reading = new LogRuns({ ...options, onRun: (run) => runs.add(run) })
  for (const input of await logInputsOf(options.logs, { format: options.format })) {
    await reading.read(input)
    await runs.writeFull()
  }
  await runs.writeAll()
}

/** A run that is to be added to a file. */
export interface LearnedRun {
  readonly file: string
  readonly delta: RunDelta
  /** What it was read from. */
  readonly log: MappedLog
}

export interface LogRunsOptions extends ReadLogsOptions {
  readonly onRun: (run: LearnedRun) => void
  readonly onSession: (session: LearnedSession) => void
  readonly onFailure: (error: unknown, log: string) => void
  readonly onOpen?: (log: OpenLog) => void
  readonly onProgress?: (log: string, position: number, size: number | null) => void
}

/** Reads logs and tells the runs in them. */
export class LogRuns {
  readonly #options: LogRunsOptions
  /** Mapping of the file that is added to; null: it is new. */
  readonly #learned: string | null
  /** Files that are added to, as they were before; null: it is new. */
  readonly #known = new Map<string, Fingerprint | null>()

  /** @throws TracefpError TFP_ERR_STORE. */
  constructor(options: LogRunsOptions) {
    this.#options = options
    if (options.file === null) assertOwnStore(fingerprintFolder(options.home))
    this.#learned = learnedMapping(options)
  }

  /** Files that were written since, as they were before. */
  remember(known: ReadonlyMap<string, Fingerprint | null>): void {
    for (const [file, fingerprint] of known) if (!this.#known.has(file)) this.#known.set(file, fingerprint)
  }

  async read(input: LogInput): Promise<void> {
    try {
      const log = await input.open()
      this.#options.onOpen?.(log)
      await new LogLearn(log, this.#options, { learnedMapping: this.#learned, known: this.#known }).run()
    } catch (error) {
      this.#options.onFailure(error, input.name)
    }
  }
}

/** The mapping that the file to add to was learned with. */
function learnedMapping({ file }: ReadLogsOptions): string | null {
  return file === null || !existsSync(file) ? null : decodeFingerprint(readFingerprintText(file), file).settings.mapping
}

/** What the logs of one command share. */
interface Shared {
  readonly learnedMapping: string | null
  readonly known: Map<string, Fingerprint | null>
}

interface Learning {
  readonly file: string
  readonly run: RunObservation
  readonly recorder: Recorder
  readonly walker: Walker<RecordedProgram>
}

interface LearnSession {
  readonly facts: LogSession
  readonly handler: LogHandler
  learning: Learning | null
}

/** One log: its sessions, one after the other. */
class LogLearn {
  readonly #log: OpenLog
  readonly #options: LogRunsOptions
  readonly #shared: Shared
  readonly #mapping: Mapping
  readonly #naming: NamingMapping
  #session: LearnSession | null = null

  constructor(log: OpenLog, options: LogRunsOptions, shared: Shared) {
    this.#log = log
    this.#options = options
    this.#shared = shared
    this.#mapping = mappingOfLog(log, options.mapping, shared.learnedMapping)
    this.#naming = namingMapping(this.#mapping)
  }

  async run(): Promise<void> {
    const { onProgress, settings } = this.#options
    await this.#log.read({
      mapping: this.#naming,
      inOrder: settings.tracks === 'log',
      begin: (facts) => this.#begin(facts),
      end: (counts, cut) => this.#end(counts, cut),
      ...(onProgress === undefined ? {} : { progress: (position, size) => onProgress(this.#log.name, position, size) }),
    })
  }

  #begin(facts: LogSession): LogHandler {
    const handler = new LogHandler((image) => this.#beginLearning(session, image))
    const session: LearnSession = { facts, handler, learning: null }
    this.#session = session
    return handler
  }

  #beginLearning(session: LearnSession, image: Image | null): BegunSession {
    const { file: wanted, name, home } = this.#options
    const folder = fingerprintFolder(home)
    const joinImage = image ?? this.#namedImage()
    const file = wanted ?? fileToLearnInto(folder, joinImage ?? noImage(this.#log.name), name, this.#mapping)
    const known = this.#known(file)
    const settings = makeSettings(this.#mapping, {
      ...known?.settings,
      ...this.#options.settings,
      order: this.#log.order,
    })
    const { neverLearned } = this.#options
    const run = new RunObservation(
      settings,
      this.#runInfo(session.facts),
      neverLearned === undefined ? {} : { neverLearned },
    )
    const recorder = new Recorder(run, this.#naming)
    const walker = new Walker<RecordedProgram>(recorder, {
      mapping: this.#naming,
      tracks: settings.tracks,
      joinImage,
      tellsSignals: this.#log.format.tellsSignals ?? true,
    })
    session.learning = { file, run, recorder, walker }
    // A capture names programs as the kernel does, and with their hashes.
    if (this.#log.format.name === 'capture') return { handler: walker, resolve: (given) => given }
    const images = new KnownImages(known === null ? [] : [known], realPath)
    return { handler: walker, resolve: (given) => images.resolve(given) }
  }

  #known(file: string): Fingerprint | null {
    const { known } = this.#shared
    let fingerprint = known.get(file)
    if (fingerprint === undefined) {
      fingerprint = existsSync(file) ? readFingerprint(file, this.#mapping) : null
      known.set(file, fingerprint)
    }
    return fingerprint
  }

  /** What runs in a log that does not say it. */
  #namedImage(): Image | null {
    const { name, file } = this.#options
    const path = name ?? (file === null ? null : basename(file).replace(/\.tfp$/, ''))
    return path === null ? null : { path, sha256: null, buildId: null, script: null, argv0: null }
  }

  #end(counts: ReadCounts, cut: string | null): void {
    const session = this.#session
    this.#session = null
    if (session === null) return
    session.handler.begin(null)
    const { file, run, recorder, walker } = session.learning as Learning
    for (const note of notesOfCounts(counts, this.#mapping.name, cut)) recorder.note(note)
    walker.finish()
    const refusal = refusalOf(session.handler, walker, counts)
    const delta = run.finish()
    const leftOut = leftOutText(delta.leftOut)
    if (leftOut !== undefined) recorder.note({ code: 'not_learned', message: leftOut, inconclusive: false })
    const { name, format, mappingName } = this.#log
    if (refusal === null)
      this.#options.onRun({ file, delta, log: { name, format: { name: format.name }, mappingName } })
    this.#options.onSession({
      name: session.facts.name,
      refusal,
      recordCount: walker.recordCount,
      notes: recorder.notes.list().map(({ message }) => message),
    })
  }

  #runInfo(facts: LogSession): RunInfo {
    const logged = facts.logged()
    const tool = `tracefp ${VERSION}`
    const { scenario } = this.#options
    if (logged !== null) {
      const { session, startedAt, host, kernel, argv } = logged
      return { id: session, at: startedAt, scenario, host, kernel, tool, command: argv }
    }
    const { host } = hostFacts()
    // Under which kernel it was written is not known. A number and a time it gets when it is added.
    return { id: '', at: '', scenario, host, kernel: '', tool, command: [facts.name] }
  }
}

/** Why nothing is learned from a session; null: it is. */
function refusalOf(handler: LogHandler, walker: Walker<RecordedProgram>, counts: ReadCounts): string | null {
  if (handler.noteCodes.has('filtered'))
    return 'the log was filtered, so it has transitions that the program never made'
  if (handler.noteCodes.has('capture_damaged')) return 'the capture is damaged'
  // A session counts once: what is missing of it could never be learned.
  if (handler.noteCodes.has('capture_cut')) return 'the capture was cut off before its session ended'
  if (isUnread(counts)) return `more than ${100 * UNPARSED_SHARE} % of its lines were not understood`
  if (walker.recordCount === 0) return 'it holds no calls'
  const signal = walker.rootExit?.signal ?? 0
  return CRASHES.includes(signal) ? `the program crashed (signal ${signal})` : null
}

/** Adds runs to the ledgers of their files, in the order in which it gets them. */
export class LearnedRuns {
  /** Files that were written, as they were before; null: it was new. */
  readonly before: Map<string, Fingerprint | null> = new Map()
  readonly #options: ReadLogsOptions & Pick<LearnLogsOptions, 'onWritten'>
  readonly #learned: string | null
  readonly #byFile = new Map<string, { readonly mapping: Mapping; readonly deltas: RunDelta[] }>()

  constructor(options: ReadLogsOptions & Pick<LearnLogsOptions, 'onWritten'>) {
    this.#options = options
    this.#learned = learnedMapping(options)
  }

  add({ file, delta, log }: LearnedRun): void {
    const { info } = delta
    const named = info.id === '' ? { ...delta, info: { ...info, id: newUlid(), at: new Date().toISOString() } } : delta
    const pending = this.#byFile.get(file)
    if (pending !== undefined) {
      pending.deltas.push(named)
      return
    }
    const mapping = mappingOfLog(log, this.#options.mapping, this.#learned)
    this.#byFile.set(file, { mapping, deltas: [named] })
  }

  async writeFull(): Promise<void> {
    for (const [file, { deltas }] of this.#byFile) if (deltas.length >= BATCH) await this.#write(file)
  }

  async writeAll(): Promise<void> {
    for (const file of [...this.#byFile.keys()]) await this.#write(file)
  }

  async #write(file: string): Promise<void> {
    const pending = this.#byFile.get(file)
    this.#byFile.delete(file)
    const first = pending?.deltas[0]
    if (pending === undefined || first === undefined) return
    if (!this.before.has(file)) this.before.set(file, existsSync(file) ? readFingerprint(file, pending.mapping) : null)
    makeFolder(dirname(file))
    const { result, fingerprint } = await updateLedger(file, first.settings, pending.mapping, (ledger) =>
      addAll(ledger, pending.deltas, file),
    )
    const { runCount, tally } = fingerprint
    this.#options.onWritten({
      file,
      runCount,
      tally,
      transitionCount: result.transitionCount,
      newTransitionCount: result.newCount,
    })
  }
}

function addAll(
  ledger: Ledger,
  deltas: readonly RunDelta[],
  file: string,
): { readonly newCount: number; readonly transitionCount: number } {
  let newCount = 0
  let transitionCount = 0
  for (const delta of deltas) {
    try {
      const added = ledger.addRun(delta)
      newCount += added.newTransitionCount
      transitionCount = added.transitionCount
    } catch (error) {
      if (!(error instanceof TracefpError) || error.code !== 'TFP_ERR_MODEL_IDENTITY') throw error
      const what = `with -o FILE, or move ${file} and ${ledgerPathOf(file)} away first`
      throw new TracefpError(error.code, `${error.message}: ${what}`, { cause: error })
    }
  }
  return { newCount, transitionCount }
}

function makeFolder(folder: string): void {
  try {
    make(folder)
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${folder}: ${(cause as Error).message}`, { cause })
  }
}

function noImage(log: string): never {
  throw new UsageError(`${log} does not say of which program it is: name the program with --name, or a file with -o`)
}

function realPath(path: string): string | null {
  try {
    return path.startsWith('/') ? realpathSync(path) : null
  } catch {
    return null
  }
}
