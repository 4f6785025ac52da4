// Writes the list of libraries beside a fingerprint. Apart from reading it, which every run does.

import { writeAtomic } from './files.ts'
import { encodeLibraries, type LibraryList, libraryListPathOf, MAX_HASHES, readLibraries } from './library-list.ts'
import { withLock } from './lock.ts'
import { OWN_MODE } from './ownership.ts'

/** Adds what was seen now to what was seen before. @throws FormatError, TracefpError TFP_ERR_MODEL_*, TFP_ERR_FILE. */
export async function addLibraries(
  fingerprintPath: string,
  seen: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Promise<void> {
  const file = libraryListPathOf(fingerprintPath)
  await withLock(`${file}.lock`, {}, async () => {
    const known: LibraryList = readLibraries(fingerprintPath) ?? new Map()
    const list = new Map(Array.from(known, ([key, libraries]) => [key, new Map(libraries)] as const))
    for (const [key, libraries] of seen) {
      const own = list.get(key) ?? new Map<string, readonly string[]>()
      for (const [path, hash] of libraries) {
        own.set(path, [...new Set([...(own.get(path) ?? []), hash])].slice(-MAX_HASHES))
      }
      list.set(key, own)
    }
    const text = encodeLibraries(list)
    if (known.size === 0 || text !== encodeLibraries(known)) await writeAtomic(file, text, OWN_MODE)
  })
}
