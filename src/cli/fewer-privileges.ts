// The command line under engine ebpf gives up what it does not need, and says what keeps it from that.

import type { LaunchOptions } from '../addon/addon.ts'
import { UsageError } from '../errors.ts'
import { prepare } from '../session/check-session.ts'
import { type FewerPrivileges, giveUpPrivileges, type UsedFiles } from '../session/fewer-privileges.ts'
import type { HeldProgram } from '../source/privileges.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'

/**
 * Returns in the process that has given them up, with its program, or where there is nothing to give up.
 * @throws UsageError where a file could then not be used; EngineError.
 */
export function giveUp(wanted: FewerPrivileges, output: Output): HeldProgram | null {
  const { held, kept, file } = giveUpPrivileges(wanted)
  if (file !== null) throw new UsageError(`${file}: only --keep-privileges may use it: it belongs to another user`)
  if (kept !== null) output.message(`tracefp: note: privileges were not given up: ${kept}\n`)
  return held
}

/**
 * For a command that runs a program, which is to begin with the privileges of this process as they are: its process is made before.
 * @throws as giveUp, and what is wrong with the command.
 */
export function programOf(argv: readonly string[], files: UsedFiles, output: Output): HeldProgram | null {
  const bytes = programBytesOf(argv)
  const launch = (): LaunchOptions =>
    prepare(argv, { thread: 'this', ...(bytes === undefined ? {} : { bytes }) }).launch
  return giveUp({ stops: true, ...files, launch }, output)
}
