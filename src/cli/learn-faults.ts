// tracefp learn --faults: the program runs again and again, and each time a call fails as it is documented to fail. What it does
// then is learned into the fault layer. Runs that only crash, or never end, are noise: they are counted and not learned.

import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { TracefpError } from '../errors.ts'
import type { LearnedRun } from '../learn.ts'
import { printable } from '../match/printable.ts'
import { faultText, type PlannedFault, planFaults } from '../model/fault-plan.ts'
import type { LearnProgramOptions } from '../session/learn-program.ts'
import { linuxMapping } from '../syscall/mapping.ts'
import type { Output } from './output.ts'
import { counted } from './words.ts'

/** `learned`: of them those that brought something new are told. */
type Outcome = 'learned' | 'crashed' | 'hung' | 'not reached'

export interface FaultRuns {
  readonly argv: readonly string[]
  /** How often each call was made without faults, and how long that took. */
  readonly counts: ReadonlyMap<string, number>
  readonly usualMs: number
  /** The fingerprint that is learned into. */
  readonly file: string
  readonly limitMs: number
  /** One run of the program. */
  readonly run: (more: Pick<LearnProgramOptions, 'fault'>, stopping: AbortController) => Promise<LearnedRun>
  /** Somebody wants an end. */
  readonly isStopped: () => boolean
}

const TOLD_EVERY_MS = 10_000
const LEAST_RUN_MS = 2_000

/** `NAME.faults` beside `NAME.tfp`: what was tried, so that it can go on where it was stopped. */
export function faultsPathOf(file: string): string {
  return `${file.replace(/\.tfp$/, '')}.faults`
}

/** Resolves to the last run that was learned; null: none was. */
export async function learnFaults(runs: FaultRuns, output: Output): Promise<LearnedRun | null> {
  const plan = planFaults(runs.counts)
  const journal = new Journal(runs)
  const open = plan.filter((fault) => !journal.has(faultText(fault)))
  if (open.length < plan.length) {
    const done = `${counted(plan.length - open.length, 'fault')} of ${plan.length} were tried before`
    output.message(`tracefp: ${done}: ${printable(journal.path)} tells which\n`)
  }
  const startedAt = Date.now()
  let toldAt = startedAt
  let last: LearnedRun | null = null
  let newCount = 0
  for (const [at, fault] of open.entries()) {
    if (runs.isStopped() || Date.now() - startedAt >= runs.limitMs) break
    const { outcome, run } = await tryFault(fault, runs)
    // What was ended from outside was not tried.
    if (runs.isStopped() && outcome !== 'learned') break
    journal.add(faultText(fault), outcome)
    if (outcome === 'learned' && run !== null) {
      last = run
      newCount += run.newTransitionCount
      if (run.newTransitionCount > 0) {
        output.message(`tracefp: ${faultText(fault)}: ${counted(run.newTransitionCount, 'new transition')}\n`)
      }
    }
    if (Date.now() - toldAt < TOLD_EVERY_MS) continue
    toldAt = Date.now()
    const left = Math.min(
      ((toldAt - startedAt) / (at + 1)) * (open.length - at - 1),
      runs.limitMs - (toldAt - startedAt),
    )
    output.message(`tracefp: ${at + 1} of ${open.length} faults, ${Math.ceil(left / 1000)} s left\n`)
  }
  output.message(`tracefp: ${journal.summary(plan.length)}; ${counted(newCount, 'new transition')} in this run\n`)
  return last
}

async function tryFault(fault: PlannedFault, runs: FaultRuns): Promise<{ outcome: Outcome; run: LearnedRun | null }> {
  const number = linuxMapping().numberOf(fault.call)
  if (number === undefined) return { outcome: 'not reached', run: null }
  const stopping = new AbortController()
  const limitMs = Math.max(LEAST_RUN_MS, 20 * runs.usualMs)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    stopping.abort()
  }, limitMs)
  try {
    const { first, isLasting, result } = fault
    const run = await runs.run({ fault: { ...number, first, isLasting, result, text: faultText(fault) } }, stopping)
    if (run.isLearned) return { outcome: 'learned', run }
    return { outcome: run.faultCount === 0 ? 'not reached' : 'crashed', run }
  } catch (error) {
    if (isLate) return { outcome: 'hung', run: null }
    // The call that failed was one that starts the program.
    if (error instanceof TracefpError && error.code.startsWith('TFP_ERR_ENGINE_'))
      return { outcome: 'crashed', run: null }
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** A line per fault that was tried, of this command: `COMMAND-HASH learned write ENOSPC from 3`. */
class Journal {
  readonly path: string
  readonly #command: string
  readonly #outcomes = new Map<string, string>()

  constructor({ file, argv }: FaultRuns) {
    this.path = faultsPathOf(file)
    this.#command = JSON.stringify(argv)
    if (!existsSync(this.path)) return
    for (const line of readFileSync(this.path, 'utf8').split('\n')) {
      const [, outcome, fault, command] = /^(learned|crashed|hung|not reached): ([^;]+); (\[.*\])$/.exec(line) ?? []
      if (command === this.#command && outcome !== undefined && fault !== undefined) this.#outcomes.set(fault, outcome)
    }
  }

  has(fault: string): boolean {
    return this.#outcomes.has(fault)
  }

  add(fault: string, outcome: Outcome): void {
    this.#outcomes.set(fault, outcome)
    try {
      appendFileSync(this.path, `${outcome}: ${fault}; ${this.#command}\n`)
    } catch (cause) {
      throw new TracefpError('TFP_ERR_FILE', `${this.path}: ${(cause as Error).message}`, { cause })
    }
  }

  summary(planned: number): string {
    const count = (outcome: Outcome): number => [...this.#outcomes.values()].filter((known) => known === outcome).length
    const noise = count('crashed') + count('hung')
    const left = Math.max(0, planned - this.#outcomes.size)
    return (
      `${counted(this.#outcomes.size, 'fault')} tried: ${count('learned')} learned, ${noise} discarded ` +
      `(${count('crashed')} only crashed, ${count('hung')} did not end), ${count('not reached')} not reached` +
      (left > 0 ? `; ${left} are left: run it again to go on` : '')
    )
  }
}
