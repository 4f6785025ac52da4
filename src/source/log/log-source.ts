// Reads logs, whatever they are: opens the bytes, finds the format, and tells the sessions in them, one after the other, to whoever
// asked. Most logs are one session; a log of numbers may hold many, and the files of `strace -ff` are one together.

import { TracefpError } from '../../errors.ts'
import type { StreamHandler, StreamNote } from '../../model/stream.ts'
import type { NamingMapping } from '../../syscall/naming.ts'
import { followLogBytes } from './follow.ts'
import { type FoundFormat, findFormat, HEAD_BYTES } from './formats.ts'
import { LateHandler } from './late-handler.ts'
import { type LogBytes, openLogBytes } from './log-bytes.ts'
import { type LogCounts, type LogFormat, type LogFormatName, type LoggedSession, newCounts } from './log-reader.ts'

const LF = 10

export interface OpenLog {
  /** As given by the user; of a set that of its first file. */
  readonly name: string
  readonly format: LogFormat
  /** How the format was recognised. */
  readonly reason: string
  readonly order: 'entry' | 'return'
  /** The mapping that the log itself names. */
  readonly mappingName: string | undefined
  /** Reads it to its end. Once. */
  read(sink: LogSink): Promise<void>
}

/** One session of a log, for as long as it is being told. */
export interface LogSession {
  readonly name: string
  /** Where the record being told stands. */
  readonly at: () => string
  /** What the log says of it; null: nothing. */
  readonly logged: () => LoggedSession | null
}

export interface LogSink {
  readonly mapping: NamingMapping
  /** Calls are wanted in the order of their lines, as tracks `log` are. */
  readonly inOrder: boolean
  /** A session begins; the one before is over. */
  begin(session: LogSession): StreamHandler
  /** The session is over. `counts` are of its own lines; `cut`: why there is less of it than there should be. */
  end(counts: LogCounts, cut: string | null): void
  /** Bytes read of `size`, from time to time. */
  progress?(position: number, size: number | null): void
}

export interface LogOptions {
  readonly format: LogFormatName | 'auto'
  /** Aborting ends a log that is followed; left out: it is read to its end. */
  readonly follow?: AbortSignal
}

/** `path` may be `-`. @throws TracefpError TFP_ERR_FILE, TFP_ERR_SOURCE_FORMAT. */
export async function openLog(path: string, options: LogOptions): Promise<OpenLog> {
  const name = path === '-' ? 'stdin' : path
  const isFollowed = options.follow !== undefined && path !== '-'
  const bytes = isFollowed ? await followLogBytes(path, name, options.follow) : await openLogBytes(path, name)
  const { head, chunks, close } = await peek(bytes.chunks)
  let found: FoundFormat
  try {
    const cut = head.length === 0 ? bytes.cut() : null
    if (cut !== null) throw new TracefpError('TFP_ERR_FILE', `${name}: ${cut}: nothing could be unpacked`)
    found = findFormat(head, options.format, name)
  } catch (error) {
    await close()
    throw error
  }
  const { format, reason } = found
  return {
    name,
    format,
    reason,
    order: format.order(head),
    mappingName: format.mappingName?.(head),
    read: (sink) => readOne(name, format, bytes, chunks, sink),
  }
}

async function readOne(
  name: string,
  format: LogFormat,
  bytes: LogBytes,
  chunks: AsyncIterable<Uint8Array>,
  sink: LogSink,
): Promise<void> {
  const told = newCounts()
  let isTold = false
  let gapCount = 0
  let current: StreamHandler | null = null
  const begin = (sessionName: string): StreamHandler => {
    if (isTold) sink.end(takeCounts(reader.counts, told), null)
    isTold = true
    current = sink.begin({ name: sessionName, at: () => reader.at(), logged: () => reader.session ?? null })
    return current
  }
  const handler = new LateHandler(() => begin(name))
  const reader = format.open({ handler, mapping: sink.mapping, name, inOrder: sink.inOrder, nextSession: begin })
  const tellGaps = (): void => {
    if (bytes.gapCount() === gapCount) return
    gapCount = bytes.gapCount()
    reader.gap?.()
    const to = current ?? handler
    to.onGap(0, 0)
    to.onNote(EMPTIED)
  }
  try {
    for await (const chunk of chunks) {
      tellGaps()
      reader.write(chunk)
      sink.progress?.(bytes.position(), bytes.size)
    }
    tellGaps()
    reader.end()
  } catch (error) {
    // What was told until then stands, and the error says that there is more; what is refused was never a session.
    reader.settle?.()
    const isRefused = error instanceof TracefpError && error.code === 'TFP_ERR_SOURCE_LOG'
    if (isTold && !isRefused) sink.end(takeCounts(reader.counts, told), 'it could not be read to its end')
    throw error
  }
  if (!isTold) begin(name)
  sink.end(takeCounts(reader.counts, told), bytes.cut())
}

const EMPTIED: StreamNote = {
  code: 'log_emptied',
  message: 'the log was emptied in its place while it was followed: what was written just before may be lost',
  inconclusive: true,
}

/** What was counted since the last time. */
function takeCounts(all: LogCounts, told: LogCounts): LogCounts {
  const own = {
    lineCount: all.lineCount - told.lineCount,
    unparsedLineCount: all.unparsedLineCount - told.unparsedLineCount,
    firstUnparsed: all.firstUnparsed.slice(told.firstUnparsed.length),
    unknownNameCount: all.unknownNameCount - told.unknownNameCount,
  }
  told.lineCount = all.lineCount
  told.unparsedLineCount = all.unparsedLineCount
  told.firstUnparsed.push(...own.firstUnparsed)
  told.unknownNameCount = all.unknownNameCount
  return own
}

/** The first bytes, and all of them. One line is enough: of a pipe the rest may take its time. */
export async function peek(
  all: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; chunks: AsyncGenerator<Uint8Array>; close: () => Promise<void> }> {
  const iterator = all[Symbol.asyncIterator]()
  const first: Buffer[] = []
  let length = 0
  while (length < HEAD_BYTES) {
    const { done, value } = await iterator.next()
    if (done === true) break
    first.push(Buffer.from(value))
    length += value.length
    if (value.includes(LF)) break
  }
  const head = Buffer.concat(first)
  const close = async (): Promise<void> => {
    await iterator.return?.(undefined)
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head
      for (;;) {
        const { done, value } = await iterator.next()
        if (done === true) return
        yield value
      }
    } finally {
      await close()
    }
  }
  return { head: head.subarray(0, HEAD_BYTES), chunks: chunks(), close }
}
