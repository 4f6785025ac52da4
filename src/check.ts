// Check, the whole story: a source brings records, the walker finds the track of each, the checker holds every transition
// against the fingerprint of the program that runs, and what came of it becomes a report.

import { basename } from 'node:path'
import type { LaunchOptions } from './addon/addon.ts'
import { TracefpError } from './errors.ts'
import type { CheckedProgram } from './match/checked-program.ts'
import { Checker } from './match/checker.ts'
import type { Miss } from './match/miss.ts'
import { buildReport, type Result } from './match/report.ts'
import { Walker } from './match/walker.ts'
import type { Image } from './model/stream.ts'
import { newUlid } from './model/ulid.ts'
import { VERSION } from './package.ts'
import { ancestorNames, hostFacts } from './source/host.ts'
import { assertLaunched } from './source/launch.ts'
import { type Engine, LiveSource } from './source/live.ts'
import { readFingerprint } from './store/fingerprint-file.ts'
import { fingerprintFolder, storedFor } from './store/fingerprint-store.ts'
import { ImageCache } from './store/image-cache.ts'
import { linuxMapping } from './syscall/mapping.ts'

export interface CheckOptions {
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
  readonly onMiss: (miss: Miss) => void
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

  const begin = (image: Image): Walker<CheckedProgram> => {
    const stored = options.files.length > 0 ? [] : storedFor(fingerprintFolder(options.home), image)
    const checker = new Checker({
      fingerprints: [...given, ...stored.map(({ fingerprint }) => fingerprint)],
      mapping,
      ...(options.depth === null ? {} : { depth: options.depth }),
      onMiss: options.onMiss,
    })
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
    await imageCache.save()
    const { host, machineId, bootId, uid } = hostFacts()
    return buildReport(
      {
        tracefp: VERSION,
        session: newUlid(),
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
