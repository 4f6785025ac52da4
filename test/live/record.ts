// Runs a program under an engine and keeps everything the source says of it, as a list.

import { resolve } from 'node:path'
import type { LaunchOptions } from '../../src/addon/addon.ts'
import type { StreamHandler } from '../../src/model/stream.ts'
import { resolveCommand } from '../../src/source/command.ts'
import { type Engine, LiveSource } from '../../src/source/live.ts'
import type { StreamEvent } from './events.ts'

export interface RecordOptions {
  readonly cwd?: string
  readonly env?: Record<string, string>
  readonly timeoutMs?: number
  readonly engine?: Engine
  readonly launch?: Partial<LaunchOptions>
  /** Called when the program has begun. */
  readonly onStart?: (rootPid: number) => void
}

export interface Recorded {
  readonly events: StreamEvent[]
  readonly exit: { readonly code: number | null; readonly signal: number | null }
}

const DEFAULT_TIMEOUT_MS = 20_000

export async function recordRun(argv: readonly string[], options: RecordOptions = {}): Promise<Recorded> {
  const events: StreamEvent[] = []
  const cwd = resolve(options.cwd ?? '.')
  const environment = { PATH: process.env['PATH'] ?? '', ...options.env }
  const source = new LiveSource(
    {
      engine: options.engine ?? 'trace',
      imageCache: new Map(),
      launch: {
        path: resolveCommand(argv[0] as string, cwd, environment.PATH),
        argv,
        env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
        cwd,
        stdio: [-1, 1, 2],
        uid: null,
        gid: null,
        pin: 'auto',
        stopsWithRoot: false,
        ...options.launch,
      },
      ...(options.onStart === undefined ? {} : { onStart: options.onStart }),
    },
    () => collectInto(events),
  )
  const timer = setTimeout(() => source.stop(), options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
  const result = await source.run()
  clearTimeout(timer)
  if (result.failedOperation !== '') throw new Error(`${result.failedOperation}: ${result.errorText}`)
  return {
    events,
    exit: result.exitSignal === 0 ? { code: result.exitCode, signal: null } : { code: null, signal: result.exitSignal },
  }
}

/** Why engine ebpf cannot run here, or null. */
export async function whyNoEbpf(): Promise<string | null> {
  try {
    await recordRun(['true'], { engine: 'ebpf' })
    return null
  } catch (error) {
    return `engine ebpf cannot run here: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** A handler that keeps all it is told as a list. */
export function collectInto(events: StreamEvent[]): StreamHandler {
  return {
    onBirth: (tid, parentTid, tgid, kind, image) => {
      const known = image === undefined ? {} : { image }
      events.push({ type: 'birth', tid, parentTid, tgid, kind, ...known })
    },
    onExec: (tid, formerTid, image) => events.push({ type: 'exec', tid, formerTid, image }),
    onCall: (tid, abi, nr, isRestart) => events.push({ type: 'call', tid, abi, nr, isRestart }),
    onSignal: (tid, signal) => events.push({ type: 'signal', tid, signal }),
    onExit: (tid, code, signal) => events.push({ type: 'exit', tid, code, signal }),
    onRefused: (tid) => events.push({ type: 'refused', tid }),
    onGap: (tid, count) => events.push({ type: 'gap', tid, count }),
    onNote: (note) => events.push({ type: 'note', ...note }),
  }
}
