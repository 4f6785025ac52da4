// A folder for one test.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A name in a new folder that goes with the test; not made yet. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'home')
}
