// Learn, the whole story: the same source and the same walker as in check, but every transition goes into the observation of
// one run; a run that ended well is added to the ledger, and the fingerprint is derived from that.

import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { type EngineResult, type Fault, VIEW } from './addon/addon.ts'
import { TracefpError } from './errors.ts'
import { LearnedTables } from './match/learned-tables.ts'
import { type RecordedProgram, Recorder } from './match/recorder.ts'
import { Walker } from './match/walker.ts'
import { estimateOf } from './model/estimate.ts'
import { ledgerPathOf, updateLedger } from './model/files.ts'
import { type Fingerprint, makeSettings, type Settings, type Tally } from './model/fingerprint.ts'
import { makeFolder } from './model/folder.ts'
import { isIdle, type ObservationOptions, type RunDelta, type RunInfo, RunObservation } from './model/learner.ts'
import type { Ledger } from './model/ledger.ts'
import { leftOutText } from './model/never-learned.ts'
import type { Image, StreamHandler } from './model/stream.ts'
import { newUlid } from './model/ulid.ts'
import { VERSION } from './package.ts'
import { hostFacts } from './source/host.ts'
import { libcVersion } from './source/libc.ts'
import { LiveSource } from './source/live.ts'
import { assertBegun, factsOfTarget, liveOptionsOf, type Target } from './source/target.ts'
import { tee } from './source/tee.ts'
import { engineMemory } from './store/engine-memory.ts'
import { readFingerprint } from './store/fingerprint-file.ts'
import { assertOwnStore, fileToLearnInto, fingerprintFolder } from './store/fingerprint-store.ts'
import { ImageCache } from './store/image-cache.ts'
import { linuxMapping } from './syscall/mapping.ts'

export interface LearnOptions {
  /** A program to start; or, under engine ebpf, what already runs: every slice of time is a run. */
  readonly target: Exclude<Target, { kind: 'attach' }>
  /** The .tfp to write; null = one in the fingerprint store. */
  readonly file: string | null
  /** Name in the store; null = made of the program's. */
  readonly name: string | null
  readonly scenario: string
  /** What the user asked for; the rest is as in the file that is added to, or as usual. */
  readonly settings: Partial<Settings>
  /** Names of calls that are not learned; absent: the usual ones. */
  readonly neverLearned?: readonly string[]
  /** A call that is made to fail: what the run brings is of the fault layer. */
  readonly fault?: LearnedFault
  /** Tell how often each call was made. */
  readonly countsCalls?: boolean
  /** Another executable than was learned may run: what was learned of the former one is kept. */
  readonly isUpgrade?: boolean
  /** A service: it runs once, and every slice of time is a run of its own. */
  readonly slices?: Slices
  readonly home: string
  readonly onStart: (rootPid: number) => void
  readonly onRootExit: () => void
}

export interface Slices {
  readonly ms: number
  /**
   * It is told to end (SIGTERM), or let go where it ran before, after so many runs, or when the chance of something new is surely below
   * `below`. A slice in which nothing happens is no run; so many of them in a row end it, too.
   */
  readonly limit: number
  readonly below: number | null
}

export interface LearnedFault extends Fault {
  /** For the scenario of the run: `write ENOSPC from 3`. */
  readonly text: string
}

/** What came of one run. */
export interface LearnedRun {
  readonly file: string
  /** False: the program crashed or made no call, in no slice, or the call that was to fail was not made: nothing was learned from it. */
  readonly isLearned: boolean
  readonly recordCount: number
  readonly newTransitionCount: number
  /** Distinct transitions of the fingerprint now. */
  readonly transitionCount: number
  /** Runs of the fingerprint now. */
  readonly runCount: number
  /** What estimates are made of, of all scenarios and of this run's. Null: nothing was learned. */
  readonly tally: Tally | null
  readonly scenarioTally: Tally | null
  readonly exit: { readonly code: number; readonly signal: number }
  /** Calls that were made to fail. */
  readonly faultCount: number
  /** By name, when that was asked for. */
  readonly callCounts: ReadonlyMap<string, number> | null
  readonly notes: readonly string[]
}

export interface RunningLearn {
  /** @throws EngineError, TracefpError TFP_ERR_MODEL_*, TFP_ERR_FILE. */
  readonly done: Promise<LearnedRun>
  stop(): void
}

/** A program that dies so did not behave; how a service is told to end (SIGTERM, SIGINT, SIGHUP) is no crash. */
const CRASHES: readonly number[] = (
  ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGSYS', 'SIGTRAP'] as const
).map((name) => constants.signals[name])

/** Starts the program, follows it to its end and adds what it did to the ledger. */
export function learnLive(options: LearnOptions): RunningLearn {
  const mapping = linuxMapping()
  if (options.file === null) assertOwnStore(fingerprintFolder(options.home))
  const imageCache = new ImageCache(options.home)
  const { target } = options
  let session: Session | undefined
  let rootPid = 0
  let slicing: Slicing | null = null
  const counts = options.countsCalls === true ? new CallCounts() : null
  let wasStopped = false

  // A file is known, and so are its settings, once it is known which program runs.
  const begin = (image: Image): StreamHandler => {
    const file = options.file ?? fileToLearnInto(fingerprintFolder(options.home), image, options.name)
    const settings = makeSettings(mapping, { ...settingsOf(file), ...options.settings })
    const run = new RunObservation(settings, runInfoOf(options), observationOf(options))
    const recorder = new Recorder(run, mapping)
    const walker = new Walker<RecordedProgram>(recorder, { mapping, tracks: settings.tracks })
    // What is counted or is one sequence needs every call.
    const tables =
      isEbpf(target) && counts === null && settings.tracks === 'thread'
        ? new LearnedTables(existsSync(file) ? readFingerprint(file) : null, settings, mapping)
        : null
    session = { file, run, recorder, walker, tables }
    if (options.slices !== undefined) {
      const end = (): void => {
        if (target.kind === 'follow') source.stop()
        else if (rootPid > 0) process.kill(rootPid, 'SIGTERM')
      }
      slicing = new Slicing(
        options.slices,
        () => {
          const delta = recorder.cut(runInfoOf(options))
          // All that is in the next slice is told again.
          for (const table of tables?.all() ?? []) source.replaceTable(table, table, VIEW.tellAfter)
          return delta
        },
        async (delta) => {
          const added = await addRun(file, delta, false)
          tables?.renew(added.fingerprint, (old, now) => source.replaceTable(old, now, VIEW.tellAfter))
          return added
        },
        end,
      )
    }
    return counts === null ? walker : tee(counts.handler, walker)
  }
  const source = new LiveSource(
    {
      ...liveOptionsOf(withFault(target, options.fault)),
      ...(target.kind === 'launch' ? engineMemory(options.home, target.launch) : {}),
      imageCache,
      tableOf: (tid) => {
        const key = session?.walker.programOf(tid)?.observation.key
        return key === undefined ? null : (session?.tables?.tableOf(key) ?? null)
      },
      viewOf: () => VIEW.tellAfter,
      onStart: (pid) => {
        rootPid = pid
        options.onStart(pid)
      },
      onRootExit: () => {
        rootPid = 0
        options.onRootExit()
      },
    },
    begin,
  )

  const finish = async (result: EngineResult): Promise<LearnedRun> => {
    assertBegun(result, target)
    if (session === undefined || wasStopped) {
      throw new TracefpError('TFP_ERR_ENGINE_FAILED', 'the run was stopped before its end: nothing was learned from it')
    }
    const { file, run, recorder, walker } = session
    const sliced = slicing as Slicing | null
    const last = (await sliced?.finish()) ?? null
    walker.finish()
    await imageCache.save()
    const delta = run.finish()
    const extra = [leftOutText(delta.leftOut), sliced?.idleText].filter((text) => text !== undefined)
    const common = {
      file,
      recordCount: walker.recordCount,
      exit: { code: result.exitCode, signal: result.exitSignal },
      faultCount: result.faultCount,
      callCounts: counts?.byName() ?? null,
      notes: [...recorder.notes.list().map(({ message }) => message), ...extra],
    }
    const isUntouched = options.fault !== undefined && result.faultCount === 0
    // Killed before its first call: nothing speaks for such a run, and estimates would count it as one that brought nothing new.
    const isEmpty = sliced === null ? walker.recordCount === 0 : last === null && isIdle(delta)
    if (CRASHES.includes(result.exitSignal) || isUntouched || isEmpty) {
      const nothing = { newTransitionCount: 0, transitionCount: 0, runCount: 0, tally: null, scenarioTally: null }
      return { ...common, isLearned: false, ...nothing }
    }
    // What is left of a process that goes on is no slice, nor is what is left of one that did nothing more.
    const isOver = last !== null && (target.kind === 'follow' || isIdle(delta))
    const { fingerprint: _, ...learned } = isOver ? last : await addRun(file, delta, options.isUpgrade === true)
    return { ...common, isLearned: true, ...learned }
  }

  return {
    done: source
      .run()
      .then(finish)
      .finally(() => (slicing as Slicing | null)?.stop()),
    stop: () => {
      // Who is only let go has been learned from.
      wasStopped = target.kind === 'launch'
      source.stop()
    },
  }
}

interface Session {
  readonly file: string
  readonly run: RunObservation
  readonly recorder: Recorder
  readonly walker: Walker<RecordedProgram>
  /** Engine ebpf: what need not be told again and again. */
  readonly tables: LearnedTables | null
}

function isEbpf(target: Target): boolean {
  return target.kind === 'follow' || (target.kind === 'launch' && target.engine === 'ebpf')
}

function withFault(target: Target, fault: Fault | undefined): Target {
  if (fault === undefined || target.kind !== 'launch') return target
  return { ...target, launch: { ...target.launch, fault } }
}

type Added = Awaited<ReturnType<typeof addRun>>

/** Cuts what goes on into runs. */
class Slicing {
  readonly #slices: Slices
  readonly #timer: NodeJS.Timeout
  #adding: Promise<void> = Promise.resolve()
  #failure: unknown
  #last: Added | null = null
  #cutCount = 0
  #idleCount = 0
  #idleInARow = 0
  #count = 0

  constructor(slices: Slices, cut: () => RunDelta, add: (delta: RunDelta) => Promise<Added>, end: () => void) {
    this.#slices = slices
    this.#timer = setInterval(() => this.#cut(cut(), add, end), slices.ms)
  }

  /** The last slice is what was left. Answers what the one before came to; null: there was none. @throws what adding one of them threw. */
  async finish(): Promise<Added | null> {
    this.stop()
    await this.#adding
    if (this.#failure !== undefined) throw this.#failure
    return this.#last
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Undefined: something happened in all of them. */
  get idleText(): string | undefined {
    const [idle, all] = [this.#idleCount, this.#cutCount]
    if (idle === 0) return undefined
    const [were, are] = idle === 1 ? ['was', 'it is no run'] : ['were', 'they are no runs']
    return `${idle} of ${all} ${all === 1 ? 'slice' : 'slices'} ${were} idle: ${are}`
  }

  #cut(delta: RunDelta, add: (delta: RunDelta) => Promise<Added>, end: () => void): void {
    this.#cutCount += 1
    if (isIdle(delta)) {
      this.#idleCount += 1
      this.#idleInARow += 1
      if (this.#idleInARow < this.#slices.limit) return
      this.stop()
      this.#adding = this.#adding.then(end)
      return
    }
    this.#idleInARow = 0
    if (this.#cutCount - this.#idleCount >= this.#slices.limit) this.stop()
    this.#adding = this.#adding
      .then(() => add(delta))
      .then(
        (added) => {
          this.#count += 1
          this.#last = added
          const { scenarioTally } = added
          const { limit, below } = this.#slices
          const isQuiet = below !== null && scenarioTally !== null && estimateOf(scenarioTally).upper < below
          if (this.#count >= limit || isQuiet) end()
        },
        (error: unknown) => {
          this.#failure ??= error
          end()
        },
      )
  }
}

/** How often each call was made, of all tracks, as the engine counts for a fault. */
class CallCounts {
  readonly #counts = new Map<number, number>()
  readonly handler: StreamHandler = {
    onBirth: () => {},
    onExec: () => {},
    onCall: (_tid, abi, nr) => {
      const key = abi * 0x1_0000_0000 + (nr >>> 0)
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    },
    onSignal: () => {},
    onExit: () => {},
    onGap: () => {},
    onNote: () => {},
    onRefused: () => {},
  }

  byName(): Map<string, number> {
    const mapping = linuxMapping()
    return new Map(
      [...this.#counts].map(([key, count]) => [mapping.symbolOf(Math.floor(key / 0x1_0000_0000), key | 0), count]),
    )
  }
}

function observationOf({ neverLearned }: LearnOptions): ObservationOptions {
  return neverLearned === undefined ? {} : { neverLearned }
}

function runInfoOf(options: LearnOptions): RunInfo {
  const { host, kernel } = hostFacts()
  return {
    id: newUlid(),
    at: new Date().toISOString(),
    scenario: options.fault === undefined ? options.scenario : `${options.scenario}: ${options.fault.text}`,
    ...(options.fault === undefined ? {} : { layer: 'fault' as const }),
    host,
    kernel,
    libc: libcVersion(),
    tool: `tracefp ${VERSION}`,
    command: factsOfTarget(options.target).argv,
  }
}

/** The settings of a file that is there already. What is wrong with it is said when the run is added. */
function settingsOf(file: string): Partial<Settings> {
  return existsSync(file) ? readFingerprint(file).settings : {}
}

type Learned = Pick<LearnedRun, 'newTransitionCount' | 'transitionCount' | 'runCount' | 'tally' | 'scenarioTally'>

async function addRun(
  file: string,
  delta: RunDelta,
  isUpgrade: boolean,
): Promise<Learned & { readonly fingerprint: Fingerprint }> {
  try {
    makeFolder(dirname(file))
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${dirname(file)}: ${(cause as Error).message}`, { cause })
  }
  const update = await updateLedger(file, delta.settings, linuxMapping(), (ledger) =>
    addTo(ledger, delta, file, isUpgrade),
  )
  return {
    fingerprint: update.fingerprint,
    newTransitionCount: update.result.newTransitionCount,
    transitionCount: update.result.transitionCount,
    runCount: update.fingerprint.runCount,
    tally: update.fingerprint.tally,
    scenarioTally: update.fingerprint.scenarios.get(delta.info.scenario) ?? null,
  }
}

/** A fingerprint is of one image: after an update it begins anew. */
function addTo(ledger: Ledger, delta: RunDelta, file: string, isUpgrade: boolean): ReturnType<Ledger['addRun']> {
  try {
    return ledger.addRun(delta, { isUpgrade })
  } catch (error) {
    if (!(error instanceof TracefpError) || error.code !== 'TFP_ERR_MODEL_IDENTITY') throw error
    const what = `start a candidate with --upgrade, learn anew with -o FILE, or move ${file} and ${ledgerPathOf(file)} away first`
    throw new TracefpError(error.code, `${error.message}: ${what}`, { cause: error })
  }
}
