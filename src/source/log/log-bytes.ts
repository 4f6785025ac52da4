// The bytes of a log: of a file or of stdin, unpacked where they are packed. What a file is says its content, not its name.
//
// zstd: node:zlib has it since Node 22.15; before that the program `zstd` is asked, which is on most machines that have such
// files. A library for it would be a dependency for one old Node.

import { spawn } from 'node:child_process'
import { close, fstatSync, open, read, readSync } from 'node:fs'
import { Readable } from 'node:stream'
import { TracefpError } from '../../errors.ts'

/** They stay in the second cache while they are read; smaller ones cost more calls. */
const CHUNK_BYTES = 1 << 19
/** Memory of this size begins 16 bytes behind a page; the kernel copies a quarter faster to where a line of the cache begins. */
const SKIPPED_BYTES = 48
/** What is left of a line at the end of a chunk begins the next one, if it is no longer: whole lines are read faster. */
const KEPT_BYTES = 4096
/** So many chunks of a regular file are read before others have their turn. */
const TURN_CHUNKS = 32
const LF = 10
const GZIP = [0x1f, 0x8b]
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd]

export interface LogBytes {
  /** Each chunk may be overwritten when the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Of the file itself; null: not known. */
  readonly size: number | null
  /** Bytes of the file read so far: packed ones where it is packed. */
  readonly position: () => number
  /** Why there is less than there should be: a packed file that was cut off. Null: there is not. */
  readonly cut: () => string | null
  /** How often bytes are missing before what comes next, nobody knows how many: a log that is followed was emptied in its place. */
  readonly gapCount: () => number
}

/** `path` may be `-`. @throws TracefpError TFP_ERR_FILE. */
export async function openLogBytes(path: string, name: string): Promise<LogBytes> {
  const progress = { position: 0, cut: null as string | null }
  const file = path === '-' ? null : await openFile(path, name)
  const size = file?.size ?? null
  const raw = file === null ? stdinChunks(progress) : fileChunks(file, name, progress)
  return {
    chunks: unpacked(raw, name, progress),
    size,
    position: () => progress.position,
    cut: () => progress.cut,
    gapCount: () => 0,
  }
}

interface OpenFile {
  readonly descriptor: number
  /** Null: it is no regular file. */
  readonly size: number | null
}

// Not by node:fs/promises, which takes longer to load than a small log to read.
async function openFile(path: string, name: string): Promise<OpenFile> {
  try {
    const descriptor = await ended<number>((end) => open(path, 'r', end))
    const facts = fstatSync(descriptor)
    if (!facts.isDirectory()) return { descriptor, size: facts.isFile() ? facts.size : null }
    await closed(descriptor)
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${name}: ${(cause as Error).message}`, { cause })
  }
  throw new TracefpError('TFP_ERR_FILE', `${name}: it is a folder: name the logs in it, as in '${name}/*'`)
}

function closed(descriptor: number): Promise<void> {
  return ended<void>((end) => close(descriptor, (error) => end(error, undefined)))
}

function ended<T>(begin: (end: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    begin((error, value) => (error === null ? resolve(value) : reject(error)))
  })
}

/** A regular file is read without asking a thread for each chunk, which costs more than the reading. */
async function* fileChunks(
  { descriptor, size }: OpenFile,
  name: string,
  progress: { position: number },
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(SKIPPED_BYTES + KEPT_BYTES + CHUNK_BYTES).subarray(SKIPPED_BYTES)
  const isRegular = size !== null
  let begin = KEPT_BYTES
  try {
    for (let turn = 1; ; turn += 1) {
      const length = isRegular
        ? readSync(descriptor, buffer, KEPT_BYTES, CHUNK_BYTES, null)
        : await ended<number>((end) => read(descriptor, buffer, KEPT_BYTES, CHUNK_BYTES, null, end))
      progress.position += length
      const end = KEPT_BYTES + length
      // What comes through a pipe may be told at once.
      const next = isRegular && length > 0 ? openLineStart(buffer, begin, end) : end
      if (next > begin) yield buffer.subarray(begin, next)
      if (length === 0) return
      begin = KEPT_BYTES - (end - next)
      buffer.copyWithin(begin, next, end)
      if (isRegular && turn % TURN_CHUNKS === 0) await new Promise(setImmediate)
    }
  } catch (cause) {
    if (cause instanceof TracefpError || !(cause instanceof Error) || !('syscall' in cause)) throw cause
    throw new TracefpError('TFP_ERR_FILE', `${name}: ${cause.message}`, { cause })
  } finally {
    await closed(descriptor)
  }
}

/** Where the line begins that has no end yet; `end`: it is longer than what can be kept. */
function openLineStart(buffer: Buffer, begin: number, end: number): number {
  const from = Math.max(begin, end - KEPT_BYTES)
  const found = buffer.subarray(from, end).lastIndexOf(LF)
  if (found >= 0) return from + found + 1
  return from === begin ? begin : end
}

async function* stdinChunks(progress: { position: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) {
    progress.position += (chunk as Buffer).length
    yield chunk as Buffer
  }
}

async function* unpacked(
  raw: AsyncGenerator<Uint8Array>,
  name: string,
  progress: { cut: string | null },
): AsyncGenerator<Uint8Array> {
  const first = await raw.next()
  if (first.done === true) return
  const head = first.value
  // The unpacker keeps what it is given, and the chunk is overwritten.
  async function* copies(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(head)
    for await (const chunk of raw) yield Buffer.from(chunk)
  }
  try {
    if (begins(head, GZIP)) {
      const { createGunzip } = await import('node:zlib')
      yield* through(createGunzip(), copies(), name, progress)
    } else if (begins(head, ZSTD)) {
      const own = ((await import('node:zlib')) as { createZstdDecompress?: () => NodeJS.ReadWriteStream })
        .createZstdDecompress
      if (own === undefined) yield* throughProgram(copies(), name, progress)
      else yield* through(own(), copies(), name, progress)
    } else {
      yield head
      yield* raw
    }
  } finally {
    await raw.return(undefined)
  }
}

function begins(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte)
}

/** What an unpacker says of a file that ends too early. */
const CUT_CODES: readonly unknown[] = ['Z_BUF_ERROR', 'ZSTD_error_srcSize_wrong']
const CUT_WORDS = /premature end|unexpected end|truncated|Read error \(39\)/i
const CUT = 'the packed file was cut off'

async function* through(
  unpacker: NodeJS.ReadWriteStream,
  packed: AsyncGenerator<Uint8Array>,
  name: string,
  progress: { cut: string | null },
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(packed)
  source.on('error', (error) => (unpacker as unknown as Readable).destroy(error))
  source.pipe(unpacker)
  try {
    for await (const chunk of unpacker) yield chunk as Buffer
  } catch (cause) {
    if (cause instanceof TracefpError) throw cause
    const { message, code } = cause as Error & { code?: unknown }
    if (!CUT_CODES.includes(code) && !CUT_WORDS.test(message)) throw cannotUnpack(name, message, cause)
    progress.cut = CUT
  } finally {
    source.destroy()
  }
}

async function* throughProgram(
  packed: AsyncGenerator<Uint8Array>,
  name: string,
  progress: { cut: string | null },
): AsyncGenerator<Uint8Array> {
  const program = spawn('zstd', ['-d', '-c', '-q'], { stdio: 'pipe' })
  let words = ''
  program.stderr.on('data', (chunk: Buffer) => {
    words = `${words}${chunk.toString('latin1')}`.slice(0, 1000)
  })
  let failure: unknown = null
  const ended = new Promise<number | null>((resolve) => {
    program.on('error', (error) => {
      failure = error
      resolve(null)
    })
    program.on('close', resolve)
  })
  const source = Readable.from(packed)
  source.on('error', (error) => {
    failure = error
    program.kill()
  })
  program.stdin.on('error', () => {}) // It has ended; why, its exit code says.
  source.pipe(program.stdin)
  try {
    for await (const chunk of program.stdout) yield chunk as Buffer
    const code = await ended
    if (failure instanceof TracefpError) throw failure
    if (failure !== null) {
      const hint = 'install the program zstd, or use Node 22.15 or newer'
      throw cannotUnpack(name, `${(failure as Error).message}: ${hint}`, failure)
    }
    if (code === 0) return
    if (!CUT_WORDS.test(words)) throw cannotUnpack(name, words.trim(), undefined)
    progress.cut = CUT
  } finally {
    source.destroy()
    program.kill()
  }
}

function cannotUnpack(name: string, why: string, cause: unknown): TracefpError {
  return new TracefpError('TFP_ERR_FILE', `${name}: it could not be unpacked: ${why}`, { cause })
}
