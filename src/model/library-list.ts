// `NAME.libraries` beside `NAME.tfp`: which files the dynamic linker mapped into each program while it was learned, and what was in
// them. Apart from the fingerprint, since they change with updates of the system and not with what a program does.

import { readFileSync } from 'node:fs'
import { frameText, LineReader, type TextKind, writeWord } from './canonical.ts'

/** Per program, by its key: the hashes that a path was seen with. */
export type LibraryList = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

const KIND: TextKind = { magic: 'tracefp-libraries', version: 1, noun: 'list of libraries' }
const SHA256 = /^[0-9a-f]{64}$/
/** Of one path; the list is for people who update their systems, not for ones who build them. */
export const MAX_HASHES = 64

export function libraryListPathOf(fingerprintPath: string): string {
  return `${fingerprintPath.replace(/\.tfp$/, '')}.libraries`
}

export function encodeLibraries(list: LibraryList): string {
  const lines: string[] = []
  for (const key of [...list.keys()].sort()) {
    lines.push(`program ${writeWord(key)}`)
    const libraries = list.get(key) as ReadonlyMap<string, readonly string[]>
    for (const path of [...libraries.keys()].sort()) {
      lines.push(`library ${writeWord(path)} ${[...(libraries.get(path) as readonly string[])].sort().join(' ')}`)
    }
  }
  return frameText(KIND, lines)
}

/** @throws FormatError TFP_ERR_MODEL_*. */
export function decodeLibraries(text: string, file: string): LibraryList {
  const reader = new LineReader(KIND, text, file)
  const list = new Map<string, Map<string, string[]>>()
  let before: string | undefined
  for (let rest = reader.take('program'); rest !== undefined; rest = reader.take('program')) {
    const key = reader.word(rest)
    reader.ascending(before, key)
    before = key
    const libraries = new Map<string, string[]>()
    let last: string | undefined
    for (let line = reader.take('library'); line !== undefined; line = reader.take('library')) {
      const [path = '', ...hashes] = reader.words(line)
      reader.ascending(last, path)
      last = path
      if (hashes.length === 0 || hashes.length > MAX_HASHES || !hashes.every((hash) => SHA256.test(hash)))
        reader.fail('expected "library PATH SHA256..."')
      libraries.set(path, hashes)
    }
    list.set(key, libraries)
  }
  reader.end()
  return list
}

/** Null: there is none. @throws FormatError TFP_ERR_MODEL_*. */
export function readLibraries(fingerprintPath: string): LibraryList | null {
  const file = libraryListPathOf(fingerprintPath)
  let text: string
  try {
    text = readFileSync(file, 'latin1')
  } catch {
    return null
  }
  return decodeLibraries(text, file)
}
