// What an ELF file asks the dynamic linker for: its interpreter, the libraries it names and where it wants them looked for. Hostile
// files give null, never an error; everything read is bounded.

import { readSync } from 'node:fs'

export interface ElfNeeds {
  /** 32 or 64 bit and machine: libraries of another one are passed over. */
  readonly abi: string
  /** The dynamic linker; null: the file is static, or a library. */
  readonly interpreter: string | null
  readonly needed: readonly string[]
  /** DT_RUNPATH, else DT_RPATH; `$ORIGIN` stands in it. */
  readonly runPath: readonly string[]
}

const HEADER_BYTES = 64
const MAX_PROGRAM_HEADERS = 128
const MAX_DYNAMIC_BYTES = 1 << 16
const MAX_TEXT_BYTES = 4096
const MAX_NEEDED = 512
const [PT_LOAD, PT_DYNAMIC, PT_INTERP] = [1, 2, 3]
const [DT_NEEDED, DT_STRTAB, DT_RPATH, DT_RUNPATH] = [1, 5, 15, 29]

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

/** Null: it is no ELF file of little-endian byte order, or a broken one. */
export function readElfNeeds(fd: number): ElfNeeds | null {
  try {
    return needsOf(fd)
  } catch {
    return null
  }
}

function needsOf(fd: number): ElfNeeds | null {
  const header = readAt(fd, 0, HEADER_BYTES)
  if (header.length < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46 || header[5] !== 1) return null
  const is64 = header[4] === 2
  const segments = segmentsOf(fd, header, is64)
  const interp = segments.find(({ type }) => type === PT_INTERP)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  const entries = dynamic === undefined ? [] : entriesOf(fd, dynamic, is64)
  const table = entries.find(([tag]) => tag === DT_STRTAB)?.[1]
  const at = table === undefined ? undefined : offsetOf(table, segments)
  const texts = (wanted: number): string[] =>
    at === undefined
      ? []
      : entries
          .filter(([tag]) => tag === wanted)
          .slice(0, MAX_NEEDED)
          .map(([, value]) => textAt(fd, at + value))
  const runPath = texts(DT_RUNPATH)
  return {
    abi: `${is64 ? 64 : 32}:${header.readUInt16LE(18)}`,
    interpreter: interp === undefined ? null : textAt(fd, interp.offset),
    needed: texts(DT_NEEDED).filter((name) => name !== ''),
    runPath: (runPath.length > 0 ? runPath : texts(DT_RPATH)).flatMap((text) => text.split(':')),
  }
}

function segmentsOf(fd: number, header: Buffer, is64: boolean): Segment[] {
  const tableAt = is64 ? Number(header.readBigUInt64LE(32)) : header.readUInt32LE(28)
  const entryBytes = header.readUInt16LE(is64 ? 54 : 42)
  const count = Math.min(header.readUInt16LE(is64 ? 56 : 44), MAX_PROGRAM_HEADERS)
  if (entryBytes < (is64 ? 56 : 32)) return []
  const table = readAt(fd, tableAt, entryBytes * count)
  const segments: Segment[] = []
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const word = (offset: number): number =>
      is64 ? Number(table.readBigUInt64LE(at + offset)) : table.readUInt32LE(at + offset)
    const type = table.readUInt32LE(at)
    segments.push(
      is64
        ? { type, offset: word(8), address: word(16), size: word(32) }
        : { type, offset: word(4), address: word(8), size: word(16) },
    )
  }
  return segments
}

function entriesOf(fd: number, { offset, size }: Segment, is64: boolean): [tag: number, value: number][] {
  const bytes = readAt(fd, offset, Math.min(size, MAX_DYNAMIC_BYTES))
  const entries: [number, number][] = []
  const step = is64 ? 16 : 8
  for (let at = 0; at + step <= bytes.length; at += step) {
    const tag = is64 ? Number(bytes.readBigInt64LE(at)) : bytes.readInt32LE(at)
    if (tag === 0) break
    entries.push([tag, is64 ? Number(bytes.readBigUInt64LE(at + 8)) : bytes.readUInt32LE(at + 4)])
  }
  return entries
}

/** Where in the file an address stands. */
function offsetOf(address: number, segments: readonly Segment[]): number | undefined {
  const segment = segments.find(
    (one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.size,
  )
  return segment === undefined ? undefined : address - segment.address + segment.offset
}

function textAt(fd: number, at: number): string {
  const bytes = readAt(fd, at, MAX_TEXT_BYTES)
  const end = bytes.indexOf(0)
  return end < 0 ? '' : bytes.toString('utf8', 0, end)
}

function readAt(fd: number, at: number, size: number): Buffer {
  if (!Number.isSafeInteger(at) || at < 0) return Buffer.alloc(0)
  const bytes = Buffer.alloc(size)
  return bytes.subarray(0, readSync(fd, bytes, 0, size, at))
}
