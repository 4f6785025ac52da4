// The files of `strace -ff`: one per thread, named FILE.TID, so no line says whose it is, and the order of lines of two threads
// is not known. It need not be: tracks are per thread. A child's file is read once its birth was told; an exec ends the
// other threads of its process, so their files are read to the end before it is told. Files that no other one gave birth to
// begin sessions of their own.
//
//   root.1 --clone = 3--> queue: 3      --exec of 1, 4 is its thread--> hold 1, read 4, go on with 1

import type { LogBytes } from './log-bytes.ts'
import type { LogReaderOptions } from './log-reader.ts'
import { countUnparsed, FIRST_UNPARSED_LIMIT, type LogCounts, newCounts } from './log-reader.ts'
import { StraceReader } from './strace-reader.ts'
import { finishSession, openStraceSession, type StraceSession } from './strace-session.ts'
import type { Process, Tracee } from './strace-tracee.ts'

/** One file of the set; `open` gives its bytes from the beginning, once. */
export interface SetFile {
  readonly tid: number
  readonly name: string
  open(): Promise<Pick<LogBytes, 'chunks' | 'cut'>>
  /** Its first call is an exec: it may be a root. */
  readonly beginsWithExec: boolean
}

export interface StraceSetOptions extends Omit<LogReaderOptions, 'handler' | 'nextSession'> {
  readonly files: readonly SetFile[]
  /** A session begins; `name` is that of its first file. */
  readonly begin: (name: string) => LogReaderOptions['handler']
  /** It is over. `cut`: why there is less of it than there should be; null: there is not. */
  readonly end: (counts: LogCounts, cut: string | null) => void
}

interface Cursor {
  readonly file: SetFile
  readonly reader: StraceReader
  chunks: AsyncIterator<Uint8Array> | null
  /** As of LogBytes, once it was opened. */
  cut: () => string | null
  /** What may be told once the threads of its process are read. */
  held: { readonly process: Process; readonly tell: () => void } | null
}

export class StraceSet {
  readonly #options: StraceSetOptions
  readonly #unread: Map<number, SetFile>
  #current: Cursor | null = null

  constructor(options: StraceSetOptions) {
    this.#options = options
    const files = [...options.files].sort((a, b) => a.tid - b.tid)
    this.#unread = new Map(files.map((file) => [file.tid, file]))
  }

  /** Reads all files. */
  async read(): Promise<void> {
    // Roots first: what is then left over is a child whose parent is missing, or a process that was attached to.
    for (const wantsExec of [true, false]) {
      for (const file of [...this.#unread.values()]) {
        if (file.beginsWithExec === wantsExec && this.#unread.has(file.tid)) await this.#readSession(file)
      }
    }
  }

  at(): string {
    return this.#current === null ? '' : `${this.#current.file.name} ${this.#current.reader.at()}`
  }

  async #readSession(root: SetFile): Promise<void> {
    const { begin, mapping } = this.#options
    const options: LogReaderOptions = { handler: begin(root.name), mapping, name: root.name }
    const cursors: Cursor[] = []
    const waiting: Tracee[] = []
    let cursor: Cursor | null = null
    const session: StraceSession = openStraceSession(
      options,
      {
        onBirth: (tracee) => waiting.push(tracee),
        hold: (process, tell) => {
          if (cursor !== null) cursor.held = { process, tell }
        },
      },
      () => {},
    )
    if (root.beginsWithExec) session.life.launch(root.tid)
    cursors.push(this.#open(root, options, session))
    const counts = newCounts()
    let cut: string | null = null
    while (cursors.length > 0 || waiting.length > 0) {
      // Newest first: what was asked for by a hold goes before what it was asked by.
      cursor = cursors.at(-1) ?? this.#nextChild(waiting, null, options, session, cursors)
      if (cursor === null) break
      this.#current = cursor
      if (cursor.held !== null) {
        const { process, tell } = cursor.held
        if (this.#nextChild(waiting, process, options, session, cursors) !== null) continue
        cursor.held = null
        tell()
      }
      try {
        if (await this.#advance(cursor)) continue
      } catch (error) {
        // What was told until then stands, and the error says that there is more.
        for (const { reader } of cursors) addCounts(counts, reader.counts)
        await Promise.all(cursors.map(({ chunks }) => chunks?.return?.()))
        this.#options.end(counts, 'it could not be read to its end')
        throw error
      }
      cursors.pop()
      addCounts(counts, cursor.reader.counts)
      const why = cursor.cut()
      if (why !== null) cut ??= `${cursor.file.name}: ${why}`
    }
    finishSession(session, options)
    counts.unknownNameCount = session.abi.unknownNames.size
    this.#options.end(counts, cut)
  }

  /** Reads until something is held. False: the file is over. */
  async #advance(cursor: Cursor): Promise<boolean> {
    const { reader } = cursor
    if (cursor.chunks === null) {
      const { chunks, cut } = await cursor.file.open()
      cursor.chunks = chunks[Symbol.asyncIterator]()
      cursor.cut = cut
    }
    for (;;) {
      reader.readOn(() => cursor.held !== null)
      if (cursor.held !== null) return true
      if (reader.splitter.isFinished) return false
      const { done, value } = await cursor.chunks.next()
      if (done === true) reader.splitter.finish()
      else reader.splitter.push(value)
    }
  }

  /** The next file of a tracee that was born; of one process, where it is given. Null: there is none. */
  #nextChild(
    waiting: Tracee[],
    process: Process | null,
    options: LogReaderOptions,
    session: StraceSession,
    cursors: Cursor[],
  ): Cursor | null {
    for (const [index, tracee] of waiting.entries()) {
      if (process !== null && tracee.process !== process) continue
      const file = this.#unread.get(tracee.tid)
      waiting.splice(index, 1)
      if (file === undefined) return this.#nextChild(waiting, process, options, session, cursors)
      const cursor = this.#open(file, options, session)
      cursors.push(cursor)
      return cursor
    }
    return null
  }

  #open(file: SetFile, options: LogReaderOptions, session: StraceSession): Cursor {
    this.#unread.delete(file.tid)
    return { file, reader: new StraceReader(options, session, file.tid), chunks: null, cut: () => null, held: null }
  }
}

function addCounts(sum: LogCounts, own: LogCounts): void {
  sum.lineCount += own.lineCount
  for (const { line, text } of own.firstUnparsed) countUnparsed(sum, line, text)
  sum.unparsedLineCount += own.unparsedLineCount - Math.min(own.firstUnparsed.length, FIRST_UNPARSED_LIMIT)
}
