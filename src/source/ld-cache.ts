// /etc/ld.so.cache: where the dynamic linker of glibc finds libraries by their names (format 1.1, glibc 2.2 and newer).

import { readFileSync } from 'node:fs'

const MAGIC = 'glibc-ld.so.cache1.1'
const HEADER_BYTES = 48
const ENTRY_BYTES = 24
const MAX_ENTRIES = 100_000

/** Paths by name, in the order of the cache. Empty: there is none, or it is another format. */
export function readLdCache(file = '/etc/ld.so.cache'): Map<string, string[]> {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    return new Map()
  }
  // An older format may stand before it.
  const start = bytes.indexOf(MAGIC, 0, 'latin1')
  if (start < 0 || bytes.length < start + HEADER_BYTES) return new Map()
  const count = Math.min(bytes.readUInt32LE(start + 20), MAX_ENTRIES)
  const paths = new Map<string, string[]>()
  for (let entry = 0; entry < count; entry += 1) {
    const at = start + HEADER_BYTES + entry * ENTRY_BYTES
    if (at + ENTRY_BYTES > bytes.length) break
    const name = textAt(bytes, start + bytes.readUInt32LE(at + 4))
    const path = textAt(bytes, start + bytes.readUInt32LE(at + 8))
    const known = paths.get(name)
    if (known === undefined) paths.set(name, [path])
    else known.push(path)
  }
  return paths
}

function textAt(bytes: Buffer, at: number): string {
  const end = at < bytes.length ? bytes.indexOf(0, at) : -1
  return end < 0 ? '' : bytes.toString('utf8', at, end)
}
