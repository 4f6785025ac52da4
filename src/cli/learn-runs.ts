// The runs of tracefp learn: so many as were asked for, or until the estimate says that there is little left to learn; with faults,
// and on top of what was learned of a former executable.

import { existsSync } from 'node:fs'
import { UsageError } from '../errors.ts'
import type { LearnedRun } from '../learn.ts'
import { printable } from '../match/printable.ts'
import { estimateOf, FINISHED_BELOW } from '../model/estimate.ts'
import { ledgerPathOf } from '../model/files.ts'
import type { Settings } from '../model/fingerprint.ts'
import { neverLearnedBut } from '../model/never-learned.ts'
import type { UsedFiles } from '../session/fewer-privileges.ts'
import { type LearnProgramOptions, learnProgram } from '../session/learn-program.ts'
import { tracefpHome } from '../store/home.ts'
import { estimateLine } from './estimate-words.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import type { LearnOptions } from './learn.ts'
import { optimiseLaterInRun } from './optimise-later.ts'
import { givesUpPrivileges } from './options.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'
import { hasTerminal, relaySignals, type SignalRelay } from './terminal.ts'
import { counted } from './words.ts'

/** A program that only crashes is not run for ever. */
const CRASHES_IN_A_ROW = 5

type More = Pick<LearnProgramOptions, 'fault' | 'countsCalls' | 'slices' | 'held'>

export async function learnRuns(
  argv: readonly string[],
  options: LearnOptions,
  settings: Partial<Settings>,
  output: Output,
): Promise<number> {
  const isLess = givesUpPrivileges(options.engine, options.keepPrivileges, output)
  const take = isLess ? (await import('./fewer-privileges.ts')).repeatedProgramOf(argv, filesOf(options), output) : null
  const candidate = options.upgrade === undefined ? null : await beginCandidate(options.upgrade, options.output, output)
  const relay = relaySignals()
  const isStopped = (): boolean => relay.received.has('SIGINT') || relay.received.has('SIGTERM')
  const once = (more: More, stopping = new AbortController()): Promise<LearnedRun> =>
    learnOnce(argv, options, settings, { ...more, ...(take === null ? {} : { held: take() }) }, relay, stopping)
  try {
    let learned = await learnUsual(options, once, isStopped, output)
    if (learned === null) {
      output.message('tracefp: nothing was learned\n')
      return EXIT_CODES.program.failed
    }
    if (options.faults === true && !isStopped()) {
      const { learnFaults } = await import('./learn-faults.ts')
      const startedAt = Date.now()
      const { callCounts, file } = await once({ countsCalls: true })
      const usualMs = Date.now() - startedAt
      const limitMs = options.maxTime * 1_000
      const faultRuns = { argv, counts: callCounts ?? new Map(), usualMs, file, limitMs, run: once, isStopped }
      learned = (await learnFaults(faultRuns, output)) ?? learned
    }
    tellNotes(learned, output)
    const [transitions, runs] = [counted(learned.transitionCount, 'transition'), counted(learned.runCount, 'run')]
    output.message(`tracefp: ${printable(learned.file)}: ${transitions} of ${runs}\n`)
    if (candidate !== null) await candidate.showDiff()
    if (learned.tally !== null) {
      output.message(`tracefp: ${estimateLine(learned.tally, options.until ?? FINISHED_BELOW)}\n`)
    }
    return 0
  } finally {
    relay.close()
  }
}

function tellNotes({ notes }: LearnedRun, output: Output): void {
  for (const note of notes) output.message(`tracefp: note: ${note}\n`)
}

function filesOf({ output, upgrade }: LearnOptions): UsedFiles {
  const old = upgrade === undefined ? [] : [fingerprintFileNamed(upgrade)]
  return {
    read: old.flatMap((file) => [file, ledgerPathOf(file)]),
    written: output === undefined ? [tracefpHome()] : [output, ledgerPathOf(output)],
  }
}

/** The runs in which nothing is made to fail. Resolves to the last one that was learned; null: none was. */
async function learnUsual(
  options: LearnOptions,
  once: (more: More) => Promise<LearnedRun>,
  isStopped: () => boolean,
  output: Output,
): Promise<LearnedRun | null> {
  // Faults are tried on what is known; how well it is known is for other calls of learn.
  const isOnce = options.faults === true && options.runs === undefined && options.until === undefined
  const below = options.runs !== undefined || isOnce ? null : (options.until ?? FINISHED_BELOW)
  const limit = options.runs ?? (isOnce ? 1 : options.maxRuns)
  if (options.slice !== undefined) {
    const run = await once({ slices: { ms: options.slice * 1_000, limit, below } })
    if (!run.isLearned) tellNotes(run, output)
    return run.isLearned ? run : null
  }
  let learned: LearnedRun | null = null
  let crashCount = 0
  for (let run = 1; run <= limit && crashCount < CRASHES_IN_A_ROW; run += 1) {
    const last = await once({})
    if (last.isLearned) learned = last
    crashCount = last.isLearned || below === null ? 0 : crashCount + 1
    output.message(`tracefp: run ${run} of ${below === null ? '' : 'at most '}${limit}: ${progressOf(last)}\n`)
    // A terminal's ^C ended this run; it is meant for the rest of them too.
    if (isStopped() || (below !== null && isQuiet(last, below))) break
  }
  return learned
}

async function learnOnce(
  argv: readonly string[],
  options: LearnOptions,
  settings: Partial<Settings>,
  more: More,
  relay: SignalRelay,
  stopping: AbortController,
): Promise<LearnedRun> {
  const bytes = programBytesOf(argv)
  return await learnProgram(argv, {
    scenario: options.scenario,
    settings,
    neverLearned: neverLearnedBut(options.alsoLearn ?? [], options.neverLearn),
    engine: options.engine,
    pin: options.pin,
    stopsWithProgram: hasTerminal(),
    thread: 'this',
    isUpgrade: options.upgrade !== undefined,
    ...more,
    ...(bytes === undefined ? {} : { bytes }),
    onStart: (pid) => {
      relay.attach(pid)
      optimiseLaterInRun()
    },
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
  const end = run.recordCount === 0 ? 'was ended before its first call' : 'crashed'
  if (!run.isLearned) return `it ${end} (signal ${run.exit.signal}): nothing was learned from it`
  const how =
    run.exit.signal > 0 ? `, ended by signal ${run.exit.signal}` : run.exit.code > 0 ? `, exit ${run.exit.code}` : ''
  const fresh = counted(run.newTransitionCount, 'new transition')
  return `${fresh}, ${run.transitionCount} in all, ${counted(run.recordCount, 'call')}${how}`
}

/** A copy of the old fingerprint, to which runs of the new executable are added. The old one stays as it is. */
async function beginCandidate(
  oldName: string,
  target: string | undefined,
  output: Output,
): Promise<{ showDiff(): Promise<void> }> {
  if (target === undefined) throw new UsageError('--upgrade writes a candidate: name it with -o')
  const [{ mappingOf }, { readLedgerFile, replaceLedger }] = await Promise.all([
    import('./merge.ts'),
    import('../model/files.ts'),
  ])
  const old = fingerprintFileNamed(oldName)
  if (!existsSync(target) && !existsSync(ledgerPathOf(target))) {
    const mapping = mappingOf(old)
    await replaceLedger(target, await readLedgerFile(old, mapping), mapping)
  }
  return {
    showDiff: async () => {
      const [{ decodeFingerprint }, { diffFingerprints }, { diffText }, { readFingerprintText }] = await Promise.all([
        import('../model/codec-fingerprint.ts'),
        import('../model/diff.ts'),
        import('../review/diff-text.ts'),
        import('../store/fingerprint-file.ts'),
      ])
      const [before, after] = [old, target].map((file) => decodeFingerprint(readFingerprintText(file), file))
      if (before !== undefined && after !== undefined) {
        output.message(diffText(diffFingerprints(before, after), { isWhole: false }))
      }
    },
  }
}
