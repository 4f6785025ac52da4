// tracefp run: starts a program and checks it; tells each miss as it happens and ends with an exit code that says what came
// of it. What the program reads and writes is its own: tracefp says everything on stderr.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { isTold } from '../match/explain.ts'
import { CheckSession } from '../session/check-session.ts'
import type { UsedFiles } from '../session/fewer-privileges.ts'
import { MissTeller } from '../session/miss-teller.ts'
import { modeOfCommand } from '../session/policy-mode.ts'
import type { Engine } from '../source/live.ts'
import { tracefpHome } from '../store/home.ts'
import { exitCodeOfOutcome } from './exit-codes.ts'
import { keepingOf, STORE_HELP } from './keeping.ts'
import { optimiseLaterInRun } from './optimise-later.ts'
import {
  burstOf,
  captureFile,
  collect,
  engineOption,
  FRAME_HELP,
  givesUpPrivileges,
  KEEP_HELP,
  pinOption,
  RING_HELP,
  ringSize,
  SIGNATURE_HELP,
  THRESHOLD_HELP,
  wholeNumber,
} from './options.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'
import { exitCodeOf, frozenText, summaryOf, writeReport } from './session-output.ts'
import { hasTerminal, relaySignals } from './terminal.ts'

interface RunOptions {
  readonly fingerprint?: readonly string[]
  readonly depth?: number
  readonly frame?: number
  readonly threshold?: number
  readonly onMiss: 'alert' | 'deny' | 'kill' | 'freeze'
  readonly requireSignature?: readonly string[]
  readonly report?: string
  readonly record?: string
  readonly exitStatus: 'verdict' | 'program'
  readonly engine: Engine
  readonly pin: 'auto' | 'always' | 'never'
  readonly ring?: number
  readonly store: boolean
  readonly quiet?: boolean
  readonly keepPrivileges?: boolean
}

export function defineRun(program: Command, output: Output): void {
  const command = program.command('run')
  command
    .passThroughOptions()
    .description('run a program and check every system call it makes against its fingerprint')
    .argument('<cmd...>', 'the program and its arguments')
    .option('-f, --fingerprint <file>', 'check against this file; repeatable (default: the fingerprint store)', collect)
    .option('--depth <n>', 'length of the sequences to check, at most what was learned (default: 2)', wholeNumber)
    .option('--frame <n>', FRAME_HELP, wholeNumber)
    .option('--threshold <m>', THRESHOLD_HELP, wholeNumber)
    .addOption(
      command
        .createOption(
          '--on-miss <what>',
          'what happens at a miss, before its call runs (ebpf: after it); see Guard in the README',
        )
        .choices(['alert', 'deny', 'kill', 'freeze'])
        .default('alert', 'as the policy says, else alert'),
    )
    .addOption(engineOption(command))
    .addOption(pinOption(command))
    .option('--ring <mib>', RING_HELP, ringSize)
    .option('--keep-privileges', KEEP_HELP)
    .option('--require-signature <key>', SIGNATURE_HELP, collect)
    .option('--report <file>', 'write the report here as JSON; - is stdout')
    .option('--record <file>', 'write a capture here, which check and learn --from read', captureFile)
    .addOption(
      command
        .createOption('--exit-status <whose>', 'exit as the verdict says, or always as the program did')
        .choices(['verdict', 'program'])
        .default('verdict'),
    )
    .option('--no-store', STORE_HELP)
    .option('-q, --quiet', 'say nothing when the run is authentic')
    .addHelpText('after', '\nExample:\n  tracefp run -f server.tfp --report report.json -- ./server --port 8080')
    .action(async (argv: string[], options: RunOptions) => {
      const isGiven = command.getOptionValueSource('onMiss') !== 'default'
      if (options.ring !== undefined && options.engine !== 'ebpf')
        throw new UsageError("--ring is the kernel's: it needs --engine ebpf")
      process.exitCode = await run(argv, options, isGiven ? options.onMiss : null, output)
    })
}

/** `onMiss`: what the user said; null: the policy decides. */
async function run(
  argv: readonly string[],
  options: RunOptions,
  onMiss: RunOptions['onMiss'] | null,
  output: Output,
): Promise<number> {
  const isLess = givesUpPrivileges(options.engine, options.keepPrivileges, output)
  const held = isLess ? await (await import('./fewer-privileges.ts')).programOf(argv, filesOf(options), output) : null
  const { keeper, policy } = await keepingOf(options.store, output)
  const relay = relaySignals()
  try {
    const bytes = programBytesOf(argv)
    let isGone = false
    const session: CheckSession = new CheckSession(argv, {
      onMiss: onMiss ?? modeOfCommand(policy, argv),
      onFreeze: (miss, id) => {
        output.message(`${frozenText(miss, id)}\n`)
        // The program cannot hear a signal now: who asks this process to end means the session.
        relay.detach(() => session.stop())
      },
      onThaw: () => {
        if (!isGone) attach().catch(() => {})
      },
      fingerprint: options.fingerprint ?? [],
      requireSignature: options.requireSignature ?? [],
      engine: options.engine,
      pin: options.pin,
      stopsWithProgram: hasTerminal(),
      thread: 'this',
      ...(held === null ? {} : { held }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(options.ring === undefined ? {} : { kernelRingBytes: options.ring }),
      ...(options.depth === undefined ? {} : { depth: options.depth }),
      ...burstOf(options),
      ...(options.record === undefined ? {} : { record: options.record }),
      ...(keeper === null ? {} : keeper.evidenceOptions()),
    })
    const attach = async (): Promise<void> => relay.attach(await session.pid)
    const follow = async (): Promise<void> => {
      await attach()
      optimiseLaterInRun()
      keeper?.begun({ session: session.id, name: argv[0] ?? '', argv })
      await session.rootExited
      isGone = true
      relay.detach(() => session.stop())
    }
    follow().catch(() => {})
    const teller = new MissTeller((line) => output.message(`${line}\n`))
    for await (const miss of session.misses()) {
      if (!isTold(miss)) continue
      keeper?.miss(miss)
      teller.tell(miss)
    }
    teller.flush()
    const [report, outcome] = [await session.report, await session.outcome]
    if (options.quiet !== true || outcome !== 'authentic') output.message(summaryOf(report, outcome))
    await keeper?.ended({ report, outcome }, await session.evidence)
    // Last: where it cannot be written, the verdict is told and kept all the same.
    if (options.report !== undefined) await writeReport(options.report, report, output)
    const ended = exitCodeOf(report)
    return options.exitStatus === 'program' ? ended : exitCodeOfOutcome(outcome, 'program', ended)
  } finally {
    relay.close()
  }
}

function filesOf({ fingerprint, requireSignature, report, record, store }: RunOptions): UsedFiles {
  return {
    read: [...(fingerprint ?? []), ...(requireSignature ?? [])],
    written: [...(store ? [tracefpHome()] : []), report, record].flatMap((file) =>
      file === undefined || file === '-' ? [] : [file],
    ),
  }
}
