// What the tests of guard mode share: tracees learned, and then run with something that they never did.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CheckSessionOptions, check, learn, type Miss, type Settings } from '../../src/index.ts'
import { compileTracee, listTracees } from './tracees.ts'

export const ENGINES = ['notify', 'trace'] as const

/** A folder of its own for one test file, with a home for tracefp and an empty working directory. */
export class Place {
  readonly folder: string
  readonly home: string
  readonly work: string
  readonly #learned = new Map<string, Promise<string>>()

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`))
    this.home = join(this.folder, 'home')
    this.work = join(this.folder, 'work')
    this.renew()
  }

  /** Empties the working directory. */
  renew(): void {
    rmSync(this.work, { recursive: true, force: true })
    mkdirSync(this.work)
  }

  /** A fingerprint of what these commands do, each run three times. */
  learned(commands: readonly (readonly string[])[], settings: Partial<Settings> = {}): Promise<string> {
    const key = JSON.stringify([commands, settings])
    const known = this.#learned.get(key)
    if (known !== undefined) return known
    const file = join(this.folder, `${this.#learned.size}.tfp`)
    const learning = this.#learn(file, commands, settings)
    this.#learned.set(key, learning)
    return learning
  }

  async #learn(file: string, commands: readonly (readonly string[])[], settings: Partial<Settings>): Promise<string> {
    for (const command of commands) {
      for (let i = 0; i < 3; i++) {
        await learn(command, { file, home: this.home, cwd: this.work, stdio: 'ignore', settings })
      }
    }
    return file
  }

  /** Checks `command` against `fingerprint`, in the working directory. */
  check(command: readonly string[], options: CheckSessionOptions): ReturnType<typeof check> {
    return check(command, { home: this.home, cwd: this.work, stdio: 'ignore', ...options })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The path of a compiled tracee of test/tracees. */
export function tracee(name: string): string {
  const found = listTracees().find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no tracee ${name}`)
  return compileTracee(found)
}

/** What of a miss does not differ between two runs that do the same. */
export function essence({ kind, image, index, context, from, to, expected, path, severity }: Miss): unknown {
  return { kind, image, index, context, from, to, expected, path, severity }
}

/** Processes whose command line holds `mark`. */
export function alive(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(mark)
    } catch {
      return false
    }
  })
}

/** Waits for a fact. */
export async function until(what: () => boolean, describe = 'what is waited for'): Promise<void> {
  for (let i = 0; i < 750 && !what(); i++) await sleep(20)
  if (!what()) throw new Error(`${describe} does not come`)
}
