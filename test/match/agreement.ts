// Plays a stream through the guarded engine, record by record, beside the walker and the checker: do the native walk, which
// judges a call before it runs, and the matcher, which judges it after, see the same misses?
import { setImmediate as turn } from 'node:timers/promises'
import { DECISION, loadAddon } from '../../src/addon/addon.ts'
import type { CheckedProgram } from '../../src/match/checked-program.ts'
import { Checker } from '../../src/match/checker.ts'
import { Walker } from '../../src/match/walker.ts'
import type { Fingerprint } from '../../src/model/fingerprint.ts'
import type { BirthKind, Image, StreamHandler } from '../../src/model/stream.ts'
import { BIRTH_KIND, RECORD_ASKED, RECORD_KIND, RECORD_RESTART, RING_STATE } from '../../src/ring/layout.gen.ts'
import { RingReader } from '../../src/ring/reader.ts'
import { MAPPING, type Step } from './stream-script.ts'

export interface Agreement {
  /** Where one of the two saw a miss and the other did not. */
  readonly found: readonly string[]
  /** Misses that both saw. */
  readonly asked: number
}

/** The records an engine would have pushed, four words each, and the images of its execs. */
function scriptOf(steps: readonly Step[]): { words: Uint32Array; images: Image[] } {
  const words: number[] = []
  const images: Image[] = []
  const push = (tid: number, value: number, kind: number, flags = 0, extra = 0, abi = 0): void => {
    words.push(tid, value >>> 0, kind | (abi << 8) | (flags << 16), extra)
  }
  const encoder: StreamHandler = {
    onBirth: (tid, parent, tgid, kind, what) => {
      if (what !== undefined) images.push(what)
      push(tid, parent, RECORD_KIND.birth, BIRTH_KIND[what === undefined ? kind : 'orphan'], tgid)
    },
    onExec: (tid, former, what) => {
      images.push(what)
      push(tid, former, RECORD_KIND.exec)
    },
    onCall: (tid, abi, nr, isRestart) => push(tid, nr, RECORD_KIND.call, isRestart ? RECORD_RESTART : 0, 0, abi),
    onSignal: (tid, signal) => push(tid, signal, RECORD_KIND.signal),
    onExit: (tid, code, signal) => push(tid, code, RECORD_KIND.exit, signal),
    onRefused: () => {},
    onGap: () => {},
    onNote: () => {},
  }
  for (const step of steps) step(encoder)
  return { words: Uint32Array.from(words), images }
}

const BIRTHS = new Map(Object.entries(BIRTH_KIND).map(([name, code]) => [code as number, name as BirthKind]))

/** Plays the stream through the guarded engine. The places where one of the two saw a miss and the other did not. */
export async function disagreements(
  steps: readonly Step[],
  fingerprint: Fingerprint,
  denials: readonly boolean[] = [false],
  depth: number = fingerprint.settings.depth,
): Promise<Agreement> {
  const { words, images } = scriptOf(steps)
  const checker = new Checker({ fingerprints: [fingerprint], mapping: MAPPING, depth })
  const walker = new Walker<CheckedProgram>(checker, { mapping: MAPPING, tracks: 'thread' })
  const ring = new RingReader(64)
  const { NativeSession } = loadAddon()
  const session = new NativeSession({
    engine: 'scripted',
    ring: ring.words,
    script: words,
    onDoorbell: () => {},
    isGuarded: true,
  })
  const found: string[] = []
  let questions = 0
  let asked = 0
  const visit = (tid: number, value: number, packed: number, extra: number): void => {
    const [kind, flags] = [packed & 0xff, packed >>> 16]
    const answerImage = (): void => {
      const table = walker.programOf(tid)?.known?.table.buffer
      session.answer(++questions, DECISION.allow, table === undefined ? null : new Uint8Array(table))
    }
    if (kind === RECORD_KIND.birth && flags === BIRTH_KIND.orphan) {
      walker.onBirth(tid, 0, extra, 'fork', images.shift() as Image)
      answerImage()
    } else if (kind === RECORD_KIND.birth) walker.onBirth(tid, value, extra, BIRTHS.get(flags) as BirthKind)
    if (kind === RECORD_KIND.signal) walker.onSignal(tid, value)
    if (kind === RECORD_KIND.exit) walker.onExit(tid, value, flags)
    if (kind === RECORD_KIND.exec) {
      walker.onExec(tid, value, images.shift() as Image)
      answerImage()
    }
    if (kind !== RECORD_KIND.call) return
    const before = checker.missCount
    walker.onCall(tid, (packed >>> 8) & 0xff, value | 0, (flags & RECORD_RESTART) !== 0)
    const isMiss = checker.missCount > before
    const isAsked = (flags & RECORD_ASKED) !== 0
    if (isMiss !== isAsked) found.push(`tid ${tid}, call ${value | 0}: engine ${isAsked}, matcher ${isMiss}`)
    if (!isAsked) return
    const isDenied = (denials[asked++ % denials.length] ?? false) && (value | 0) !== 15
    if (isDenied) walker.onRefused(tid)
    session.answer(++questions, isDenied ? DECISION.deny : DECISION.allow, null)
  }
  while (ring.drain(visit, 1000) > 0 || ring.state !== RING_STATE.ended) await turn()
  ring.drain(visit, 1000)
  session.finish()
  return { found, asked }
}
