// Every tracee of test/tracees, run under each live engine and compared with what its head comment promises.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { compareRun } from './comparison.ts'
import { recordRun } from './record.ts'
import { compileTracee, listTracees } from './tracees.ts'

const mapping = linuxMapping()
const symbolOf = (abi: number, nr: number): string => mapping.symbolOf(abi, nr)

describe.each(['trace', 'notify'] as const)('tracees under engine %s', (engine) => {
  for (const tracee of listTracees()) {
    const { sentence, timeoutMs } = tracee.expectation
    it(`${tracee.name}: ${sentence}`, { timeout: timeoutMs + 30_000 }, async ({ skip }) => {
      if (tracee.skipReason !== null) skip(tracee.skipReason)
      const program = compileTracee(tracee)
      const cwd = mkdtempSync(join(tmpdir(), 'tracefp-tracee-'))
      try {
        const run = await recordRun([program], { cwd, timeoutMs, engine })
        expect(compareRun(tracee.expectation, run, symbolOf)).toEqual([])
      } finally {
        rmSync(cwd, { recursive: true, force: true })
      }
    })
  }
})
