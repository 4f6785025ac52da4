// The entry of a process of tracefp's own that does one task. Under engine ebpf it has only the privileges that takes; a program
// that it starts has those it was started with.
//
//   host                                   this process
//   spawn ------------------------------>  wants the task
//   the task --------------------------->  makes the program's process, begins anew with fewer privileges
//   the task, once more <-- wants it ----  follows, judges
//                       <-- messages of a worker -->

import { closeSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { HeldProgram } from '../source/privileges.ts'
import { type GivenUp, giveUpPrivileges, type UsedFiles } from './fewer-privileges.ts'
import { frameOf, frameReader, readFrame } from './frames.ts'
import { CHANNEL, type JudgeMessage } from './judge-process.ts'
import { toPlainError } from './plain-error.ts'
import type { HostMessage, WorkerTask } from './protocol.ts'
import { startTask } from './task.ts'

// A terminal and a service manager tell all processes to end; when, is the host's to say.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGTSTP'] as const) process.on(signal, () => {})

const tellNow = (message: JudgeMessage): void => {
  writeSync(CHANNEL, frameOf(message))
}

tellNow({ type: 'wantsTask' })
const task = readFrame(CHANNEL) as WorkerTask | null
if (task !== null) {
  try {
    begin(task, givenUp(task))
  } catch (error) {
    tellNow({ type: 'failed', error: toPlainError(error) })
  }
}

function begin(given: WorkerTask, { take, kept }: GivenUp): void {
  if (kept !== null) tellNow({ type: 'kept', why: kept })
  const channel = new Socket({ fd: CHANNEL })
  const held = take?.() ?? null
  const launch = launchOf(given)
  const isMine = held === null && launch !== null
  const ends = new Set(isMine ? launch.stdio.filter((descriptor) => descriptor > CHANNEL) : [])
  const running = startTask(withHeld(given, held), (message) => {
    // Whoever reads what the program writes waits for its end.
    if (message.type === 'started') for (const descriptor of ends) closeSync(descriptor)
    channel.write(frameOf(message))
  })
  const read = frameReader((message) => running.hear(message as HostMessage))
  channel.on('data', read)
  // Nobody is left to be told anything.
  const stop = (): void => running.hear({ type: 'stop' })
  channel.on('end', stop)
  channel.on('error', stop)
  void running.done.then(() => channel.end(() => channel.destroy()))
}

function givenUp(given: WorkerTask): GivenUp {
  const { options } = given
  const isEbpf = 'target' in options ? targetIsEbpf(options.target) : options.engine === 'ebpf'
  if (!isEbpf) return { take: null, kept: null, file: null }
  const launch = launchOf(given)
  const program = launch === null ? null : () => ({ launch, isRepeated: false })
  return giveUpPrivileges({ stops: true, ...filesOf(given), program })
}

function targetIsEbpf(target: { readonly kind: string; readonly engine?: string }): boolean {
  return target.kind === 'follow' || (target.kind === 'launch' && target.engine === 'ebpf')
}

function launchOf({ options }: WorkerTask) {
  if (!('target' in options)) return options.launch
  return options.target.kind === 'launch' ? options.target.launch : null
}

function withHeld(given: WorkerTask, held: HeldProgram | null): WorkerTask {
  const launch = launchOf(given)
  if (held === null || launch === null) return given
  const holding = { ...launch, held }
  if (given.kind === 'record') return { ...given, options: { ...given.options, launch: holding } }
  const { options } = given
  const target = { ...options.target, launch: holding } as typeof options.target
  return { ...given, options: { ...options, target } } as WorkerTask
}

function filesOf(given: WorkerTask): UsedFiles {
  if (given.kind === 'check') {
    const { files, requireSignature, home, record, evidence } = given.options
    const written = [home, record, evidence].filter((file) => file !== null)
    return { read: [...files, ...requireSignature], written }
  }
  const { file, home } = given.options
  return { read: [], written: file === null || file === undefined ? [home] : [home, file] }
}
