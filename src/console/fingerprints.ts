// The fingerprints that the console shows: those of the fingerprint store, found by their hash.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TracefpError } from '../errors.ts'
import { diffFingerprints } from '../model/diff.ts'
import type { Fingerprint } from '../model/fingerprint.ts'
import { decodeSigned, type SignatureBlock } from '../model/signature.ts'
import { VERSION } from '../package.ts'
import { diffText } from '../review/diff-text.ts'
import { pageData } from '../review/html.ts'
import type { PageData } from '../review/page/data.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { fingerprintFolder } from '../store/fingerprint-store.ts'

export interface ListedFingerprint {
  readonly file: string
  readonly sha256: string
  readonly roots: readonly string[]
  readonly runCount: number
}

interface Known {
  /** Size and time: the file is read again when they change. */
  readonly stamp: string
  readonly fingerprint: Fingerprint
  readonly block: SignatureBlock | null
}

/** Files that are looked at. */
const MAX_FILES = 500

export class Fingerprints {
  readonly #folder: string
  readonly #known = new Map<string, Known>()

  constructor(home: string) {
    this.#folder = fingerprintFolder(home)
  }

  /** Those that can be read; damaged ones are left out, as `run` does. */
  list(): ListedFingerprint[] {
    this.#look()
    return [...this.#known].map(([file, { fingerprint }]) => ({
      file,
      sha256: fingerprint.sha256,
      roots: fingerprint.roots,
      runCount: fingerprint.runCount,
    }))
  }

  /** Undefined: it is not in the store, or not any more. */
  page(sha256: string): PageData | undefined {
    const found = this.#find(sha256)
    return found && pageData(found[1].fingerprint, { file: found[0], block: found[1].block, version: VERSION })
  }

  /** @throws TracefpError TFP_ERR_MODEL_*: they cannot be compared. */
  diff(old: string, now: string): string | undefined {
    const [a, b] = [this.#find(old), this.#find(now)]
    if (a === undefined || b === undefined) return undefined
    return diffText(diffFingerprints(a[1].fingerprint, b[1].fingerprint), { isWhole: false })
  }

  #find(sha256: string): [string, Known] | undefined {
    this.#look()
    return [...this.#known].find(([, { fingerprint }]) => fingerprint.sha256 === sha256)
  }

  #look(): void {
    let names: string[]
    try {
      names = readdirSync(this.#folder).filter((name) => name.endsWith('.tfp'))
    } catch {
      names = []
    }
    const left = new Set(names.sort().slice(0, MAX_FILES))
    for (const name of this.#known.keys()) if (!left.has(name)) this.#known.delete(name)
    for (const name of left) {
      const file = join(this.#folder, name)
      try {
        const { size, mtimeMs } = statSync(file)
        const stamp = `${size} ${mtimeMs}`
        if (this.#known.get(name)?.stamp === stamp) continue
        const { fingerprint, block } = decodeSigned(readFingerprintText(file), file)
        this.#known.set(name, { stamp, fingerprint, block })
      } catch (error) {
        if (!(error instanceof TracefpError) && !(error instanceof Error && 'code' in error)) throw error
        this.#known.delete(name)
      }
    }
  }
}
