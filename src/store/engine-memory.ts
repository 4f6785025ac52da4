// Programs that cannot run under engine notify, since they need a seccomp listener of their own and a task can have one
// only: the next `auto` takes trace for them. It only saves a run, so every trouble with it is none.

import { appendFileSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { LaunchOptions } from '../addon/addon.ts'
import { makeFolder } from '../model/folder.ts'

const FILE = 'needs-trace'

export interface EngineMemory {
  /** `auto` is to take trace. */
  readonly needsTrace: boolean
  /** The program asked for a listener and was refused. */
  readonly onListener: () => void
}

/** What is remembered of the program that is launched. */
export function engineMemory(home: string, { path, cwd }: LaunchOptions): EngineMemory {
  const line = `${JSON.stringify(resolve(cwd === '' ? '.' : cwd, path))}\n`
  const needsTrace = readOr(join(home, FILE)).includes(line)
  const onListener = (): void => {
    try {
      makeFolder(home)
      appendFileSync(join(home, FILE), line, { mode: 0o600 })
    } catch {
      // No home: it is found out again each time.
    }
  }
  return { needsTrace, onListener: needsTrace ? () => {} : onListener }
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
