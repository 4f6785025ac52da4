// Holds the libraries of a program that is to run against those that it was learned with: by path and content, and what the
// environment would put before them. Looked at once per program and session, while it waits at its exec.

import { closeSync, existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type LibraryList, readLibraries } from '../model/library-list.ts'
import { type Image, type LibraryChange, programKeyOf } from '../model/stream.ts'
import { hashOf, type ImageCache, withImageFile } from '../source/image-file.ts'
import { linkEnvironmentOf, systemPreloads } from '../source/link-environment.ts'
import { readProcess } from '../source/process.ts'

/** One file more than the environment may bring is looked at by its name only. */
const MAX_ADDED = 32
const MAX_ENVIRONMENT_BYTES = 1 << 20

export class LibraryWatch {
  readonly #cache: ImageCache
  readonly #files: string[]
  readonly #onTrouble: (message: string) => void
  readonly #lists = new Map<string, LibraryList | null>()

  /** `files`: of fingerprints. */
  constructor(files: readonly string[], cache: ImageCache, onTrouble: (message: string) => void) {
    this.#files = [...files]
    this.#onTrouble = onTrouble
    this.#cache = cache
  }

  /** A fingerprint of this file may be used too. */
  add(file: string): void {
    if (!this.#files.includes(file)) this.#files.push(file)
  }

  /** What is not as it was learned, of a process that waits. */
  look(image: Image, tid: number): LibraryChange[] {
    const key = programKeyOf(image)
    const learned = this.#learnedOf(key)
    if (learned === undefined || learned.size === 0) return []
    const { mounts, place, isAtHome } = readProcess(tid)
    if (place >= 0) closeSync(place)
    if (!isAtHome) return []
    const hash = (path: string): string | null => withImageFile(path, mounts, (file) => hashOf(file, this.#cache))
    const changes: LibraryChange[] = []
    for (const [path, hashes] of learned) {
      const sha256 = hash(path)
      if (sha256 === null || !hashes.includes(sha256)) changes.push({ program: key, path, sha256, learned: hashes })
    }
    for (const path of addedBy(tid, learned)) changes.push({ program: key, path, sha256: hash(path), learned: [] })
    return changes
  }

  /** A list that is damaged is told: the program runs already. */
  #read(file: string): LibraryList | null {
    try {
      return readLibraries(file)
    } catch (error) {
      this.#onTrouble((error as Error).message)
      return null
    }
  }

  #learnedOf(key: string): ReadonlyMap<string, readonly string[]> | undefined {
    for (const file of this.#files) {
      let list = this.#lists.get(file)
      if (list === undefined) {
        list = this.#read(file)
        this.#lists.set(file, list)
      }
      const own = list?.get(key)
      if (own !== undefined) return own
    }
    return undefined
  }
}

/** What is put before the libraries that were learned, and was not then. */
function addedBy(tid: number, learned: ReadonlyMap<string, readonly string[]>): string[] {
  const { preloads, paths } = linkEnvironmentOf(environmentOf(tid))
  const names = [...learned.keys()].map((path) => basename(path))
  const before = paths.flatMap((folder) => names.map((name) => join(folder, name))).filter((path) => existsSync(path))
  const added = [...systemPreloads(), ...preloads, ...before]
  // A name without a folder is one of those that were learned, or is not found by the linker either.
  return [...new Set(added)].filter((path) => path.startsWith('/') && !learned.has(path)).slice(0, MAX_ADDED)
}

function environmentOf(tid: number): string[] {
  try {
    const bytes = readFileSync(`/proc/${tid}/environ`)
    return bytes.subarray(0, MAX_ENVIRONMENT_BYTES).toString('utf8').split('\0')
  } catch {
    return []
  }
}
