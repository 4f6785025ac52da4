// tracefp learn: runs a program, as often as asked, and adds what it did to its fingerprint. With --from the runs are not made but
// read, from logs.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import type { LearnedRun } from '../learn.ts'
import { printable } from '../match/printable.ts'
import { DEFAULT_TRANSPARENT, type Settings } from '../model/fingerprint.ts'
import { neverLearnedBut } from '../model/never-learned.ts'
import { learnProgram } from '../session/learn-program.ts'
import type { Engine } from '../source/live.ts'
import type { LogFormatName } from '../source/log/log-reader.ts'
import { formatOption } from './check.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { engineOption, nameList, pinOption, wholeNumber } from './options.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'
import { hasTerminal, relaySignals, type SignalRelay } from './terminal.ts'
import { counted } from './words.ts'

export interface LearnOptions {
  readonly output?: string
  readonly name?: string
  readonly scenario: string
  readonly runs: number
  readonly depth?: number
  readonly scope?: 'program' | 'set'
  readonly tracks?: 'thread' | 'log'
  readonly transparent?: readonly string[]
  readonly alsoLearn?: readonly string[]
  readonly neverLearn?: readonly string[]
  readonly engine: Engine
  readonly pin: 'auto' | 'always' | 'never'
  readonly from?: readonly string[]
  readonly format: LogFormatName | 'auto'
  readonly mapping?: string
}

const HELP = `
Examples:
  tracefp learn -o server.tfp --runs 20 -- ./server --self-test
  tracefp learn -o server.tfp --from run-*.strace`

export function defineLearn(program: Command, output: Output): void {
  const command = program.command('learn')
  command
    .passThroughOptions()
    .description('run a program and learn its fingerprint, or add to the one it has')
    .argument('[cmd...]', 'the program and its arguments')
    .option('-o, --output <file>', 'the .tfp file to write or to add to (default: the fingerprint store)')
    .option('--name <name>', 'name of a new file in the fingerprint store')
    .option('--scenario <name>', 'label of these runs', 'default')
    .option('--runs <n>', 'run it so many times', wholeNumber, 1)
    .option('--depth <d>', 'length of the longest sequences learned, 2 to 8 (default: 6)', wholeNumber)
    .addOption(
      command
        .createOption('--scope <what>', 'one fingerprint per program, or one for all (default: program)')
        .choices(['program', 'set']),
    )
    .addOption(
      command
        .createOption('--tracks <what>', 'one track per thread, or the log top to bottom (default: thread)')
        .choices(['thread', 'log']),
    )
    .option(
      '--transparent <names>',
      `calls left out of transitions, beside ${DEFAULT_TRANSPARENT.join(', ')}`,
      nameList,
    )
    .option(
      '--also-learn <names>',
      'calls that are meant though they are on the never-learn list: see README',
      nameList,
    )
    .option('--never-learn <names>', 'more calls that are never learned', nameList)
    .addOption(engineOption(command))
    .addOption(pinOption(command))
    .option('--from <log...>', 'learn from logs instead, each of them a run; - is stdin')
    .addOption(formatOption(command))
    .option('--mapping <name>', 'what names and numbers of the logs mean: a name, or a file')
    .addHelpText('after', HELP)
    .action(async (argv: string[], options: LearnOptions) => {
      if (options.from !== undefined) {
        if (argv.length > 0) throw new UsageError('--from reads logs: it takes no program to run')
        const { learnFrom } = await import('./learn-from.ts')
        process.exitCode = await learnFrom(options.from, options, settingsOf(options), output)
        return
      }
      if (argv.length === 0)
        throw new UsageError("name the program to run, or logs with --from: try 'tracefp learn --help'")
      process.exitCode = await learn(argv, options, output)
    })
}

async function learn(argv: readonly string[], options: LearnOptions, output: Output): Promise<number> {
  const relay = relaySignals()
  try {
    let last: LearnedRun | undefined
    let learnedCount = 0
    for (let run = 1; run <= options.runs; run += 1) {
      last = await learnOnce(argv, options, relay)
      if (last.isLearned) learnedCount += 1
      output.message(`tracefp: run ${run} of ${options.runs}: ${progressOf(last)}\n`)
      // A terminal's ^C ended this run; it is meant for the rest of them too.
      if (relay.received.has('SIGINT') || relay.received.has('SIGTERM')) break
    }
    if (last === undefined || learnedCount === 0) {
      output.message('tracefp: nothing was learned\n')
      return EXIT_CODES.program.failed
    }
    for (const note of last.notes) output.message(`tracefp: note: ${note}\n`)
    const [transitions, runs] = [counted(last.transitionCount, 'transition'), counted(last.runCount, 'run')]
    if (last.isLearned) output.message(`tracefp: ${printable(last.file)}: ${transitions} of ${runs}\n`)
    return 0
  } finally {
    relay.close()
  }
}

async function learnOnce(argv: readonly string[], options: LearnOptions, relay: SignalRelay): Promise<LearnedRun> {
  const stopping = new AbortController()
  const bytes = programBytesOf(argv)
  return await learnProgram(argv, {
    scenario: options.scenario,
    settings: settingsOf(options),
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

/** Only what was asked for: a file that is added to keeps the rest. */
function settingsOf({ depth, scope, tracks, transparent }: LearnOptions): Partial<Settings> {
  return {
    ...(depth === undefined ? {} : { depth }),
    ...(scope === undefined ? {} : { scope }),
    ...(tracks === undefined ? {} : { tracks }),
    ...(transparent === undefined ? {} : { transparent: [...DEFAULT_TRANSPARENT, ...transparent] }),
  }
}

function progressOf(run: LearnedRun): string {
  if (!run.isLearned) return `it crashed (signal ${run.exit.signal}): nothing was learned from it`
  const how =
    run.exit.signal > 0 ? `, ended by signal ${run.exit.signal}` : run.exit.code > 0 ? `, exit ${run.exit.code}` : ''
  const fresh = counted(run.newTransitionCount, 'new transition')
  return `${fresh}, ${run.transitionCount} in all, ${counted(run.recordCount, 'call')}${how}`
}
