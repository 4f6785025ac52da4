// The GNU build-id of an ELF file. Hostile files give null, never an error.

import { readSync } from 'node:fs'

const HEADER_BYTES = 64
const MAX_PROGRAM_HEADERS = 128
const MAX_NOTE_BYTES = 65_536
const PT_NOTE = 4
const NT_GNU_BUILD_ID = 3

/** Lower-case hex, null when there is none. */
export function readBuildId(fd: number): string | null {
  const header = readAt(fd, 0, HEADER_BYTES)
  if (header === null || !isElf(header) || header[5] !== 1) return null
  const is64 = header[4] === 2
  const tableAt = is64 ? Number(header.readBigUInt64LE(32)) : header.readUInt32LE(28)
  const entryBytes = header.readUInt16LE(is64 ? 54 : 42)
  const count = Math.min(header.readUInt16LE(is64 ? 56 : 44), MAX_PROGRAM_HEADERS)
  if (entryBytes < (is64 ? 56 : 32)) return null
  const table = readAt(fd, tableAt, entryBytes * count)
  if (table === null) return null
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    if (table.readUInt32LE(at) !== PT_NOTE) continue
    const offset = is64 ? Number(table.readBigUInt64LE(at + 8)) : table.readUInt32LE(at + 4)
    const size = is64 ? Number(table.readBigUInt64LE(at + 32)) : table.readUInt32LE(at + 16)
    const notes = readAt(fd, offset, Math.min(size, MAX_NOTE_BYTES))
    const id = notes === null ? null : buildIdIn(notes)
    if (id !== null) return id
  }
  return null
}

function buildIdIn(notes: Buffer): string | null {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameBytes = notes.readUInt32LE(at)
    const descBytes = notes.readUInt32LE(at + 4)
    const descAt = at + 12 + align(nameBytes)
    if (notes.readUInt32LE(at + 8) === NT_GNU_BUILD_ID && notes.toString('latin1', at + 12, at + 15) === 'GNU') {
      const id = notes.subarray(descAt, descAt + descBytes)
      return id.length === descBytes && descBytes > 0 && descBytes <= 64 ? id.toString('hex') : null
    }
    at = descAt + align(descBytes)
  }
  return null
}

function align(bytes: number): number {
  return Math.ceil(bytes / 4) * 4
}

function isElf(header: Buffer): boolean {
  return header.readUInt32BE(0) === 0x7f454c46
}

function readAt(fd: number, at: number, size: number): Buffer | null {
  if (!Number.isSafeInteger(at)) return null
  const bytes = Buffer.alloc(size)
  try {
    const count = readSync(fd, bytes, 0, size, at)
    return at === 0 && count < size ? null : bytes.subarray(0, count)
  } catch {
    return null
  }
}
