// The native walk that judges calls before they run, against the walker and checker that judge them after: whatever the
// stream, whatever is decided, they find the same misses.
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DECISION, loadAddon } from '../../src/addon/addon.ts'
import type { CheckedProgram } from '../../src/match/checked-program.ts'
import { Checker } from '../../src/match/checker.ts'
import { Walker } from '../../src/match/walker.ts'
import type { Fingerprint } from '../../src/model/fingerprint.ts'
import type { BirthKind, Image, StreamHandler } from '../../src/model/stream.ts'
import { BIRTH_KIND, RECORD_ASKED, RECORD_KIND, RECORD_RESTART, RING_STATE } from '../../src/ring/layout.gen.ts'
import { RingReader } from '../../src/ring/reader.ts'
import { call, image, learn, MAPPING, type Step } from './stream-script.ts'

const NAMES = ['read', 'write', 'openat', 'getpid', 'exit', 'i386:read', 'x32:write', 'sys_5000', 'sys_-1', 'sys_600']
const PROGRAMS = ['/bin/a', '/bin/b', '/bin/unknown']
const SIGNALS = [10, 14, 64]

interface Op {
  readonly verb: 'call' | 'restart' | 'signal' | 'sigreturn' | 'fork' | 'thread' | 'orphan' | 'exec' | 'exit'
  readonly who: number
  readonly what: number
}

const someOps = fc.array(
  fc.record({
    verb: fc.constantFrom<Op['verb']>(
      ...Array<'call'>(12).fill('call'),
      ...Array<'signal'>(3).fill('signal'),
      ...Array<'sigreturn'>(3).fill('sigreturn'),
      'restart',
      'fork',
      'thread',
      'orphan',
      'exec',
      'exit',
    ),
    who: fc.nat(20),
    what: fc.nat(1000),
  }),
  { maxLength: 80 },
)

/** A stream as an engine makes it: only those that were born and live do something. */
function streamOf(ops: readonly Op[]): Step[] {
  const alive = new Map<number, number>([[1, 1]])
  let born = 1
  const steps: Step[] = [(to) => to.onBirth(1, 0, 1, 'exec'), (to) => to.onExec(1, 1, image('/bin/a'))]
  for (const { verb, who, what } of ops) {
    const tids = [...alive.keys()]
    const tid = tids[who % tids.length]
    if (tid === undefined) break
    const tgid = alive.get(tid) as number
    const name = NAMES[what % NAMES.length] as string
    if (verb === 'call') steps.push(call(tid, name))
    if (verb === 'restart') steps.push(call(tid, `~${name}`))
    if (verb === 'signal') steps.push((to) => to.onSignal(tid, SIGNALS[what % SIGNALS.length] as number))
    if (verb === 'sigreturn') steps.push(call(tid, 'rt_sigreturn'))
    if (verb === 'fork' || verb === 'thread') {
      born += 1
      const child = born
      const childTgid = verb === 'thread' ? tgid : child
      alive.set(child, childTgid)
      steps.push((to) => to.onBirth(child, tid, childTgid, verb))
    }
    if (verb === 'orphan') {
      born += 1
      const orphan = born
      alive.set(orphan, orphan)
      steps.push((to) => to.onBirth(orphan, 0, orphan, 'fork', image(PROGRAMS[what % PROGRAMS.length] as string)))
    }
    if (verb === 'exec') {
      for (const [other, group] of alive) if (group === tgid) alive.delete(other)
      alive.set(tgid, tgid)
      steps.push((to) => to.onExec(tgid, tid, image(PROGRAMS[what % PROGRAMS.length] as string)))
    }
    if (verb === 'exit') {
      alive.delete(tid)
      steps.push((to) => to.onExit(tid, 0, what % 2 === 0 ? 0 : 9))
    }
  }
  return steps
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
async function disagreements(steps: readonly Step[], fingerprint: Fingerprint, denials: readonly boolean[]) {
  const { words, images } = scriptOf(steps)
  const checker = new Checker({ fingerprints: [fingerprint], mapping: MAPPING })
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

test('before and after the call the same misses are found, whatever is decided about them', async () => {
  let asked = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(someOps, { minLength: 1, maxLength: 3 }),
      someOps,
      fc.constantFrom(2, 2, 3, 5),
      fc.array(fc.boolean(), { minLength: 1 }),
      async (learned, ops, depth, denials) => {
        const fingerprint = learn(learned.map(streamOf), { depth, transparent: ['getpid', 'rt_sigreturn'] })
        const result = await disagreements(streamOf(ops), fingerprint, denials)
        asked += result.asked
        expect(result.found).toEqual([])
      },
    ),
    { numRuns: 300 },
  )
  expect(asked).toBeGreaterThan(500)
})

test('a stream that was learned is not asked about', async () => {
  await fc.assert(
    fc.asyncProperty(someOps, fc.constantFrom(2, 3, 5), async (ops, depth) => {
      const steps = streamOf(ops.filter(({ verb }) => verb !== 'sigreturn' && verb !== 'exec'))
      expect(await disagreements(steps, learn([steps], { depth }), [false])).toEqual({ found: [], asked: 0 })
    }),
    { numRuns: 50 },
  )
})
