// What the policy has done at a miss of a program that is to be watched, before it is known by anything but its name.

import { realpathSync } from 'node:fs'
import type { AlertMode } from '../alert/event.ts'
import type { Policy } from '../alert/policy.ts'
import { programKeyOf } from '../model/stream.ts'
import { resolveCommand } from '../source/command.ts'
import { identifyImage } from '../source/image.ts'

export type MissMode = 'alert' | 'deny' | 'kill' | 'freeze'

/** Of a command: by the key of its program, a script's by its own path. */
export function modeOfCommand(policy: Policy | null, [command]: readonly string[], cwd = '.'): MissMode {
  if (policy === null || command === undefined) return 'alert'
  let path = command
  try {
    path = realpathSync(resolveCommand(command, cwd, process.env['PATH']))
  } catch {
    // The run itself will say so.
  }
  const known = [...policy.modes].find(([key]) => key === path || key.endsWith(` ${path}`))
  return atMiss(known?.[1] ?? policy.defaultMode)
}

/** Of a process that runs. */
export function modeOfProcess(policy: Policy | null, pid: number): MissMode {
  if (policy === null) return 'alert'
  // Nobody asks for its hash here, which may take a second.
  const key = programKeyOf(identifyImage(pid, { get: () => '', set: () => {} }))
  return atMiss(policy.modes.get(key) ?? policy.defaultMode)
}

/** Of whatever runs: what is said of single programs is not asked. */
export function modeOfAll(policy: Policy | null): MissMode {
  return policy === null ? 'alert' : atMiss(policy.defaultMode)
}

/** What is observed is told to nobody, and goes on. */
function atMiss(mode: AlertMode): MissMode {
  return mode === 'observe' ? 'alert' : mode
}
