// tracefp run: starts a program and checks it; tells each miss as it happens and ends with an exit code that says what came
// of it. What the program reads and writes is its own: tracefp says everything on stderr.

import { constants } from 'node:os'
import type { Command } from 'commander'
import { missLine } from '../match/explain.ts'
import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import type { Report } from '../match/report.ts'
import type { Outcome } from '../match/verdict.ts'
import { CheckSession } from '../session/check-session.ts'
import type { Engine } from '../source/live.ts'
import { exitCodeOfOutcome } from './exit-codes.ts'
import { captureFile, collect, engineOption, pinOption, wholeNumber } from './options.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'
import { hasTerminal, relaySignals } from './terminal.ts'
import { counted, shellWord } from './words.ts'

interface RunOptions {
  readonly fingerprint?: readonly string[]
  readonly depth?: number
  readonly onMiss: 'alert' | 'deny' | 'kill' | 'freeze'
  readonly report?: string
  readonly record?: string
  readonly exitStatus: 'verdict' | 'program'
  readonly engine: Engine
  readonly pin: 'auto' | 'always' | 'never'
  readonly quiet?: boolean
}

const SIGNAL_EXIT = 128

export function defineRun(program: Command, output: Output): void {
  const command = program.command('run')
  command
    .passThroughOptions()
    .description('run a program and check every system call it makes against its fingerprint')
    .argument('<cmd...>', 'the program and its arguments')
    .option('-f, --fingerprint <file>', 'check against this file; repeatable (default: the fingerprint store)', collect)
    .option('--depth <n>', 'length of the sequences to check, at most what was learned', wholeNumber)
    .addOption(
      command
        .createOption('--on-miss <what>', 'what happens at a miss, before its call runs; see Guard in the README')
        .choices(['alert', 'deny', 'kill', 'freeze'])
        .default('alert'),
    )
    .addOption(engineOption(command))
    .addOption(pinOption(command))
    .option('--report <file>', 'write the report here as JSON; - is stdout')
    .option('--record <file>', 'write a capture here, which check and learn --from read', captureFile)
    .addOption(
      command
        .createOption('--exit-status <whose>', 'exit as the verdict says, or always as the program did')
        .choices(['verdict', 'program'])
        .default('verdict'),
    )
    .option('-q, --quiet', 'say nothing when the run is authentic')
    .addHelpText('after', '\nExample:\n  tracefp run -f server.tfp --report report.json -- ./server --port 8080')
    .action(async (argv: string[], options: RunOptions) => {
      process.exitCode = await run(argv, options, output)
    })
}

async function run(argv: readonly string[], options: RunOptions, output: Output): Promise<number> {
  const relay = relaySignals()
  try {
    const bytes = programBytesOf(argv)
    const session: CheckSession = new CheckSession(argv, {
      onMiss: options.onMiss,
      onFreeze: (miss, id) => {
        output.message(`${frozenText(miss, id)}\n`)
        // The program cannot hear a signal now: who asks this process to end means the session.
        relay.detach(() => session.stop())
      },
      fingerprint: options.fingerprint ?? [],
      engine: options.engine,
      pin: options.pin,
      stopsWithProgram: hasTerminal(),
      thread: 'this',
      ...(bytes === undefined ? {} : { bytes }),
      ...(options.depth === undefined ? {} : { depth: options.depth }),
      ...(options.record === undefined ? {} : { record: options.record }),
    })
    const follow = async (): Promise<void> => {
      relay.attach(await session.pid)
      await session.rootExited
      relay.detach(() => session.stop())
    }
    follow().catch(() => {})
    for await (const miss of session.misses()) {
      output.message(`${missLine(miss)}\n`)
      if (options.onMiss === 'freeze' && miss.action === 'allow') relay.attach(await session.pid)
    }
    const [report, outcome] = [await session.report, await session.outcome]
    if (options.report !== undefined) await writeReport(options.report, report, output)
    if (options.quiet !== true || outcome !== 'authentic') output.message(summaryOf(report, outcome))
    const ended = exitCodeOf(report)
    return options.exitStatus === 'program' ? ended : exitCodeOfOutcome(outcome, 'program', ended)
  } finally {
    relay.close()
  }
}

function frozenText(miss: Miss, session: string): string {
  return [
    `tracefp: frozen at: ${missLine(miss).replace(/^tracefp: abnormal: /, '')}`,
    `tracefp: nothing of it goes on until: tracefp release ${session} --allow, or --kill`,
  ].join('\n')
}

async function writeReport(file: string, report: Report, output: Output): Promise<void> {
  const text = `${JSON.stringify(report, null, 2)}\n`
  if (file === '-') output.data(text)
  else await (await import('../model/files.ts')).writeAtomic(file, text)
}

function exitCodeOf({ exit }: Report): number {
  if (exit.signal === null) return exit.code ?? 0
  const known = constants.signals[exit.signal as NodeJS.Signals]
  return SIGNAL_EXIT + (known ?? Number(exit.signal.replace(/\D/g, '')))
}

function summaryOf(report: Report, outcome: Outcome): string {
  const verdict = outcome === 'no_fingerprint' ? 'no fingerprint' : outcome
  const root = report.programs[0]
  const counts = [
    `${counted(report.missCount, 'miss')} in ${counted(report.recordCount, 'call')} of ${counted(report.trackCount, 'track')}`,
  ]
  if (root !== undefined && root.fingerprint !== null) counts.push(`coverage ${(root.coverage * 100).toFixed(0)} %`)
  if (report.gapCount > 0)
    counts.push(`${counted(report.gapCount, 'gap')}, ${counted(report.droppedCount, 'record')} dropped`)
  const unlisted = report.missCount - report.misses.length
  if (unlisted > 0) counts.push(`${counted(unlisted, 'miss')} more than are listed`)
  const lines = [`tracefp: ${verdict}: ${printable(report.name)}: ${counts.join(', ')}`]
  for (const note of report.notes) lines.push(`tracefp: note: ${note.message}`)
  if (outcome === 'no_fingerprint') {
    lines.push(`tracefp: learn it first: tracefp learn --runs 20 -- ${report.argv.map(shellWord).join(' ')}`)
  }
  return `${lines.join('\n')}\n`
}
