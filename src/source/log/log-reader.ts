// The seam of logs: a reader turns the bytes of a log into calls of a StreamHandler. Names are resolved through a mapping; a
// name that the mapping does not know becomes a symbol of its own, never "other". A line that was not understood is counted
// and kept, never skipped silently.

import type { StreamHandler } from '../../model/stream.ts'
import type { NamingMapping } from '../../syscall/naming.ts'

export type LogFormatName = 'strace' | 'nttrace' | 'numbers' | 'capture'

export interface UnparsedLine {
  /** From 1. */
  readonly line: number
  /** At most 200 bytes, as latin1, raw: print it only through printable(). */
  readonly text: string
}

export interface LogCounts {
  lineCount: number
  unparsedLineCount: number
  /** At most FIRST_UNPARSED_LIMIT of them. */
  readonly firstUnparsed: UnparsedLine[]
  /** Distinct names that the mapping does not know. */
  unknownNameCount: number
}

/** What a log itself says of its session: a capture says all of it, and its report is then that of the live run. */
export interface LoggedSession {
  /** ULID; learning the same session twice counts once. */
  readonly session: string
  readonly name: string
  readonly engine: string
  readonly host: string
  readonly machineId: string
  readonly bootId: string
  readonly kernel: string
  readonly uid: number
  readonly argv: readonly string[]
  /** RFC 3339. */
  readonly startedAt: string
  /** Null until the end was read; it stays null when the log was cut off. */
  readonly endedAt: string | null
  /** Who started the root: its parent, and the names above it, nearest first. */
  readonly rootPpid: number
  readonly rootAncestors: readonly string[]
}

/** Limits that every reader keeps: no line over 1 MiB in memory, no count lost, whatever the bytes are. */
export interface LogReader {
  /** The next bytes, cut anywhere. They may be overwritten after the call. */
  write(chunk: Uint8Array): void
  /** There are no more. */
  end(): void
  /** Bytes are missing here, nobody knows how many: all that was read is told. Left out: it is. */
  gap?(): void
  /** There may be more, but nobody reads them: all that was read is told. Left out: it is. */
  settle?(): void
  readonly counts: LogCounts
  /** Where the record being told stands: `line 12`, and the log's own time where it has one. Asked for misses only. */
  at(): string
  /** Known before the handler is called for the first time. Null or left out: the log says nothing of its session. */
  readonly session?: LoggedSession | null
}

export interface LogReaderOptions {
  readonly handler: StreamHandler
  readonly mapping: NamingMapping
  /** Of the log, for messages. */
  readonly name: string
  /**
   * Calls must be told in the order of their lines, whatever track they are of (tracks `log`). Else a reader may keep some back
   * until it knows what they mean; the order within a track is always kept.
   */
  readonly inOrder?: boolean
  /**
   * A log that holds many sessions (a trace per line) asks for the handler of each as it begins, the first one too; the session
   * before is over then. Left out: all of them are told to `handler`, as tracks of one session.
   */
  readonly nextSession?: (name: string) => StreamHandler
}

export interface LogFormat {
  readonly name: LogFormatName
  /** False: nothing in such a log says that a handler starts (`tellsSignals` of the walker). Left out: true. */
  readonly tellsSignals?: boolean
  /** How sure it is that this is its format, 0 to 1, from the first bytes (up to 64 KiB), and why in a few words. */
  recognise(head: Uint8Array): { readonly sureness: number; readonly reason: string }
  /** Whether calls stand in the order in which they were entered or in which they returned. */
  order(head: Uint8Array): 'entry' | 'return'
  /** Name of the mapping that the log itself was made with, such as `linux-x86_64`. Left out: it names none. */
  mappingName?(head: Uint8Array): string | undefined
  open(options: LogReaderOptions): LogReader
}

export const FIRST_UNPARSED_LIMIT = 5
const UNPARSED_TEXT_LIMIT = 200

export function newCounts(): LogCounts {
  return { lineCount: 0, unparsedLineCount: 0, firstUnparsed: [], unknownNameCount: 0 }
}

/** Counts a line that was not understood. `text` is latin1, of any length. */
export function countUnparsed(counts: LogCounts, line: number, text: string): void {
  counts.unparsedLineCount += 1
  if (counts.firstUnparsed.length >= FIRST_UNPARSED_LIMIT) return
  counts.firstUnparsed.push({ line, text: text.slice(0, UNPARSED_TEXT_LIMIT) })
}
