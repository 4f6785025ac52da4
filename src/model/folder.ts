// Makes a folder with those above it, for its owner alone.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** One that is there stays as it is. Not `recursive`: below /proc that would try for ever (Node 20). @throws what mkdir(2) says. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error
    makeFolder(dirname(folder))
    mkdirSync(folder, { mode: 0o700 })
  }
}
