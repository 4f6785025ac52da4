// Tells when the files of a folder change: looked at every second, since that costs nothing and misses nothing on any file system.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const LOOK_MS = 1_000

export class FolderWatch {
  readonly #folder: string
  readonly #onChange: () => void
  readonly #timer: NodeJS.Timeout
  #seen: string

  /** `onChange` may throw, while a file is half there: it is asked again at the next look. */
  constructor(folder: string, onChange: () => void, everyMs: number = LOOK_MS) {
    this.#folder = folder
    this.#onChange = onChange
    this.#seen = this.#state()
    this.#timer = setInterval(() => this.#look(), everyMs)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = this.#state()
    if (now === this.#seen) return
    try {
      this.#onChange()
      this.#seen = now
    } catch {
      // Whoever uses the file hears of it.
    }
  }

  #state(): string {
    try {
      return readdirSync(this.#folder)
        .filter((name) => name.endsWith('.tfp'))
        .map((name) => {
          const { mtimeMs, size, ino } = statSync(join(this.#folder, name))
          return `${name} ${mtimeMs} ${size} ${ino}`
        })
        .join('\n')
    } catch {
      return ''
    }
  }
}
