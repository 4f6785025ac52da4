// Every exit code of tracefp, in one table. Scripts read them: they are public API.

import { EngineError, type ErrorCode, TracefpError } from '../errors.ts'
import type { Outcome } from '../match/verdict.ts'

/**
 * `program`: commands that start a program, and tracefp itself where no command was understood. Their own codes stay out
 * of the way of what programs use. `data`: commands that read, compare and print.
 */
export type CommandKind = 'program' | 'data'

export interface ExitCodes {
  readonly authentic: number
  readonly abnormal: number
  readonly inconclusive: number
  readonly no_fingerprint: number
  readonly usage: number
  /** tracefp itself could not work. */
  readonly failed: number
  readonly notExecutable: number
  readonly notFound: number
}

export const EXIT_CODES: Readonly<Record<CommandKind, ExitCodes>> = {
  program: {
    authentic: 0, // the code of the program takes its place
    abnormal: 100,
    inconclusive: 101,
    no_fingerprint: 102,
    usage: 125,
    failed: 125,
    notExecutable: 126,
    notFound: 127,
  },
  data: {
    authentic: 0,
    abnormal: 1,
    inconclusive: 3,
    no_fingerprint: 4,
    usage: 2,
    failed: 5,
    notExecutable: 5,
    notFound: 5,
  },
}

const SIGNAL_EXIT = 128

/** stdout was closed by its reader: as if SIGPIPE had ended it. */
export const CLOSED_PIPE_CODE = 141

const DATA_COMMANDS: readonly string[] = [
  'check',
  'estimate',
  'merge',
  'revoke',
  'diff',
  'verify',
  'keygen',
  'sign',
  'export',
  'triage',
  'show',
  'explain',
  'mapping',
  'release',
  'watch',
  'serve',
  'sessions',
  'session',
  'alerts',
  'alert',
  'replay',
  'audit',
  'notify',
  'doctor',
  'bench',
  'completion',
]

/** The kind of a command by its name; whatever is no command is tracefp itself. */
export function kindOf(name: string | undefined): CommandKind {
  return name !== undefined && DATA_COMMANDS.includes(name) ? 'data' : 'program'
}

export function exitCodeOfError(error: unknown, kind: CommandKind): number {
  const codes = EXIT_CODES[kind]
  // As a shell tells it.
  if (error instanceof EngineError && error.code === 'TFP_ERR_ENGINE_ENDED') return SIGNAL_EXIT + error.errno
  return error instanceof TracefpError ? codes[rowOf(error.code)] : codes.failed
}

/** `ended`: how the program ended; its code is the answer when it was authentic. */
export function exitCodeOfOutcome(
  outcome: Outcome,
  kind: CommandKind,
  ended: number = EXIT_CODES[kind].authentic,
): number {
  return outcome === 'authentic' ? ended : EXIT_CODES[kind][outcome]
}

function rowOf(code: ErrorCode): keyof ExitCodes {
  switch (code) {
    case 'TFP_ERR_USAGE':
      return 'usage'
    case 'TFP_ERR_ENGINE_NOT_FOUND':
      return 'notFound'
    case 'TFP_ERR_ENGINE_NOT_EXECUTABLE':
      return 'notExecutable'
    default:
      return 'failed'
  }
}
