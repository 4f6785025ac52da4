// The command line as a whole: finds the command, loads its module and no other, and turns whatever goes wrong into one
// line on stderr and an exit code. What a command does stands in its own file.

import { Command, type CommanderError, type Option } from 'commander'
import { EngineError, TracefpError, UsageError } from '../errors.ts'
import { VERSION } from '../package.ts'
import { CLOSED_PIPE_CODE, EXIT_CODES, exitCodeOfError, kindOf } from './exit-codes.ts'
import { ClosedPipe, type Output, oneLine, stdio } from './output.ts'

/** Adds one command to the tree. */
export type Define = (program: Command, output: Output) => void

/** In the order of the help. */
const COMMANDS: ReadonlyMap<string, () => Promise<Define>> = new Map<string, () => Promise<Define>>([
  ['learn', async () => (await import('./learn.ts')).defineLearn],
  ['run', async () => (await import('./run.ts')).defineRun],
  ['check', async () => (await import('./check.ts')).defineCheck],
  ['record', async () => (await import('./record.ts')).defineRecord],
  ['attach', async () => (await import('./attach.ts')).defineAttach],
  ['release', async () => (await import('./release.ts')).defineRelease],
  ['sessions', async () => (await import('./sessions.ts')).defineSessions],
  ['session', async () => (await import('./sessions.ts')).defineSession],
  ['alerts', async () => (await import('./alerts.ts')).defineAlerts],
  ['alert', async () => (await import('./alerts.ts')).defineAlert],
  ['replay', async () => (await import('./replay.ts')).defineReplay],
  ['audit', async () => (await import('./audit.ts')).defineAudit],
  ['notify', async () => (await import('./notify.ts')).defineNotify],
  ['watch', async () => (await import('./watch.ts')).defineWatch],
  ['serve', async () => (await import('./serve.ts')).defineServe],
  ['show', async () => (await import('./show.ts')).defineShow],
  ['explain', async () => (await import('./explain.ts')).defineExplain],
  ['estimate', async () => (await import('./estimate.ts')).defineEstimate],
  ['merge', async () => (await import('./merge.ts')).defineMerge],
  ['revoke', async () => (await import('./revoke.ts')).defineRevoke],
  ['diff', async () => (await import('./diff.ts')).defineDiff],
  ['export', async () => (await import('./export.ts')).defineExport],
  ['triage', async () => (await import('./triage.ts')).defineTriage],
  ['keygen', async () => (await import('./keygen.ts')).defineKeygen],
  ['sign', async () => (await import('./sign.ts')).defineSign],
  ['verify', async () => (await import('./verify.ts')).defineVerify],
  ['mapping', async () => (await import('./mapping.ts')).defineMapping],
  ['doctor', async () => (await import('./doctor.ts')).defineDoctor],
  ['bench', async () => (await import('./bench.ts')).defineBench],
  ['completion', async () => (await import('./completion.ts')).defineCompletion],
])

/** These look at the other commands. */
const WANTS_ALL: readonly string[] = ['completion', 'help']

export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()]

const HELP_WIDTH = 100
const SUCCESS_CODES: readonly string[] = ['commander.helpDisplayed', 'commander.version']

/**
 * Runs tracefp with the arguments after its name. Undefined: the command ended well or has set process.exitCode itself.
 * Never throws.
 */
export async function runCli(args: readonly string[], output: Output = stdio): Promise<number | undefined> {
  const kind = kindOf(args[0])
  try {
    const program = await buildProgram(args[0], output)
    if (args.length === 0) {
      output.message(program.helpInformation())
      return EXIT_CODES.program.usage
    }
    await program.parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    if (error instanceof ClosedPipe) return CLOSED_PIPE_CODE
    if (isCommanderError(error)) {
      if (SUCCESS_CODES.includes(error.code) || isHelpAskedFor(error, args)) return 0
      const topic = COMMANDS.has(args[0] ?? '') ? `${args[0]} ` : ''
      const what = error.message.replace(/^error: /, '').replace(/\n?\((Did you mean [^)]*)\)/, ' ($1)')
      tell(output, new UsageError(`${what}: try 'tracefp ${topic}--help'`))
      return EXIT_CODES[kind].usage
    }
    tell(output, error)
    return exitCodeOfError(error, kind)
  }
}

/** The tree with one command, or with all of them when `name` is none or looks at the others. */
export async function buildProgram(name: string | undefined, output: Output = stdio): Promise<Command> {
  const program = new Command('tracefp')
    .description("Learns the order of a program's system calls and tells, while it runs, when it stops behaving so.")
    .version(VERSION, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', '\nExamples:\n  tracefp learn --runs 20 -- ls -l /usr\n  tracefp run -- ls -l /usr\n')
    .enablePositionalOptions()
    .exitOverride()
    .hook('preAction', (_, command) => assertNamed(command))
    .configureOutput({
      writeOut: (text) => output.data(text),
      writeErr: (text) => output.message(text),
      outputError: () => {}, // told by runCli, in one line
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  for (const define of await Promise.all(loadersFor(name).map((load) => load()))) define(program, output)
  for (const { options } of program.commands) for (const option of options) nameIn(option)
  return program
}

/** What is wrong with a value is told with the option that it was given to. */
function nameIn(option: Option): void {
  const parse = option.parseArg
  if (parse === undefined) return
  option.argParser((value: string, previous: unknown) => {
    try {
      return parse(value, previous)
    } catch (error) {
      if (!(error instanceof UsageError) || !error.message.startsWith(`${value}: `)) throw error
      throw new UsageError(value === '' ? `${option.flags} is empty` : `${option.long} ${error.message}`)
    }
  })
}

function loadersFor(name: string | undefined): (() => Promise<Define>)[] {
  if (name === '-V' || name === '--version') return []
  const only = name === undefined || WANTS_ALL.includes(name) ? undefined : COMMANDS.get(name)
  return only === undefined ? [...COMMANDS.values()] : [only]
}

/** Words of the user's own may be empty, names may not: `"$FILE"` of a variable that is not set. @throws UsageError. */
function assertNamed(command: Command): void {
  const isEmpty = (value: unknown): boolean => [value].flat().includes('')
  const option = command.options.find((given) => isEmpty(command.getOptionValue(given.attributeName())))
  if (option !== undefined && !option.flags.endsWith('<text>')) throw new UsageError(`${option.flags} is empty`)
  // What follows the name of a program is its own.
  const argument = startsProgram(command) ? -1 : command.processedArgs.findIndex(isEmpty)
  const name = command.registeredArguments[argument]?.name()
  if (name !== undefined) throw new UsageError(`<${name}> is empty`)
}

/** Whether a command line goes on with a program and its arguments. */
export function startsProgram(command: Command): boolean {
  return command.registeredArguments[0]?.name() === 'cmd'
}

/** Tells an error in one line. One that no room foresaw is a bug: its stack is shown when TRACEFP_DEBUG is set. */
export function tell(output: Output, error: unknown): void {
  const isDebugging = process.env['TRACEFP_DEBUG'] !== undefined && process.env['TRACEFP_DEBUG'] !== ''
  if (error instanceof TracefpError) {
    const hint = error instanceof EngineError && !error.message.includes(error.hint) ? `: ${error.hint}` : ''
    output.message(`tracefp: ${oneLine(`${error.message}${hint}`)}\n`)
  } else {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const advice = isDebugging ? '' : ': set TRACEFP_DEBUG=1 to see where'
    output.message(`tracefp: unexpected ${oneLine(what)}${advice}\n`)
  }
  if (isDebugging && error instanceof Error) output.message(`${stackOf(error)}\n`)
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')
}

/** `tracefp help` throws what a missing command would. */
function isHelpAskedFor(error: CommanderError, args: readonly string[]): boolean {
  return error.code === 'commander.help' && args[0] === 'help'
}
