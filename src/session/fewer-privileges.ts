// Giving up what engine ebpf does not need, once it was seen that what is to be used can be used without. Only for processes that
// are wholly tracefp's own: they begin anew.

import { constants as access, existsSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { loadAddon } from '../addon/addon.ts'
import { EngineError } from '../errors.ts'
import { PACKAGE_ROOT } from '../package.ts'
import {
  beginAnew,
  canLoadPrograms,
  hasMoreThan,
  neededByEbpf,
  type Program,
  type TakeProgram,
  takeBegun,
} from '../source/privileges.ts'

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
  readonly program: (() => Program) | null
}

export interface GivenUp {
  /** The program, where this is the process that has given them up. */
  readonly take: TakeProgram | null
  /** Why they were not given up; null: they were, or there is nothing to give up. */
  readonly kept: string | null
  /** The file for which they were not. */
  readonly file: string | null
}

/** Returns in the process that has given them up, or has kept them. @throws EngineError. */
export function giveUpPrivileges(wanted: FewerPrivileges): GivenUp {
  const begun = takeBegun()
  const needed = neededByEbpf(wanted.stops)
  const take = begun?.take ?? null
  const keeps = (kept: string | null, file: string | null = null): GivenUp => ({ take, kept, file })
  if (!hasMoreThan(needed)) return keeps(null)
  if (begun !== null) return keeps('they come back with every program: they belong to the executable')
  if (!canLoadPrograms()) return keeps('BPF and PERFMON are not among them')
  const isRefused = ([file, mode]: Access): boolean => loadAddon().accessWith(needed, file, mode) === EACCES
  const refused = accessesOf(wanted).find(isRefused)?.[0]
  if (refused !== undefined) return keeps(`${refused} belongs to another user`, refused)
  const program = wanted.program?.() ?? null
  const files = [...OWN_FILES, ...(program === null ? [] : [program.launch.path])]
  const own = files.find((file) => isRefused([file, access.R_OK]))
  if (own !== undefined) return keeps(`${own} belongs to another user, and could not be read`)
  let why: string
  try {
    why = beginAnew(needed, program)
  } catch (error) {
    return keeps((error as Error).message)
  }
  if (program === null) return keeps(why)
  // What it has lost by now, the program would not have.
  throw new EngineError('TFP_ERR_ENGINE_FAILED', `privileges could not be given up: ${why}`, 0, '')
}

type Access = readonly [file: string, mode: number]

const { EACCES } = constants.errno
/** What begins anew. */
const OWN_FILES: readonly string[] = [process.execPath, process.argv[1] ?? '', join(PACKAGE_ROOT, 'package.json')]

function accessesOf({ read, written }: FewerPrivileges): Access[] {
  const { R_OK, W_OK, X_OK } = access
  return [
    ...read.map((file): Access => [file, R_OK]),
    // A file is replaced by another one, or written to.
    ...written.flatMap((file): Access[] => {
      const there = existsSync(file) ? statSync(file) : null
      if (there?.isDirectory() === true) return [[file, W_OK | X_OK]]
      const folder: Access = [dirname(file), W_OK | X_OK]
      return there === null ? [folder] : [folder, [file, W_OK]]
    }),
  ]
}
