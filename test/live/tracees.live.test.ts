// Every tracee of test/tracees, run under each live engine and compared with what its head comment promises; then what was
// seen is played again through the guarded engine.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { disagreements } from '../match/agreement.ts'
import { learn, type Step } from '../match/stream-script.ts'
import { compareRun } from './comparison.ts'
import type { StreamEvent } from './events.ts'
import { recordRun, whyNoEbpf } from './record.ts'
import { compileTracee, listTracees } from './tracees.ts'

const mapping = linuxMapping()
const whyNoBpf = await whyNoEbpf()
/** Records of one session that are played again: the longest make a million. */
const PLAYED = 50_000
/** io_uring and the end of a handler that never began are misses whatever was learned. */
const NEVER_RIGHT = /^(?:io_uring|sigreturn_|evade_by_sigreturn)/
const symbolOf = (abi: number, nr: number): string => mapping.symbolOf(abi, nr)

/**
 * Played again through the guarded engine, what was seen is no miss by what was learned of it; by less than that, the engine
 * and the matcher find the same misses, at every depth.
 */
async function expectAgreement(name: string, events: readonly StreamEvent[]): Promise<void> {
  const steps = events.slice(0, PLAYED).flatMap(stepOf)
  const without = steps.filter((_, at) => at < 2 || at % 7 !== 0)
  for (const depth of [2, 4]) {
    const same = await disagreements(steps, learn([steps], { depth }))
    expect(same.found).toEqual([])
    if (!NEVER_RIGHT.test(name)) expect(same.asked).toBe(0)
    expect((await disagreements(steps, learn([without], { depth }))).found).toEqual([])
  }
}

/** Notes say nothing of transitions; no engine drops records. */
function stepOf(event: StreamEvent): Step[] {
  switch (event.type) {
    case 'birth':
      return [(to) => to.onBirth(event.tid, event.parentTid, event.tgid, event.kind, event.image)]
    case 'exec':
      return [(to) => to.onExec(event.tid, event.formerTid, event.image)]
    case 'call':
      return [(to) => to.onCall(event.tid, event.abi, event.nr, event.isRestart)]
    case 'signal':
      return [(to) => to.onSignal(event.tid, event.signal)]
    case 'exit':
      return [(to) => to.onExit(event.tid, event.code, event.signal)]
    default:
      return []
  }
}

describe.each(['trace', 'notify', 'ebpf'] as const)('tracees under engine %s', (engine) => {
  for (const tracee of listTracees()) {
    const { sentence, timeoutMs } = tracee.expectation
    it(`${tracee.name}: ${sentence}`, { timeout: timeoutMs + 30_000 }, async ({ skip }) => {
      if (tracee.skipReason !== null) skip(tracee.skipReason)
      if (engine === 'ebpf' && whyNoBpf !== null) skip(whyNoBpf)
      if (engine === 'ebpf' && tracee.expectation.needsPtrace) skip('states what ptrace does')
      const program = compileTracee(tracee)
      const cwd = mkdtempSync(join(tmpdir(), 'tracefp-tracee-'))
      try {
        const run = await recordRun([program], { cwd, timeoutMs, engine })
        expect(compareRun(tracee.expectation, run, symbolOf)).toEqual([])
        // The records are the same: what is played again of two engines need not be of a third.
        if (engine !== 'ebpf') await expectAgreement(tracee.name, run.events)
      } finally {
        rmSync(cwd, { recursive: true, force: true })
      }
    })
  }
})
