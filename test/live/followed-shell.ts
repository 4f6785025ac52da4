// A shell that engine ebpf follows and that does what it is told, line by line: what is told of each exec, and what the kernel half
// said of it.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type ExecImage, loadAddon, type NativeSession } from '../../src/addon/addon.ts'
import type { Image, StreamHandler } from '../../src/model/stream.ts'
import { LiveSource } from '../../src/source/live.ts'

const shells: ChildProcessByStdio<Writable, Readable, null>[] = []
const seen: { began: ExecImage[]; looksLate: boolean } = { began: [], looksLate: false }

/** For each test anew: what the kernel half said, and whether whoever is to be looked at has ended by then. */
export function seeExecs(): typeof seen {
  const addon = loadAddon() as { NativeSession: new (...options: never[]) => NativeSession }
  const Native = addon.NativeSession
  beforeAll(() => {
    addon.NativeSession = class extends Native {
      override execImage(question: number): ExecImage | null {
        const image = super.execImage(question)
        if (image !== null) seen.began.push(image)
        if (seen.looksLate) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
        return image
      }
    }
  })
  afterEach(() => {
    for (const shell of shells.splice(0)) shell.kill()
    seen.began = []
    seen.looksLate = false
  })
  afterAll(() => {
    addon.NativeSession = Native
  })
  return seen
}

export class Shell {
  readonly images: Image[] = []
  readonly gaps: number[] = []
  /** Of the track that began last: calls told, and calls only counted. */
  told = 0
  skipped = 0
  readonly #shell: (typeof shells)[number]
  readonly #living = new Set<number>()
  readonly #source: LiveSource
  #output = ''
  #begun: (() => void) | undefined
  #over: Promise<unknown>

  private constructor(cwd: string, tableOf: (tid: number) => SharedArrayBuffer | null, handler: StreamHandler | null) {
    this.#shell = spawn('sh', ['-c', 'while read -r line; do eval "$line"; echo over; done'], {
      cwd,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    shells.push(this.#shell)
    this.#shell.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
    })
    const follow = { pid: this.#shell.pid as number }
    const own = this.#handler()
    this.#source = new LiveSource(
      { engine: 'ebpf', follow, imageCache: new Map(), tableOf, onStart: () => this.#begun?.() },
      () => (handler === null ? own : both(handler, own)),
    )
    this.#over = Promise.resolve()
  }

  static async begin(
    cwd: string,
    tableOf: (tid: number) => SharedArrayBuffer | null = () => null,
    handler: StreamHandler | null = null,
  ): Promise<Shell> {
    const shell = new Shell(cwd, tableOf, handler)
    const begun = new Promise<void>((resolve) => {
      shell.#begun = resolve
    })
    shell.#over = shell.#source.run()
    await begun
    return shell
  }

  /** All of it was told once this resolves. Answers whether its last exec was known. */
  async do(line: string): Promise<boolean> {
    const count = this.images.length
    this.#output = ''
    this.#shell.stdin.write(`${line}\n`)
    for (let i = 0; !this.#output.endsWith('over\n') || this.images.length === count || this.#living.size > 0; i++) {
      if (i > 2000) throw new Error(`${line}: not over`)
      await sleep(10)
    }
    return seen.began.at(-1)?.isKnown === true
  }

  async end(): Promise<void> {
    this.#source.stop()
    await this.#over
  }

  forget(): void {
    this.#source.forgetImages()
  }

  #handler(): StreamHandler {
    return {
      onBirth: (tid, _parent, _tgid, kind) => {
        if (kind === 'fork') this.#living.add(tid)
        this.told = 0
        this.skipped = 0
      },
      onExec: (_tid, _former, image) => this.images.push(image),
      onCall: (tid) => {
        if (this.#living.has(tid)) this.told += 1
      },
      onSkipped: (tid, count) => {
        if (this.#living.has(tid)) this.skipped += count
      },
      onExit: (tid) => this.#living.delete(tid),
      onGap: (_tid, count) => this.gaps.push(count),
      onSignal: () => {},
      onRefused: () => {},
      onNote: () => {},
    }
  }
}

function both(first: StreamHandler, second: StreamHandler): StreamHandler {
  const tell = (name: string, words: unknown[]): void => {
    for (const handler of [first, second])
      (handler as unknown as Record<string, (...all: unknown[]) => void>)[name]?.(...words)
  }
  return new Proxy(first, {
    // Calls in a row are told one by one: what is answered to them is the handler's own.
    get: (_, name) => (name === 'onCalls' ? undefined : (...words: unknown[]) => tell(name as string, words)),
  })
}
