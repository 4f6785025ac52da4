// Where the words of tracefp go: data to stdout, everything else to stderr, both written at once. The streams of Node are
// never used: opening one on a pipe sets O_NONBLOCK on the file description, which the traced program shares.

import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { TracefpError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { isTerminal } from './terminal.ts'

export interface Output {
  /** What the command was asked for; to stdout. @throws ClosedPipe when nobody reads any more. */
  data(text: string): void
  /** Errors, progress, news; to stderr. Never throws. */
  message(text: string): void
  /** Whether data may be coloured. */
  readonly hasColor: boolean
}

/** Whoever read stdout has enough: the command ends without a word. */
export class ClosedPipe extends Error {
  constructor() {
    super('stdout is closed')
    this.name = 'ClosedPipe'
  }
}

const MAX_LINE = 4000
const PAUSE_SECONDS = '0.01'

/** To stdout. @throws ClosedPipe when nobody reads any more; TracefpError TFP_ERR_FILE. */
export function writeStdout(text: string): void {
  try {
    writeAll(1, text)
  } catch (cause) {
    if (codeOf(cause) === 'EPIPE') throw new ClosedPipe()
    throw new TracefpError('TFP_ERR_FILE', `stdout: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

/** To stderr. Never throws. */
export function writeStderr(text: string): void {
  try {
    writeAll(2, text)
  } catch {
    // Without a stderr there is nobody to tell; the exit code still says how it ended.
  }
}

/** The real one. */
export const stdio: Output = {
  data: writeStdout,
  message: writeStderr,
  get hasColor(): boolean {
    const { NO_COLOR, TERM } = process.env
    if ((NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb') return false
    return isTerminal(1)
  },
}

export type Color = 'red' | 'green' | 'yellow'
const SGR: Readonly<Record<Color, string>> = { red: '31', green: '32', yellow: '33' }

export function colored(text: string, color: Color, output: Output): string {
  return output.hasColor ? `\u001b[${SGR[color]}m${text}\u001b[0m` : text
}

/** One line, whatever the text holds: it may name files and programs that somebody else named. */
export function oneLine(text: string): string {
  return printable(text.trim().replace(/\s*\n\s*/g, ' '), MAX_LINE)
}

/** JSON in ASCII: no name in it can steer a terminal. */
export function asJson(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, null, indent)
  return text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Writes all of it, also where somebody made the descriptor non-blocking. @throws the error of write(2). */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text)
  let target = fd
  try {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(target, bytes, at)
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') throw error
        if (target === fd) target = reopen(fd)
        if (target === fd) pause()
      }
    }
  } finally {
    if (target !== fd) closeSync(target)
  }
}

/** A file description of our own, which blocks: of pipes and terminals. Sockets have none, then it is `fd` again. */
function reopen(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NOCTTY)
  } catch {
    return fd
  }
}

function pause(): void {
  process.getBuiltinModule('node:child_process').spawnSync('sleep', [PAUSE_SECONDS])
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
