// tracefp attach: joins a process that already runs and checks it, until it ends, the time is over or a signal comes; then
// the process goes on as before.

import { setPriority } from 'node:os'
import type { Command } from 'commander'
import { loadAddon, type Pinned } from '../addon/addon.ts'
import { UsageError } from '../errors.ts'
import { isTold } from '../match/explain.ts'
import { CheckSession, nameOf, pinFolderFor, type Watched } from '../session/check-session.ts'
import { MissTeller } from '../session/miss-teller.ts'
import { modeOfAll, modeOfProcess } from '../session/policy-mode.ts'
import { engineToJoin } from '../source/kernel.ts'
import { exitCodeOfOutcome } from './exit-codes.ts'
import { giveUp } from './fewer-privileges.ts'
import { keepingOf, STORE_HELP } from './keeping.ts'
import {
  burstOf,
  collect,
  FRAME_HELP,
  givesUpPrivileges,
  KEEP_HELP,
  RING_HELP,
  ringSize,
  SIGNATURE_HELP,
  seconds,
  THRESHOLD_HELP,
  wholeNumber,
} from './options.ts'
import type { Output } from './output.ts'
import { exitCodeOf, frozenText, summaryOf, writeReport } from './session-output.ts'

interface AttachOptions {
  readonly pid?: number
  readonly cgroup?: string
  readonly host?: boolean
  readonly fingerprint?: readonly string[]
  readonly depth?: number
  readonly frame?: number
  readonly threshold?: number
  readonly for?: number
  readonly onMiss: 'alert' | 'kill' | 'freeze'
  readonly engine: 'auto' | 'ebpf' | 'trace'
  readonly ring?: number
  readonly requireSignature?: readonly string[]
  readonly report?: string
  readonly store: boolean
  readonly quiet?: boolean
  readonly pin?: boolean
  readonly unpin?: boolean
  readonly keepPrivileges?: boolean
}

const DENIES_NOTHING = 'the policy says deny, which a program that was joined cannot be: misses are told only'
/** As the engine's own thread. */
const NICENESS = -10

/** Who asks this process to end means the watch. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

export function defineAttach(program: Command, output: Output): void {
  const command = program.command('attach')
  command
    .description('join what already runs, and check every system call it makes')
    .option('--pid <pid>', 'a process, with all below it', wholeNumber)
    .option('--cgroup <path>', 'what runs in a cgroup (v2) and begins there, such as system.slice/nginx.service')
    .option('--host', 'every program of this machine that there is a fingerprint for')
    .option('-f, --fingerprint <file>', 'check against this file; repeatable (default: the fingerprint store)', collect)
    .option('--depth <n>', 'length of the sequences to check, at most what was learned (default: 2)', wholeNumber)
    .option('--frame <n>', FRAME_HELP, wholeNumber)
    .option('--threshold <m>', THRESHOLD_HELP, wholeNumber)
    .option('--for <duration>', 'let it go after so long, such as 90s, 10m, 8h (default: when it ends)', seconds)
    .addOption(
      command
        .createOption(
          '--on-miss <what>',
          'what happens at a miss: under trace before its call runs, under ebpf after it',
        )
        .choices(['alert', 'kill', 'freeze'])
        .default('alert', 'as the policy says, else alert'),
    )
    .addOption(
      command
        .createOption('--engine <name>', 'how calls are seen: ebpf = by the kernel, trace = two ptrace stops a call')
        .choices(['auto', 'ebpf', 'trace'])
        .default('auto', 'ebpf where it works and nothing is to be stopped, else trace'),
    )
    .option('--pin', 'the kernel goes on when tracefp ends, or is killed; the same command goes on with it')
    .option('--unpin', 'tell what happened since, and end that')
    .option('--ring <mib>', RING_HELP, ringSize)
    .option('--keep-privileges', KEEP_HELP)
    .option('--require-signature <key>', SIGNATURE_HELP, collect)
    .option('--report <file>', 'write the report here as JSON; - is stdout')
    .option('--no-store', STORE_HELP)
    .option('-q, --quiet', 'say nothing when the session is authentic')
    .addHelpText('after', '\nExample:\n  tracefp attach -f server.tfp --for 10m --pid 1234')
    .action(async (options: AttachOptions) => {
      const isGiven = command.getOptionValueSource('onMiss') !== 'default'
      process.exitCode = await attach(options, isGiven ? options.onMiss : null, output)
    })
}

/** `onMiss`: what the user said; null: the policy decides. */
async function attach(options: AttachOptions, onMiss: AttachOptions['onMiss'] | null, output: Output): Promise<number> {
  const what = watchedBy(options)
  const { keeper, policy } = await keepingOf(options.store, output)
  const wanted = onMiss ?? (typeof what === 'number' ? modeOfProcess(policy, what) : modeOfAll(policy))
  const mode = wanted === 'deny' ? 'alert' : wanted
  const pin = options.unpin === true ? 'end' : options.pin === true ? 'keep' : undefined
  const engine = engineFor(what, pin !== undefined && options.engine === 'auto' ? 'ebpf' : options.engine, mode)
  if (engine === 'ebpf') hurry()
  if (givesUpPrivileges(engine, options.keepPrivileges, output)) {
    const { fingerprint = [], report = '-' } = options
    const written = report === '-' ? [] : [report]
    giveUp({ stops: mode !== 'alert', read: fingerprint, written, program: null }, output)
  }
  if (wanted === 'deny') output.message(`tracefp: note: ${DENIES_NOTHING}\n`)
  const former = pin === undefined ? null : loadAddon().pinned(pinFolderFor(what))
  if (former !== null) output.message(`tracefp: note: ${goesOn(former)}\n`)
  const session: CheckSession = new CheckSession(what, {
    engine,
    onMiss: mode,
    onFreeze: (miss, id) => output.message(`${frozenText(miss, id)}\n`),
    fingerprint: options.fingerprint ?? [],
    requireSignature: options.requireSignature ?? [],
    thread: 'this',
    ...(keeper === null ? {} : keeper.evidenceOptions()),
    ...(options.ring === undefined ? {} : { kernelRingBytes: options.ring }),
    ...(pin === undefined ? {} : { bpfPin: pin }),
    ...(options.depth === undefined ? {} : { depth: options.depth }),
    ...burstOf(options),
  })
  const stop = (): void => session.stop()
  for (const signal of ENDING) process.on(signal, stop)
  const timer = options.for === undefined ? undefined : setTimeout(stop, options.for * 1_000)
  const name = nameOf(what)
  const begun = (): void => keeper?.begun({ session: session.id, name, argv: [] })
  if (typeof what === 'number') session.pid.then(begun).catch(() => {})
  else begun()
  try {
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
    return exitCodeOfOutcome(outcome, 'program', exitCodeOf(report))
  } finally {
    clearTimeout(timer)
    for (const signal of ENDING) process.off(signal, stop)
  }
}

function goesOn({ session, readAt }: Pinned): string {
  const seconds = Math.max(0, Math.round((Date.now() - readAt) / 1_000))
  return `goes on with session ${session}, which nobody read for ${seconds} s`
}

/** Nobody waits for this process: where the machine is busy, an alert would wait its turn. */
function hurry(): void {
  try {
    setPriority(NICENESS)
  } catch {
    // It takes CAP_SYS_NICE.
  }
}

/** @throws UsageError. */
function watchedBy({ pid, cgroup, host }: AttachOptions): Watched {
  const given: Watched[] = [
    ...(pid === undefined ? [] : [pid]),
    ...(cgroup === undefined ? [] : [{ cgroup }]),
    ...(host === true ? [{ host } as const] : []),
  ]
  const [what] = given
  if (what === undefined || given.length > 1) throw new UsageError('name one of --pid, --cgroup and --host')
  return what
}

function engineFor(what: Watched, engine: AttachOptions['engine'], onMiss: AttachOptions['onMiss']): 'ebpf' | 'trace' {
  if (typeof what !== 'number') {
    if (engine === 'trace') throw new UsageError(`${nameOf(what)}: only engine ebpf can watch that`)
    return 'ebpf'
  }
  return engineToJoin(engine, onMiss)
}
