// Takes a file away, whether it is there or not. rmSync does too, but Node loads a module for it, and a run that was authentic
// does this at its end.

import { unlinkSync } from 'node:fs'

/** @throws the error of unlink(2), unless there is no such file. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
