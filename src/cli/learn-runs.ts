// The runs of tracefp learn: so many as were asked for, or until the estimate says that there is little left to learn.

import type { LearnedRun } from '../learn.ts'
import { printable } from '../match/printable.ts'
import { estimateOf, FINISHED_BELOW } from '../model/estimate.ts'
import type { Settings } from '../model/fingerprint.ts'
import { neverLearnedBut } from '../model/never-learned.ts'
import { learnProgram } from '../session/learn-program.ts'
import { estimateLine } from './estimate-words.ts'
import { EXIT_CODES } from './exit-codes.ts'
import type { LearnOptions } from './learn.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'
import { hasTerminal, relaySignals, type SignalRelay } from './terminal.ts'
import { counted } from './words.ts'

/** A program that only crashes is not run for ever. */
const CRASHES_IN_A_ROW = 5

export async function learnRuns(
  argv: readonly string[],
  options: LearnOptions,
  settings: Partial<Settings>,
  output: Output,
): Promise<number> {
  const below = options.runs === undefined ? (options.until ?? FINISHED_BELOW) : null
  const limit = options.runs ?? options.maxRuns
  const relay = relaySignals()
  try {
    let last: LearnedRun | undefined
    let learned: LearnedRun | undefined
    let crashCount = 0
    for (let run = 1; run <= limit && crashCount < CRASHES_IN_A_ROW; run += 1) {
      last = await learnOnce(argv, options, settings, relay)
      if (last.isLearned) learned = last
      crashCount = last.isLearned || below === null ? 0 : crashCount + 1
      output.message(`tracefp: run ${run} of ${below === null ? '' : 'at most '}${limit}: ${progressOf(last)}\n`)
      // A terminal's ^C ended this run; it is meant for the rest of them too.
      if (relay.received.has('SIGINT') || relay.received.has('SIGTERM')) break
      if (below !== null && isQuiet(last, below)) break
    }
    if (last === undefined || learned === undefined) {
      output.message('tracefp: nothing was learned\n')
      return EXIT_CODES.program.failed
    }
    for (const note of last.notes) output.message(`tracefp: note: ${note}\n`)
    const [transitions, runs] = [counted(learned.transitionCount, 'transition'), counted(learned.runCount, 'run')]
    output.message(`tracefp: ${printable(learned.file)}: ${transitions} of ${runs}\n`)
    if (learned.tally !== null) output.message(`tracefp: ${estimateLine(learned.tally, below ?? FINISHED_BELOW)}\n`)
    return 0
  } finally {
    relay.close()
  }
}

async function learnOnce(
  argv: readonly string[],
  options: LearnOptions,
  settings: Partial<Settings>,
  relay: SignalRelay,
): Promise<LearnedRun> {
  const stopping = new AbortController()
  const bytes = programBytesOf(argv)
  return await learnProgram(argv, {
    scenario: options.scenario,
    settings,
    neverLearned: neverLearnedBut(options.alsoLearn ?? [], options.neverLearn),
    engine: options.engine,
    pin: options.pin,
    stopsWithProgram: hasTerminal(),
    thread: 'this',
    ...(bytes === undefined ? {} : { bytes }),
    onStart: (pid) => relay.attach(pid),
    onRootExit: () => relay.detach(() => stopping.abort()),
    signal: stopping.signal,
    ...(options.output === undefined ? {} : { file: options.output }),
    ...(options.name === undefined ? {} : { name: options.name }),
  })
}

/** Another scenario than this one may have been learned long ago: what counts is the one that runs. */
function isQuiet({ scenarioTally }: LearnedRun, below: number): boolean {
  return scenarioTally !== null && estimateOf(scenarioTally).upper < below
}

function progressOf(run: LearnedRun): string {
  if (!run.isLearned) return `it crashed (signal ${run.exit.signal}): nothing was learned from it`
  const how =
    run.exit.signal > 0 ? `, ended by signal ${run.exit.signal}` : run.exit.code > 0 ? `, exit ${run.exit.code}` : ''
  const fresh = counted(run.newTransitionCount, 'new transition')
  return `${fresh}, ${run.transitionCount} in all, ${counted(run.recordCount, 'call')}${how}`
}
