// Streams of calls to match: made by a generator with a seed, so that each machine gets the same. A call is a code of a capture;
// what may follow what is learned from the first of them.

import { Recorder } from '../match/recorder.ts'
import { Walker } from '../match/walker.ts'
import { type Fingerprint, makeSettings } from '../model/fingerprint.ts'
import { RunObservation } from '../model/learner.ts'
import { Ledger } from '../model/ledger.ts'
import { NEVER_LEARNED } from '../model/never-learned.ts'
import type { Image, StreamHandler } from '../model/stream.ts'
import { newUlid } from '../model/ulid.ts'
import { OP } from '../source/capture/layout.ts'
import { ABI_CODES } from '../syscall/abi.ts'
import { linuxMapping, type Mapping } from '../syscall/mapping.ts'

export const MAPPING: Mapping = linuxMapping('x86_64')
export const ABI: number = ABI_CODES.x86_64
export const IMAGE: Image = { path: '/bench', sha256: null, buildId: null, script: null, argv0: null }
const LEARNED_COUNT = 2 ** 20
/** They are looked at twice, or not learned. */
const UNUSUAL = /^(?:exit|exit_group|rt_sigreturn|clock_gettime|gettimeofday|time|getcpu|sys_\d+)$/

export interface Mix {
  readonly name: string
  /** Bytes: OP.call + index of the call. */
  readonly codes: Uint8Array
  readonly learned: Uint8Array
  /** Numbers of the calls, by their index. */
  readonly numbers: readonly number[]
}

/**
 * As programs do: 40 phrases of 3 to 12 of 60 calls, and after each of them one of three. What may follow what depends on more than
 * the last call.
 */
export function markov(count: number): Mix {
  const random = randomFrom(1)
  const phrases = Array.from({ length: 40 }, () => Array.from({ length: 3 + random(10) }, () => random(60)))
  const next = phrases.map(() => Array.from({ length: 3 }, () => random(phrases.length)))
  let phrase = 0
  let at = 0
  return mixOf('Markov, 60 calls', 60, count, () => {
    const calls = phrases[phrase] as readonly number[]
    const call = calls[at] as number
    at += 1
    if (at === calls.length) {
      phrase = next[phrase]?.[random(3)] as number
      at = 0
    }
    return call
  })
}

/** Any call after any other. */
export function uniform(alphabet: number, count: number): Mix {
  const random = randomFrom(alphabet)
  return mixOf(`uniform, ${alphabet} calls`, alphabet, count, () => random(alphabet))
}

/** What one run teaches that makes the calls which are learned from. */
export function learnMix(mix: Mix, depth: number): Fingerprint {
  const settings = makeSettings(MAPPING, { depth })
  const info = { id: newUlid(), at: '2026-01-01T00:00:00Z', scenario: 'default', host: '', kernel: '', tool: 'bench' }
  const run = new RunObservation(settings, { ...info, command: ['bench'] })
  const walker = new Walker(new Recorder(run, MAPPING), { mapping: MAPPING, tracks: 'thread' })
  begin(walker)
  for (const code of mix.learned) walker.onCall(1, ABI, mix.numbers[code - OP.call] as number, false)
  walker.finish()
  const ledger = Ledger.empty(settings)
  ledger.addRun(run.finish())
  return ledger.fingerprint(MAPPING)
}

export function begin(handler: StreamHandler): void {
  handler.onBirth(1, 0, 1, 'exec')
  handler.onExec(1, 1, IMAGE)
}

function mixOf(name: string, alphabet: number, count: number, next: () => number): Mix {
  const codes = new Uint8Array(count)
  for (let i = 0; i < count; i += 1) codes[i] = OP.call + next()
  return {
    name,
    codes,
    learned: codes.subarray(0, Math.min(count / 4, LEARNED_COUNT)),
    numbers: usual(alphabet),
  }
}

function usual(count: number): number[] {
  const numbers: number[] = []
  for (let nr = 0; numbers.length < count; nr += 1) {
    const name = MAPPING.symbolOf(ABI, nr)
    if (!UNUSUAL.test(name) && !NEVER_LEARNED.includes(name)) numbers.push(nr)
  }
  return numbers
}

/** Integers below a limit: xorshift. */
function randomFrom(seed: number): (limit: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}
