// Hashes of executables and libraries, kept between runs. It only saves time, so every trouble with it is answered by hashing again.
// A folder that others may write to is not trusted: a false hash there would hide a changed program.

import { lstatSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OWN_MODE, whyNotOwn } from '../model/ownership.ts'
import { readBounded } from './bounded-file.ts'

const MAX_ENTRIES = 512
const MAX_BYTES = 1 << 20
/** Smaller files are hashed sooner than they are looked up in a longer list. */
const MIN_BYTES = 1 << 14
const LINE = /^(\d+:\d+:(\d+):-?\d+:-?\d+) ([0-9a-f]{64})$/

export class ImageCache {
  readonly #file: string
  readonly #hashes = new Map<string, string>()
  #isLoaded = false
  #isChanged = false

  constructor(home: string) {
    this.#file = join(home, 'image-hashes')
  }

  /** `key` is device:inode:size:mtime:ctime. */
  get(key: string): string | undefined {
    if (!this.#hashes.has(key) && !this.#isLoaded && isWorthKeeping(key)) this.#load()
    const known = this.#hashes.get(key)
    if (known === undefined) return undefined
    // What was not asked for longest is forgotten first.
    this.#hashes.delete(key)
    this.#hashes.set(key, known)
    return known
  }

  set(key: string, sha256: string): void {
    this.#hashes.set(key, sha256)
    if (isWorthKeeping(key)) this.#isChanged = true
  }

  /** Writes what is new. */
  async save(): Promise<void> {
    if (!this.#isChanged) return
    if (!this.#isLoaded) this.#load()
    const kept = [...this.#hashes].filter(([key]) => isWorthKeeping(key)).slice(-MAX_ENTRIES)
    try {
      // What a link leads to is not ours to replace.
      if (lstatSync(this.#file, { throwIfNoEntry: false })?.isFile() === false) return
      const { writeAtomic } = await import('../model/files.ts')
      await writeAtomic(this.#file, kept.map(([key, sha256]) => `${key} ${sha256}\n`).join(''), OWN_MODE)
    } catch {
      // No home, no disk: the next run hashes again.
    }
  }

  #load(): void {
    this.#isLoaded = true
    try {
      const folder = statSync(dirname(this.#file))
      const file = readBounded(this.#file, MAX_BYTES, 'larger than 1 MiB')
      if ([folder, file].some((stats) => whyNotOwn(this.#file, stats) !== null)) return
      const fresh = new Map(this.#hashes)
      for (const line of file.text.split('\n')) {
        const match = LINE.exec(line)
        if (match !== null) this.#hashes.set(match[1] as string, match[3] as string)
      }
      for (const [key, sha256] of fresh) this.#hashes.set(key, sha256)
    } catch {
      // There is none yet.
    }
  }
}

function isWorthKeeping(key: string): boolean {
  return Number(key.split(':')[2]) >= MIN_BYTES
}
