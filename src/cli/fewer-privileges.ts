// The command line under engine ebpf gives up what it does not need, once it has seen that what it was told to use can be used without.

import { constants as access, existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { type LaunchOptions, loadAddon } from '../addon/addon.ts'
import { EngineError, UsageError } from '../errors.ts'
import { PACKAGE_ROOT } from '../package.ts'
import { prepare } from '../session/check-session.ts'
import {
  beginAnew,
  canLoadPrograms,
  type HeldProgram,
  hasMoreThan,
  neededByEbpf,
  takeBegun,
} from '../source/privileges.ts'
import type { Output } from './output.ts'
import { programBytesOf } from './program-bytes.ts'

/** What will be used. */
export interface UsedFiles {
  readonly read: readonly string[]
  /** Or made; a folder is written into. */
  readonly written: readonly string[]
}

export interface FewerPrivileges extends UsedFiles {
  /** Processes of others may have to be killed or frozen. */
  readonly stops: boolean
  /** A program that is to have all of them; null: there is none. */
  readonly launch: (() => LaunchOptions) | null
}

/**
 * Returns in the process that has given them up, with its program, or where there is nothing to give up.
 * @throws UsageError where a file could then not be used; EngineError.
 */
export function giveUpPrivileges(wanted: FewerPrivileges, output: Output): HeldProgram | null {
  const begun = takeBegun()
  const kept = neededByEbpf(wanted.stops)
  const held = begun?.held ?? null
  if (!hasMoreThan(kept)) return held
  const keeps = (why: string): HeldProgram | null => {
    output.message(`tracefp: note: privileges were not given up: ${why}\n`)
    return held
  }
  if (begun !== null) return keeps('they come back with every program: they belong to the executable')
  if (!canLoadPrograms()) return keeps('BPF and PERFMON are not among them')
  const isRefused = ([file, mode]: Access): boolean =>
    loadAddon().accessWith(kept, file, mode) === constants.errno.EACCES
  const refused = accessesOf(wanted).find(isRefused)
  if (refused !== undefined)
    throw new UsageError(`${refused[0]}: only --keep-privileges may use it: it belongs to another user`)
  const launch = wanted.launch?.() ?? null
  const needed = [...OWN_FILES, ...(launch === null ? [] : [launch.path])].find((file) =>
    isRefused([file, access.R_OK]),
  )
  if (needed !== undefined) return keeps(`${needed} belongs to another user, and could not be read`)
  let why: string
  try {
    why = beginAnew(kept, launch)
  } catch (error) {
    return keeps((error as Error).message)
  }
  // What it has lost by now, the program would not have.
  if (launch !== null) {
    const hint = '--keep-privileges works without'
    throw new EngineError('TFP_ERR_ENGINE_FAILED', `privileges could not be given up: ${why}`, 0, hint)
  }
  return keeps(why)
}

/**
 * For a command that runs a program, which is to begin with the privileges of this process as they are: its process is made before.
 * @throws as giveUpPrivileges, and what is wrong with the command.
 */
export function programOf(argv: readonly string[], files: UsedFiles, output: Output): HeldProgram | null {
  const bytes = programBytesOf(argv)
  const launch = (): LaunchOptions =>
    prepare(argv, { thread: 'this', ...(bytes === undefined ? {} : { bytes }) }).launch
  return giveUpPrivileges({ stops: true, ...files, launch }, output)
}

type Access = readonly [file: string, mode: number]

/** What begins anew. */
const OWN_FILES: readonly string[] = [process.execPath, process.argv[1] ?? '', join(PACKAGE_ROOT, 'package.json')]

function accessesOf({ read, written }: FewerPrivileges): Access[] {
  const { R_OK, W_OK, X_OK } = access
  return [
    ...read.map((file): Access => [file, R_OK]),
    ...written.map((file): Access => (existsSync(file) ? [file, W_OK] : [dirname(file), W_OK | X_OK])),
  ]
}
