// tracefp check: holds logs against fingerprints; tells each miss with the place in its log where it stands, and ends with an
// exit code that says what came of all of them.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { isTold, missLine } from '../match/explain.ts'
import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import type { Result } from '../match/report.ts'
import type { Outcome } from '../match/verdict.ts'
import { checkLogsInThreads } from '../session/check-logs-in-threads.ts'
import type { Keeper } from '../session/keeper.ts'
import type { OpenedLog } from '../session/log-protocol.ts'
import { LOG_FORMAT_NAMES } from '../source/log/formats.ts'
import type { LogFormatName } from '../source/log/log-reader.ts'
import { tracefpHome } from '../store/home.ts'
import { EXIT_CODES, exitCodeOfError, exitCodeOfOutcome } from './exit-codes.ts'
import { expandPatterns } from './glob.ts'
import { keepingOf, STORE_HELP } from './keeping.ts'
import { optimiseLater } from './optimise-later.ts'
import { burstOf, collect, FRAME_HELP, SIGNATURE_HELP, THRESHOLD_HELP, wholeNumber } from './options.ts'
import { type Output, oneLine, stdio } from './output.ts'
import { Progress, progressOf } from './progress.ts'
import { ReportWriter } from './report-writer.ts'
import { summaryOf } from './session-output.ts'
import { counted, shellWord } from './words.ts'

interface CheckOptions {
  readonly fingerprint?: readonly string[]
  readonly depth?: number
  readonly frame?: number
  readonly threshold?: number
  readonly format: LogFormatName | 'auto'
  readonly mapping?: string
  readonly follow?: boolean
  readonly requireSignature?: readonly string[]
  readonly report?: string
  readonly store: boolean
  readonly quiet?: boolean
}

/** The worst of several decides. */
const PRECEDENCE: readonly Outcome[] = ['authentic', 'no_fingerprint', 'inconclusive', 'abnormal']

const HELP = `
Examples:
  strace -f -o server.log ./server; tracefp check -f server.tfp server.log
  tracefp check -f lpr.tfp --mapping sunos4.txt --report - lpr-*.int.gz
  tracefp check -f server.tfp --follow /var/log/server.strace`

export function defineCheck(program: Command, output: Output = stdio): void {
  const command = program.command('check')
  command
    .description('check logs of system calls against fingerprints')
    .argument('<log...>', 'logs, also packed with gzip or zstd; - is stdin')
    .option('-f, --fingerprint <file>', 'check against this file; repeatable (default: the fingerprint store)', collect)
    .option('--depth <n>', 'length of the sequences to check, at most what was learned (default: 2)', wholeNumber)
    .option('--frame <n>', FRAME_HELP, wholeNumber)
    .option('--threshold <m>', THRESHOLD_HELP, wholeNumber)
    .addOption(formatOption(command))
    .option(
      '--mapping <name>',
      'what names and numbers mean: a name, or a file (default: as the log or fingerprint says)',
    )
    .option('--follow', 'the logs are still being written: go on until SIGINT or SIGTERM')
    .option('--require-signature <key>', SIGNATURE_HELP, collect)
    .option('--report <file>', 'write the reports here as JSON, several as JSON Lines; - is stdout')
    .option('--no-store', STORE_HELP)
    .option('-q, --quiet', 'say nothing of sessions that are authentic')
    .addHelpText('after', HELP)
    .action(async (logs: string[], options: CheckOptions) => {
      process.exitCode = await check(expandPatterns(logs), options, output)
    })
}

export function formatOption(command: Command): ReturnType<Command['createOption']> {
  return command
    .createOption('--format <name>', 'what the logs are written by')
    .choices(['auto', ...LOG_FORMAT_NAMES])
    .default('auto')
}

async function check(logs: readonly string[], options: CheckOptions, output: Output): Promise<number> {
  if (options.follow === true && logs.includes('-'))
    throw new UsageError('stdin is read to its end: leave out --follow')
  const { keeper, another } = await keepingOf(options.store, output)
  let keeping = Promise.resolve()
  /** Logs that are followed are sessions that run. */
  const running = new Map<string, Keeper>()
  const telling = new CheckOutput(options, output)
  const stopping = options.follow === true ? new AbortController() : null
  const stop = (): void => stopping?.abort()
  if (stopping !== null) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  optimiseLater()
  try {
    await checkLogsInThreads({
      logs,
      format: options.format,
      mapping: options.mapping ?? null,
      files: options.fingerprint ?? [],
      home: tracefpHome(),
      requireSignature: options.requireSignature ?? [],
      depth: options.depth ?? null,
      ...burstOf(options),
      wantsEvidence: keeper !== null,
      follow: stopping?.signal ?? null,
      onBegin: ({ session, name }) => {
        const own = options.follow === true ? another() : null
        own?.begun({ session, name, argv: [] })
        if (own !== null) running.set(name, own)
      },
      onMiss: (miss, log) => {
        telling.miss(miss, log)
        if (isTold(miss)) running.get(log)?.miss(miss)
      },
      onResult: (result) => {
        telling.result(result)
        const own = running.get(result.report.name) ?? keeper
        running.delete(result.report.name)
        keeping = keeping.then(() => own?.ended(result, result.judgedBy ?? null))
      },
      onFailure: (error, log) => telling.failure(error, log),
      onOpen: (log) => telling.opened(log),
      onProgress: (log, position, size) => telling.progress(log, position, size),
    })
    await keeping
    return telling.finish(logs.length)
  } finally {
    telling.abandon()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  }
}

class CheckOutput {
  readonly #options: CheckOptions
  readonly #output: Output
  readonly #progress: Progress
  readonly #reports: ReportWriter | null
  readonly #counts = new Map<Outcome, number>()
  #failure: unknown = null
  #format = ''

  constructor(options: CheckOptions, output: Output) {
    this.#options = options
    this.#output = output
    this.#progress = new Progress(output)
    this.#reports = options.report === undefined ? null : new ReportWriter(options.report, output)
  }

  opened({ name, format, reason }: OpenedLog): void {
    if (this.#options.format !== 'auto' || this.#options.quiet === true || format.name === this.#format) return
    this.#format = format.name
    this.#say(`tracefp: ${printable(name)} is read as ${format.name}: ${reason}\n`)
  }

  miss(miss: Miss, log: string): void {
    if (isTold(miss)) this.#say(`${missLine(miss)}; ${printable(log)} ${printable(miss.at)}\n`)
  }

  result({ report, outcome }: Result): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1)
    this.#reports?.write(report)
    if (this.#options.quiet === true && outcome === 'authentic') return
    this.#say(summaryOf(report, outcome, `tracefp learn --from ${shellWord(report.name)}`))
  }

  failure(error: unknown, log: string): void {
    this.#failure ??= error
    const message = error instanceof Error ? error.message : String(error)
    this.#say(`tracefp: ${oneLine(message.includes(log) ? message : `${log}: ${message}`)}\n`)
  }

  progress(log: string, position: number, size: number | null): void {
    this.#progress.update(() => `tracefp: ${printable(log)}: ${progressOf(position, size)}`)
  }

  /** The exit code. */
  finish(logCount: number): number {
    this.#reports?.close()
    const sessionCount = [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
    if (sessionCount > 1 || logCount > 1) {
      const parts = PRECEDENCE.flatMap((outcome) => {
        const count = this.#counts.get(outcome) ?? 0
        return count === 0 ? [] : [`${count} ${outcome.replace('_', ' ')}`]
      })
      this.#say(`tracefp: ${counted(sessionCount, 'session')}: ${parts.join(', ') || 'none could be read'}\n`)
    }
    const worst = PRECEDENCE.findLast((outcome) => this.#counts.has(outcome))
    if (worst === 'abnormal') return EXIT_CODES.data.abnormal
    if (this.#failure !== null) return exitCodeOfError(this.#failure, 'data')
    return worst === undefined ? EXIT_CODES.data.failed : exitCodeOfOutcome(worst, 'data')
  }

  abandon(): void {
    this.#progress.clear()
    this.#reports?.abandon()
  }

  #say(text: string): void {
    this.#progress.clear()
    this.#output.message(text)
  }
}
