// Runs, ledgers and files for the tests of this room.
import { sha256OfText } from '../../src/model/canonical.ts'
import { makeSettings, type Settings, UNSEEN_CALLS } from '../../src/model/fingerprint.ts'
import { type RunDelta, type RunInfo, RunObservation } from '../../src/model/learner.ts'
import { Ledger } from '../../src/model/ledger.ts'
import type { Image } from '../../src/model/stream.ts'
import { linuxMapping, type Mapping } from '../../src/syscall/mapping.ts'

export const mapping: Mapping = linuxMapping('x86_64')
/** The paper's depth, which is easiest to read. */
export const settings: Settings = makeSettings(mapping, { depth: 2 })

export function image(path: string, sha256: string | null = null): Image {
  return { path, sha256, buildId: null, script: null, argv0: null }
}

export function runInfo(id: string): RunInfo {
  return {
    id,
    at: '2026-01-02T03:04:05Z',
    scenario: 'usual',
    host: 'h',
    kernel: '6.1',
    tool: 'test 1',
    command: ['ls', '-l'],
  }
}

export interface RunOptions {
  readonly settings?: Settings
  readonly image?: Image
  readonly execs?: readonly string[]
  readonly info?: RunInfo
}

/** A run in which one program did these sequences, one track each: 'openat read close'. */
export function runOf(id: string, tracks: readonly string[], options: RunOptions = {}): RunDelta {
  const observation = new RunObservation(options.settings ?? settings, options.info ?? runInfo(id), {
    neverLearned: UNSEEN_CALLS,
  })
  const program = observation.enterProgram(options.image ?? image('/bin/ls'), true)
  for (const track of tracks) {
    const symbols = track.split(' ').map((text) => program.symbol(text))
    for (let i = 1; i < symbols.length; i += 1) program.observe(symbols.slice(0, i), symbols[i]!)
  }
  for (const key of options.execs ?? []) program.observeExec(key)
  return observation.finish()
}

export function ledgerOf(...runs: readonly RunDelta[]): Ledger {
  const ledger = Ledger.empty(runs[0]?.settings ?? settings)
  for (const run of runs) ledger.addRun(run)
  return ledger
}

/** The file with other body lines and the checksum that they need. */
export function resealed(text: string, change: (body: string) => string): string {
  const [first = '', , ...rest] = text.split('\n')
  const body = change(rest.join('\n'))
  return `${first}\nchecksum sha256:${sha256OfText(body)}\n${body}`
}
