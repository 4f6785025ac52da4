// Check, the whole story: a source brings records, the walker finds the track of each, the checker holds every transition
// against the fingerprint of the program that runs, and what came of it becomes a report.

import { basename } from 'node:path'
import type { LaunchOptions } from './addon/addon.ts'
import { TracefpError } from './errors.ts'
import type { CheckedProgram } from './match/checked-program.ts'
import { Checker } from './match/checker.ts'
import { Decider, type DeciderOptions, type GuardPolicy } from './match/decider.ts'
import type { Miss } from './match/miss.ts'
import { buildReport, type Result } from './match/report.ts'
import { Walker } from './match/walker.ts'
import type { Image } from './model/stream.ts'
import { VERSION } from './package.ts'
import { ancestorNames, hostFacts } from './source/host.ts'
import { assertLaunched } from './source/launch.ts'
import { type Engine, type Guard, LiveSource } from './source/live.ts'
import { readFingerprint } from './store/fingerprint-file.ts'
import { fingerprintFolder, storedFor } from './store/fingerprint-store.ts'
import { ImageCache } from './store/image-cache.ts'
import { linuxMapping } from './syscall/mapping.ts'

export interface CheckOptions {
  /** ULID of the session. */
  readonly session: string
  readonly launch: LaunchOptions
  readonly engine: Engine
  /** Fingerprint files; none = those of the fingerprint store that were learned for the program. */
  readonly files: readonly string[]
  /** tracefp's home: the fingerprint store and the cache of hashes. */
  readonly home: string
  /** At most the depth that was learned; null = that. */
  readonly depth: number | null
  readonly onStart: (rootPid: number) => void
  readonly onRootExit: () => void
  /** Told once it is known what was done about it. */
  readonly onMiss: (miss: Miss) => void
  /** `alert`: misses are told, the program goes on. Else every call is judged before it runs (guard mode). */
  readonly policy: 'alert' | GuardPolicy
  /** For policy `ask`. */
  readonly ask: DeciderOptions['ask']
}

export interface RunningCheck {
  /** @throws EngineError, FormatError, TracefpError: see `check` of the library. */
  readonly done: Promise<Result>
  /** Kills the program and what it started. */
  stop(): void
}

/** Starts the program and checks it until its last tracee is gone. Runs where waiting hurts nobody: in a worker. */
export function checkLive(options: CheckOptions): RunningCheck {
  const mapping = linuxMapping()
  // Read before the program starts: a damaged file must not cost a run.
  const given = options.files.map((file) => readFingerprint(file))
  const imageCache = new ImageCache(options.home)
  const startedAt = new Date().toISOString()
  let session: { walker: Walker<CheckedProgram>; checker: Checker } | undefined
  const decider = deciderOf(options, () => (session as NonNullable<typeof session>).checker)

  const begin = (image: Image): Walker<CheckedProgram> => {
    const stored = options.files.length > 0 ? [] : storedFor(fingerprintFolder(options.home), image)
    const checker = new Checker({
      fingerprints: [...given, ...stored.map(({ fingerprint }) => fingerprint)],
      mapping,
      ...(options.depth === null ? {} : { depth: options.depth }),
      onMiss: decider === null ? options.onMiss : (miss) => decider.onMiss(miss),
      tellsAll: decider !== null,
    })
    if (decider !== null && checker.tracks === 'log') {
      throw new TracefpError(
        'TFP_ERR_MODEL_SETTINGS',
        'the fingerprint was made with tracks log, the order of calls across threads: no call can be judged by it before it runs',
      )
    }
    const walker = new Walker(checker, {
      mapping,
      tracks: checker.tracks,
      rootPpid: process.pid,
      rootAncestors: ancestorNames(),
    })
    session = { walker, checker }
    return walker
  }

  const source = new LiveSource(
    {
      engine: options.engine,
      launch: options.launch,
      imageCache,
      onStart: options.onStart,
      onRootExit: options.onRootExit,
      ...(decider === null ? {} : { guard: guardBy(decider, () => session?.walker) }),
    },
    begin,
  )

  const run = async (): Promise<Result> => {
    const result = await source.run()
    assertLaunched(result, options.launch)
    if (session === undefined)
      throw new TracefpError('TFP_ERR_ENGINE_FAILED', 'the program was stopped before it began')
    const { walker, checker } = session
    walker.finish()
    decider?.finish()
    await imageCache.save()
    const { host, machineId, bootId, uid } = hostFacts()
    return buildReport(
      {
        tracefp: VERSION,
        session: options.session,
        name: basename(options.launch.argv[0] as string),
        source: { kind: 'live', engine: source.engine, format: null, order: 'entry' },
        host,
        machineId,
        bootId,
        uid,
        argv: options.launch.argv,
        startedAt,
        endedAt: new Date().toISOString(),
        unparsedLineCount: 0,
      },
      walker,
      checker,
    )
  }
  return { done: run(), stop: () => source.stop() }
}

function deciderOf({ policy, ask, onMiss }: CheckOptions, checker: () => Checker): Decider | null {
  return policy === 'alert' ? null : new Decider(checker, { policy, ask, tell: onMiss })
}

function guardBy(decider: Decider, walker: () => Walker<CheckedProgram> | undefined): Guard {
  return {
    decide: (_tid, isExec, signal) => decider.decide(isExec, signal),
    tableOf: (tid) => walker()?.programOf(tid)?.known?.table.buffer ?? null,
  }
}
