// Record, the whole story: the same source as in check and learn, but nothing is judged and nothing learned; the stream goes
// into a capture, which `check` and `learn --from` read later.

import type { EngineResult, LaunchOptions } from './addon/addon.ts'
import { TracefpError } from './errors.ts'
import type { StreamHandler } from './model/stream.ts'
import { captureSessionOf } from './source/capture/session.ts'
import { CaptureWriter } from './source/capture/writer.ts'
import { Clock } from './source/clock.ts'
import { assertLaunched } from './source/launch.ts'
import { type Engine, LiveSource } from './source/live.ts'
import type { Target } from './source/target.ts'
import { engineMemory } from './store/engine-memory.ts'
import { ImageCache } from './store/image-cache.ts'
import { linuxMapping } from './syscall/mapping.ts'

export interface RecordOptions {
  /** ULID of the session. */
  readonly session: string
  readonly launch: LaunchOptions
  readonly engine: Engine
  /** The capture to write; what was there is replaced. */
  readonly file: string
  /** tracefp's home: the cache of hashes. */
  readonly home: string
  readonly onStart: (rootPid: number) => void
  readonly onRootExit: () => void
}

/** What came of one recording. */
export interface RecordedRun {
  readonly file: string
  readonly session: string
  /** Calls, and what else is told of a session. */
  readonly recordCount: number
  readonly byteCount: number
  readonly exit: { readonly code: number; readonly signal: number }
  /** Why the capture ends before the session; null: it does not. */
  readonly failure: string | null
}

export interface RunningRecord {
  /** @throws EngineError, TracefpError TFP_ERR_FILE. */
  readonly done: Promise<RecordedRun>
  /** Kills the program and what it started. */
  stop(): void
}

/** Starts the program and records it until its last tracee is gone. */
export function recordLive(options: RecordOptions): RunningRecord {
  const { session, launch, engine, file } = options
  const target: Target = { kind: 'launch', launch, engine }
  const imageCache = new ImageCache(options.home)
  const startedAt = new Date().toISOString()
  const clock = new Clock()
  const capture = new CaptureWriter({ file, mappingName: linuxMapping().name, now: () => clock.now })
  let hasBegun = false

  const begin = (): StreamHandler => {
    hasBegun = true
    return capture.begin(captureSessionOf({ session, target, engine: source.engine, startedAt }))
  }
  const source = new LiveSource(
    {
      engine: options.engine,
      launch,
      ...engineMemory(options.home, launch),
      imageCache,
      clock,
      onStart: options.onStart,
      onRootExit: options.onRootExit,
    },
    begin,
  )

  const finish = async (result: EngineResult): Promise<RecordedRun> => {
    assertLaunched(result, launch)
    if (!hasBegun) throw new TracefpError('TFP_ERR_ENGINE_FAILED', 'the program was stopped before it began')
    await imageCache.save()
    capture.end({ endedAt: new Date().toISOString() })
    const { recordCount, byteCount, failure } = capture
    const exit = { code: result.exitCode, signal: result.exitSignal }
    return { file, session, recordCount, byteCount, exit, failure: failure?.message ?? null }
  }

  return {
    done: source
      .run()
      .then(finish)
      .finally(() => capture.abandon()),
    stop: () => source.stop(),
  }
}
