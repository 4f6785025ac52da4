// A child process of `tracefp doctor`: runs trivial programs under the engine, as `run` would, and prints what came of it as
// JSON. A process of its own, because it may be another user's, and because an engine that hangs can then be killed.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { EngineResult, LaunchOptions } from '../addon/addon.ts'
import { loadAddon } from '../addon/addon.ts'
import type { StreamHandler } from '../model/stream.ts'
import { launchOptionsOf } from '../source/launch.ts'
import { type Engine, LiveSource } from '../source/live.ts'
import { writeStdout } from './output.ts'

/** What running a trivial program under the engine came to. */
export interface Trial {
  readonly uid: number
  /** The .node file that was loaded. */
  readonly addonFile: string
  /** The system call with which the launch failed; empty = it did not. */
  readonly failedOperation: string
  readonly errno: number
  readonly errorText: string
  readonly callCount: number
  readonly exitCode: number
  /** Codes of the notes of the session. */
  readonly notes: readonly string[]
  /** The engine that `auto` takes here; the trial itself is under trace, the one that needs least. */
  readonly engine: string
  /** What kept engine ebpf from running; empty: it works. */
  readonly ebpf: string
  /** It sees calls that the kernel repeats at no cost. */
  readonly hasKprobe: boolean
  /** Time that one call takes longer under the engine; null: there is no dd to measure with. */
  readonly addedUsPerCall: number | null
}

interface Counted {
  readonly result: EngineResult
  readonly callCount: number
  readonly notes: readonly string[]
  readonly engine: string
  readonly elapsedMs: number
}

const DD_COUNT = 5000
const ROUNDS = 3

async function runTrial(): Promise<Trial> {
  loadAddon()
  const { result, callCount, notes } = await runTraced(launchOf('true') ?? launchOfNode(), 'trace')
  const works = result.failedOperation === ''
  const engine = works ? (await runTraced(launchOf('true') ?? launchOfNode(), 'auto')).engine : 'trace'
  return {
    uid: process.geteuid?.() ?? 0,
    addonFile: loadedAddonFile(),
    failedOperation: result.failedOperation,
    errno: result.errno,
    errorText: result.errorText,
    callCount,
    exitCode: result.exitCode,
    notes,
    engine,
    ...(await tryEbpf()),
    addedUsPerCall: works ? await measureStop() : null,
  }
}

async function tryEbpf(): Promise<Pick<Trial, 'ebpf' | 'hasKprobe'>> {
  const { result, callCount } = await runTraced(launchOf('true') ?? launchOfNode(), 'ebpf')
  const { hasKprobe } = result
  if (result.failedOperation !== '') return { ebpf: `${result.failedOperation}: ${result.errorText}`, hasKprobe }
  return { ebpf: callCount > 0 ? '' : 'a program ran, but none of its calls were seen', hasKprobe }
}

async function runTraced(launch: LaunchOptions, engine: Engine): Promise<Counted> {
  let callCount = 0
  const notes: string[] = []
  const handler: StreamHandler = {
    onBirth: () => {},
    onExec: () => {},
    onCall: () => {
      callCount += 1
    },
    onSignal: () => {},
    onExit: () => {},
    onRefused: () => {},
    onGap: () => {},
    onNote: (note) => {
      notes.push(note.code)
    },
  }
  const imageCache = new Map<string, string>()
  const startedAt = performance.now()
  const source = new LiveSource({ engine, launch, imageCache }, () => handler)
  const result = await source.run()
  return { result, callCount, notes, engine: source.engine, elapsedMs: performance.now() - startedAt }
}

/** Two runs of dd that differ in nothing but their number of calls; the least of a few rounds, since others run here too. */
async function measureStop(): Promise<number | null> {
  const few = launchOf('dd', ...ddArguments(1))
  const many = launchOf('dd', ...ddArguments(DD_COUNT))
  if (few === null || many === null) return null
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const [short, long] = [await runTraced(few, 'auto'), await runTraced(many, 'auto')]
    const callCount = long.callCount - short.callCount
    if (callCount < DD_COUNT) return null
    costs.push(((long.elapsedMs - short.elapsedMs) * 1000) / callCount)
  }
  return Math.max(0, Math.min(...costs))
}

function ddArguments(count: number): string[] {
  return ['if=/dev/zero', 'of=/dev/null', 'bs=1', `count=${count}`]
}

/** Null: there is no such command. */
function launchOf(...argv: readonly string[]): LaunchOptions | null {
  try {
    return launchOptionsOf({
      argv,
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: [-1, -1, -1],
      uid: null,
      gid: null,
      pin: 'auto',
      stopsWithRoot: false,
      hidesHost: false,
    })
  } catch {
    return null
  }
}

/** Where there is nothing else, as in an image that holds little but Node. */
function launchOfNode(): LaunchOptions {
  const launch = launchOf(process.execPath, '--version')
  if (launch === null) throw new Error('there is no program to try the engine with: neither true nor node')
  return launch
}

/** The kernel knows which file was mapped, however it was found. */
function loadedAddonFile(): string {
  const line = /^\S+ \S+ \S+ \S+ \S+ +(\S.*\.node)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))
  return line?.[1] ?? ''
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runTrial().then(
    (trial) => writeStdout(JSON.stringify(trial)),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      writeStdout(JSON.stringify({ code, message }))
    },
  )
}
