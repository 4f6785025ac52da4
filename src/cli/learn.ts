// tracefp learn: runs a program, as often as asked, and adds what it did to its fingerprint. With --from the runs are not made but
// read, from logs.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { DEFAULT_TRANSPARENT, type Settings } from '../model/fingerprint.ts'
import type { Engine } from '../source/live.ts'
import type { LogFormatName } from '../source/log/log-reader.ts'
import { formatOption } from './check.ts'
import { chance, engineOption, KEEP_HELP, nameList, pinOption, seconds, wholeNumber } from './options.ts'
import type { Output } from './output.ts'

export interface LearnOptions {
  readonly output?: string
  readonly name?: string
  readonly scenario: string
  readonly runs?: number
  readonly until?: number
  readonly maxRuns: number
  readonly faults?: boolean
  readonly maxTime: number
  readonly upgrade?: string
  readonly slice?: number
  readonly depth?: number
  readonly scope?: 'program' | 'set'
  readonly tracks?: 'thread' | 'log'
  readonly transparent?: readonly string[]
  readonly alsoLearn?: readonly string[]
  readonly neverLearn?: readonly string[]
  readonly engine: Engine
  readonly pin: 'auto' | 'always' | 'never'
  readonly from?: readonly string[]
  readonly pid?: number
  readonly cgroup?: string
  readonly keepPrivileges?: boolean
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
    .option('--runs <n>', 'run it so many times', wholeNumber)
    .option(
      '--until <p>',
      'run it until the chance that the next run brings something new is surely below (default: 0.05)',
      chance,
    )
    .option('--max-runs <n>', 'give up then', wholeNumber, 200)
    .option(
      '--slice <duration>',
      'for a service: run it once, each slice of time with a call is a run; then end it by SIGTERM (--pid: let it go)',
      seconds,
    )
    .option('--faults', 'run it once as it is, then again and again while one call at a time fails: see README')
    .option('--max-time <duration>', 'stop making calls fail then; the same command goes on there', seconds, 300)
    .option('--upgrade <old>', 'begin with what this fingerprint knows of a former executable, and show what changed')
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
    .option(
      '--pid <pid>',
      'learn a process that runs, with all below it, slice by slice; needs engine ebpf',
      wholeNumber,
    )
    .option('--cgroup <path>', 'learn what runs in a cgroup (v2), such as system.slice/nginx.service, as --pid does')
    .option('--keep-privileges', KEEP_HELP)
    .option('--from <log...>', 'learn from logs instead, each of them a run; - is stdin')
    .addOption(formatOption(command))
    .option('--mapping <name>', 'what names and numbers of the logs mean: a name, or a file')
    .addHelpText('after', HELP)
    .action(async (argv: string[], options: LearnOptions) => {
      assertTogether(command, options)
      if (NAMES.some((name) => options[name] !== undefined)) (await import('./learn-names.ts')).assertNames(options)
      if (options.runs !== undefined && options.until !== undefined) {
        throw new UsageError('--runs says how often, --until says how long: give one of them')
      }
      if (options.slice !== undefined && options.faults === true)
        throw new UsageError('--faults runs it again and again: it takes no --slice')
      if (options.pid !== undefined || options.cgroup !== undefined) {
        const isOther = argv.length > 0 || options.from !== undefined
        if (isOther) throw new UsageError('--pid and --cgroup learn what runs: they take no program and no logs')
        if (options.faults === true || options.upgrade !== undefined)
          throw new UsageError('--faults and --upgrade start a program: they take no --pid and no --cgroup')
        const { learnWhatRuns } = await import('./learn-watched.ts')
        process.exitCode = await learnWhatRuns(options, settingsOf(options), output)
        return
      }
      if (options.from !== undefined) {
        if (argv.length > 0) throw new UsageError('--from reads logs: it takes no program to run')
        const { learnFrom } = await import('./learn-from.ts')
        process.exitCode = await learnFrom(options.from, options, settingsOf(options), output)
        return
      }
      if (argv.length === 0)
        throw new UsageError("name the program to run, or logs with --from: try 'tracefp learn --help'")
      const { learnRuns } = await import('./learn-runs.ts')
      process.exitCode = await learnRuns(argv, options, settingsOf(options), output)
    })
}

/** Options whose names are looked up. */
const NAMES = ['name', 'transparent', 'neverLearn'] as const

/** Options that would do nothing are not taken in silence. @throws UsageError. */
function assertTogether(command: Command, options: LearnOptions): void {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
  if (options.from === undefined && (isGiven('format') || isGiven('mapping')))
    throw new UsageError('--format and --mapping are about logs: they need --from')
  if (options.faults !== true && isGiven('maxTime'))
    throw new UsageError('--max-time is about faults: it needs --faults')
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
