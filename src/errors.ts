// Every error code of tracefp, in one table. Codes are public API: add, never rename. Rooms throw; the CLI prints one line.

export const ERRORS = {
  TFP_ERR_ADDON_MISSING: 'the native addon could not be loaded',
  TFP_ERR_USAGE: 'wrong usage',
  TFP_ERR_ENGINE_FAILED: 'the engine could not work',
  TFP_ERR_ENGINE_PTRACE: 'ptrace is forbidden here',
  TFP_ERR_ENGINE_SECCOMP: 'the seccomp filter could not be installed',
  TFP_ERR_ENGINE_KERNEL: 'the kernel lacks what the engine needs',
  TFP_ERR_ENGINE_NOT_FOUND: 'no such command',
  TFP_ERR_ENGINE_NOT_EXECUTABLE: 'the command is not executable',
  TFP_ERR_ENGINE_ENDED: 'the program was ended by a signal before it began',
  TFP_ERR_MODEL_FORMAT: 'the fingerprint file is damaged',
  TFP_ERR_MODEL_CHECKSUM: 'the fingerprint file was altered',
  TFP_ERR_MODEL_VERSION: 'the fingerprint file is of a newer format',
  TFP_ERR_MODEL_MAPPING: 'the fingerprint was made with another mapping',
  TFP_ERR_MODEL_SETTINGS: 'the fingerprint was made with other settings',
  TFP_ERR_MODEL_LEDGER: 'the ledger beside the fingerprint is missing or does not belong to it',
  TFP_ERR_MODEL_IDENTITY: 'the program is not the one that was learned',
  TFP_ERR_MODEL_LOCKED: 'the fingerprint is being written by another process',
  TFP_ERR_MODEL_UNFINISHED: 'learning is not finished, so the fingerprint is not signed',
  TFP_ERR_MODEL_SIGNATURE: 'the fingerprint is not signed as required',
  TFP_ERR_STORE_KEY: 'the key could not be used',
  TFP_ERR_STORE: 'the store could not be used',
  TFP_ERR_STORE_UNKNOWN: 'the session store holds no such session or alert',
  TFP_ERR_STORE_EVIDENCE: 'the evidence is damaged, or is none',
  TFP_ERR_ALERT_POLICY: 'the policy could not be used',
  TFP_ERR_MATCH_REPORT: 'the report could not be understood',
  TFP_ERR_SYSCALL_MAPPING: 'the mapping of names and numbers could not be used',
  TFP_ERR_SESSION: 'there is no such session, or it cannot do this now',
  TFP_ERR_SOURCE_CAPTURE: 'the capture is damaged, or is none',
  TFP_ERR_SOURCE_VERSION: 'the capture is of a newer format',
  TFP_ERR_SOURCE_FORMAT: 'the log is in no format that tracefp knows',
  TFP_ERR_SOURCE_LOG: 'nothing can be learned or checked from the log',
  TFP_ERR_DAEMON_CONFIG: 'the configuration of watch could not be used',
  TFP_ERR_BENCH: 'a measurement could not be made',
  TFP_ERR_FILE: 'a file could not be read or written',
} as const

export type ErrorCode = keyof typeof ERRORS

/** Trouble of the user or of the machine. `message` says what, why and what to try; `code` is stable. */
export class TracefpError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'TracefpError'
    this.code = code
  }
}

/** The engine or the kernel refused. `errno` is 0 where no system call failed (TFP_ERR_ENGINE_ENDED: the signal); `hint` says what to do. */
export class EngineError extends TracefpError {
  readonly errno: number
  readonly hint: string
  constructor(code: ErrorCode, message: string, errno: number, hint: string) {
    super(code, message)
    this.name = 'EngineError'
    this.errno = errno
    this.hint = hint
  }
}

/** A file could not be understood. `line` is 1-based; 0 = the whole file. */
export class FormatError extends TracefpError {
  readonly file: string
  readonly line: number
  constructor(code: ErrorCode, message: string, file: string, line: number) {
    super(code, line > 0 ? `${file}:${line}: ${message}` : `${file}: ${message}`)
    this.name = 'FormatError'
    this.file = file
    this.line = line
  }
}

/** The command line or an option was wrong. */
export class UsageError extends TracefpError {
  constructor(message: string) {
    super('TFP_ERR_USAGE', message)
    this.name = 'UsageError'
  }
}
