// tracefp learn --from: each session of the logs is a run that somebody else made.

import { TracefpError } from '../errors.ts'
import type { LearnedFile, LearnedSession } from '../learn-logs.ts'
import { printable } from '../match/printable.ts'
import { FINISHED_BELOW } from '../model/estimate.ts'
import type { Settings } from '../model/fingerprint.ts'
import { neverLearnedBut } from '../model/never-learned.ts'
import { learnLogsInThreads } from '../session/learn-logs-in-threads.ts'
import type { OpenedLog } from '../session/log-protocol.ts'
import { tracefpHome } from '../store/home.ts'
import { estimateLine } from './estimate-words.ts'
import { EXIT_CODES, exitCodeOfError } from './exit-codes.ts'
import { expandPatterns } from './glob.ts'
import type { LearnOptions } from './learn.ts'
import { optimiseLater } from './optimise-later.ts'
import { type Output, oneLine } from './output.ts'
import { Progress, progressOf } from './progress.ts'
import { counted } from './words.ts'

/** More sessions are counted, not told one by one. */
const TOLD_COUNT = 20

export async function learnFrom(
  logs: readonly string[],
  options: LearnOptions,
  settings: Partial<Settings>,
  output: Output,
): Promise<number> {
  const telling = new LearnOutput(options, output)
  optimiseLater()
  try {
    await learnLogsInThreads({
      logs: expandPatterns(logs),
      format: options.format,
      mapping: options.mapping ?? null,
      file: options.output ?? null,
      name: options.name ?? null,
      scenario: options.scenario,
      settings,
      neverLearned: neverLearnedBut(options.alsoLearn ?? [], options.neverLearn),
      home: tracefpHome(),
      onSession: (session) => telling.session(session),
      onWritten: (file) => telling.written(file),
      onFailure: (error, log) => telling.failure(error, log),
      onOpen: (log) => telling.opened(log),
      onProgress: (log, position, size) => telling.progress(log, position, size),
    })
  } finally {
    telling.clear()
  }
  return telling.finish()
}

class LearnOutput {
  readonly #options: LearnOptions
  readonly #output: Output
  readonly #progress: Progress
  readonly #files = new Map<string, LearnedFile>()
  readonly #notes = new Set<string>()
  #learnedCount = 0
  #toldCount = 0
  #format = ''
  #failure: unknown = null

  constructor(options: LearnOptions, output: Output) {
    this.#options = options
    this.#output = output
    this.#progress = new Progress(output)
  }

  opened({ name, format, reason }: OpenedLog): void {
    if (this.#options.format !== 'auto' || format.name === this.#format) return
    this.#format = format.name
    this.#say(`tracefp: ${printable(name)} is read as ${format.name}: ${reason}\n`)
  }

  session({ name, refusal, recordCount, notes }: LearnedSession): void {
    if (refusal !== null) {
      this.#say(`tracefp: ${printable(name)}: nothing was learned from it: ${oneLine(refusal)}\n`)
    } else {
      this.#learnedCount += 1
      this.#toldCount += 1
      if (this.#toldCount <= TOLD_COUNT) this.#say(`tracefp: ${printable(name)}: ${counted(recordCount, 'call')}\n`)
    }
    for (const note of notes) {
      if (this.#notes.has(note)) continue
      this.#notes.add(note)
      if (this.#notes.size <= TOLD_COUNT) this.#say(`tracefp: note: ${oneLine(note)}\n`)
    }
  }

  written(file: LearnedFile): void {
    const known = this.#files.get(file.file)
    const newTransitionCount = file.newTransitionCount + (known?.newTransitionCount ?? 0)
    this.#files.set(file.file, { ...file, newTransitionCount })
  }

  failure(error: unknown, log: string): void {
    this.#failure ??= error
    const message = error instanceof Error ? error.message : String(error)
    const text = error instanceof TracefpError && message.includes(log) ? message : `${log}: ${message}`
    this.#say(`tracefp: ${oneLine(text)}\n`)
  }

  progress(log: string, position: number, size: number | null): void {
    this.#progress.update(() => `tracefp: ${printable(log)}: ${progressOf(position, size)}`)
  }

  clear(): void {
    this.#progress.clear()
  }

  /** The exit code. */
  finish(): number {
    if (this.#toldCount > TOLD_COUNT)
      this.#say(`tracefp: and ${counted(this.#toldCount - TOLD_COUNT, 'session')} more\n`)
    for (const { file, runCount, tally, transitionCount, newTransitionCount } of this.#files.values()) {
      const [transitions, runs] = [counted(transitionCount, 'transition'), counted(runCount, 'run')]
      this.#say(`tracefp: ${printable(file)}: ${transitions} of ${runs}, ${newTransitionCount} of them new\n`)
      if (tally !== null) this.#say(`tracefp: ${estimateLine(tally, FINISHED_BELOW)}\n`)
    }
    if (this.#learnedCount > 0) return 0
    this.#say('tracefp: nothing was learned\n')
    return this.#failure === null ? EXIT_CODES.program.failed : exitCodeOfError(this.#failure, 'program')
  }

  #say(text: string): void {
    this.#progress.clear()
    this.#output.message(text)
  }
}
