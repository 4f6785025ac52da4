// What checking one more log costs a command that has read some before: start-up, and what V8 needs until code is compiled, are behind
// it then. Logs are read by one thread in a process that does nothing else.

import { costOfCommand } from './measure.ts'
import type { PartContext } from './part.ts'
import { findProgram } from './peers.ts'
import type { Sample } from './result.ts'

/** Read before those that count. */
export const FORMER_LOGS = 4
const COUNTED_LOGS = 8

/** `tracefp check` of the same log, so many times; cold: it has read none before. */
export function commandCost(
  { tracefp, folder }: PartContext,
  log: string,
  fingerprint: string,
  count: number,
  env: NodeJS.ProcessEnv = {},
): Sample {
  // A command with one CPU reads logs one after the other.
  const pin = findProgram('taskset') === undefined ? [] : ['taskset', '-c', '0']
  const check = ['check', '-q', '--no-store', '-f', fingerprint]
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env
  return costOfCommand([...pin, ...tracefp, ...check, ...Array<string>(count).fill(log)], {
    env: { ...rest, TRACEFP_HOME: folder, ...env },
  })
}

/** Of one of the logs behind the first ones. */
export function furtherCost(
  context: PartContext,
  log: string,
  fingerprint: string,
  env: NodeJS.ProcessEnv = {},
): Sample {
  const former = commandCost(context, log, fingerprint, FORMER_LOGS, env)
  const all = commandCost(context, log, fingerprint, FORMER_LOGS + COUNTED_LOGS, env)
  return {
    cpuMs: (all.cpuMs - former.cpuMs) / COUNTED_LOGS,
    wallMs: (all.wallMs - former.wallMs) / COUNTED_LOGS,
  }
}
