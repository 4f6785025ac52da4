// tracefp record: runs a program and writes a capture of it, which check and learn --from read later. It says nothing of
// what the program should do, and ends as the program did.

import type { Command } from 'commander'
import { printable } from '../match/printable.ts'
import type { RecordedRun } from '../record.ts'
import { recordProgram } from '../session/record-program.ts'
import type { Engine } from '../source/live.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { optimiseLaterInRun } from './optimise-later.ts'
import { captureFile, engineOption, givesUpPrivileges, KEEP_HELP, pinOption } from './options.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'
import { hasTerminal, relaySignals } from './terminal.ts'
import { counted } from './words.ts'

interface RecordOptions {
  readonly output: string
  readonly engine: Engine
  readonly pin: 'auto' | 'always' | 'never'
  readonly quiet?: boolean
  readonly keepPrivileges?: boolean
}

const SIGNAL_EXIT = 128

export function defineRecord(program: Command, output: Output): void {
  const command = program.command('record')
  command
    .passThroughOptions()
    .description('run a program and write a capture of it, which check and learn --from read')
    .argument('<cmd...>', 'the program and its arguments')
    .requiredOption('-o, --output <file>', 'the capture to write; what is there is replaced', captureFile)
    .addOption(engineOption(command))
    .addOption(pinOption(command))
    .option('--keep-privileges', KEEP_HELP)
    .option('-q, --quiet', 'say nothing when all was recorded')
    .addHelpText('after', '\nExample:\n  tracefp record -o server.tfc -- ./server --port 8080')
    .action(async (argv: string[], options: RecordOptions) => {
      process.exitCode = await record(argv, options, output)
    })
}

async function record(argv: readonly string[], options: RecordOptions, output: Output): Promise<number> {
  const isLess = givesUpPrivileges(options.engine, options.keepPrivileges, output)
  const files = { read: [], written: [options.output] }
  const held = isLess ? await (await import('./fewer-privileges.ts')).programOf(argv, files, output) : null
  const relay = relaySignals()
  try {
    const stopping = new AbortController()
    const bytes = programBytesOf(argv)
    const run = await recordProgram(argv, options.output, {
      engine: options.engine,
      pin: options.pin,
      stopsWithProgram: hasTerminal(),
      thread: 'this',
      ...(held === null ? {} : { held }),
      ...(bytes === undefined ? {} : { bytes }),
      onStart: (pid) => {
        relay.attach(pid)
        optimiseLaterInRun()
      },
      onRootExit: () => relay.detach(() => stopping.abort()),
      signal: stopping.signal,
    })
    if (run.failure !== null) {
      output.message(`tracefp: ${printable(run.failure)}: the capture ends there, the program went on\n`)
      return EXIT_CODES.program.failed
    }
    if (options.quiet !== true) output.message(`tracefp: ${summaryOf(run)}\n`)
    return run.exit.signal > 0 ? SIGNAL_EXIT + run.exit.signal : run.exit.code
  } finally {
    relay.close()
  }
}

function summaryOf({ file, recordCount, byteCount }: RecordedRun): string {
  return `${printable(file)}: ${counted(recordCount, 'record')} in ${counted(byteCount, 'byte')}`
}
