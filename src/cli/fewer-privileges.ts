// The command line under engine ebpf gives up what it does not need, and says what keeps it from that.

import { UsageError } from '../errors.ts'
import { prepare } from '../session/check-session.ts'
import { type FewerPrivileges, giveUpPrivileges, type UsedFiles } from '../session/fewer-privileges.ts'
import type { HeldProgram, Program, TakeProgram } from '../source/privileges.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'

/**
 * Returns in the process that has given them up, with its program, or where there is nothing to give up.
 * @throws UsageError where a file could then not be used; EngineError.
 */
export function giveUp(wanted: FewerPrivileges, output: Output): TakeProgram | null {
  const { take, kept, file } = giveUpPrivileges(wanted)
  if (file !== null) throw new UsageError(`${file}: only --keep-privileges may use it: it belongs to another user`)
  if (kept !== null) output.message(`tracefp: note: privileges were not given up: ${kept}\n`)
  return take
}

/**
 * For a command that runs a program, which is to begin with the privileges of this process as they are: its process is made before.
 * @throws as giveUp, and what is wrong with the command.
 */
export function programOf(argv: readonly string[], files: UsedFiles, output: Output): HeldProgram | null {
  return take(argv, false, files, output)?.() ?? null
}

/** The same for one that runs again and again, each time in another process. @throws as programOf. */
export function repeatedProgramOf(argv: readonly string[], files: UsedFiles, output: Output): TakeProgram | null {
  return take(argv, true, files, output)
}

function take(argv: readonly string[], isRepeated: boolean, files: UsedFiles, output: Output): TakeProgram | null {
  const bytes = programBytesOf(argv)
  const program = (): Program => {
    const { launch } = prepare(argv, { thread: 'this', ...(bytes === undefined ? {} : { bytes }) })
    return { launch, isRepeated }
  }
  return giveUp({ stops: true, ...files, program }, output)
}
