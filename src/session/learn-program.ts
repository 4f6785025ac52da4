// Learning from a host: one run of a program, added to a fingerprint.

import { UsageError } from '../errors.ts'
import type { LearnedFault, LearnedRun, LearnOptions, Slices } from '../learn.ts'
import type { Settings } from '../model/fingerprint.ts'
import { tracefpHome } from '../store/home.ts'
import { followTarget, followTask, NO_STREAMS, type ProgramOptions, prepare, type Watched } from './check-session.ts'
import { startTaskIn } from './start-task.ts'
import type { Stdio, Streams } from './stdio.ts'

type LearnTarget = LearnOptions['target']

/** Nobody would read a pipe: what a learning run prints is its own affair. */
type LearnStdio = Exclude<Stdio, 'pipe'>

export interface LearnProgramOptions extends ProgramOptions {
  readonly stdio?: LearnStdio | readonly [LearnStdio, LearnStdio, LearnStdio]
  /** The .tfp to add to; default: the program's file in the fingerprint store. */
  readonly file?: string
  /** Name of that file in the store, when it is a new one. */
  readonly name?: string
  /** Label of this run, for `estimate` and reviews; default `default`. */
  readonly scenario?: string
  /** How the stream becomes transitions; a file keeps the settings it was begun with. */
  readonly settings?: Partial<Omit<Settings, 'mapping' | 'order'>>
  /** Names of calls that are not learned; default: those that no program should make unasked (NEVER_LEARNED). */
  readonly neverLearned?: readonly string[]
  /** A call that is made to fail: what the run brings is of the fault layer. */
  readonly fault?: LearnedFault
  /** Tell in `callCounts` how often each call was made. */
  readonly countsCalls?: boolean
  /** For a service: it runs once, and every slice of time is a run of its own. */
  readonly slices?: Slices
  /** Another executable than was learned may run: what was learned of the former one is kept. */
  readonly isUpgrade?: boolean
  readonly onStart?: (pid: number) => void
  /** The program itself is gone; the run goes on while something it started lives. */
  readonly onRootExit?: () => void
}

/**
 * Runs the program once, learns what it did and adds the run to the fingerprint.
 * @throws EngineError, TracefpError TFP_ERR_MODEL_* (other settings, another image), TFP_ERR_FILE.
 */
export async function learnProgram(argv: readonly string[], options: LearnProgramOptions = {}): Promise<LearnedRun> {
  if ([options.stdio].flat().includes('pipe' as LearnStdio))
    throw new UsageError('learn has no streams to give: stdio pipe')
  const { launch, streams } = prepare(argv, options)
  return await learnFrom({ kind: 'launch', launch, engine: options.engine ?? 'auto' }, streams, options)
}

/** What is said about starting a program does not apply. */
export type LearnWatchedOptions = Omit<
  LearnProgramOptions,
  | 'stdio'
  | 'fault'
  | 'countsCalls'
  | 'isUpgrade'
  | 'cwd'
  | 'env'
  | 'uid'
  | 'gid'
  | 'engine'
  | 'pin'
  | 'bytes'
  | 'slices'
> & { readonly slices: Slices; readonly kernelRingBytes?: number }

/**
 * Learns, under engine ebpf, what already runs: a process with all below it, or a cgroup. Every slice of time is a run; then, or when
 * it is aborted, it is let go as it was.
 * @throws as learnProgram.
 */
export async function learnWatched(
  what: Exclude<Watched, { host: true }>,
  options: LearnWatchedOptions,
): Promise<LearnedRun> {
  return await learnFrom(followTarget(what, options), NO_STREAMS, options)
}

async function learnFrom(target: LearnTarget, streams: Streams, options: LearnProgramOptions): Promise<LearnedRun> {
  const task = startTaskIn(
    options.thread ?? 'worker',
    {
      kind: 'learn',
      options: {
        target,
        file: options.file ?? null,
        name: options.name ?? null,
        scenario: options.scenario ?? 'default',
        settings: options.settings ?? {},
        ...(options.neverLearned === undefined ? {} : { neverLearned: options.neverLearned }),
        ...(options.fault === undefined ? {} : { fault: options.fault }),
        countsCalls: options.countsCalls === true,
        isUpgrade: options.isUpgrade === true,
        ...(options.slices === undefined ? {} : { slices: options.slices }),
        home: options.home ?? tracefpHome(),
      },
    },
    {
      onStart: (pid) => {
        streams.closeProgramEnds()
        options.onStart?.(pid)
      },
      onRootExit: () => options.onRootExit?.(),
      onMiss: () => {},
    },
  )
  return await followTask<LearnedRun>(task, streams, options.signal)
}
