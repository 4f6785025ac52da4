// Calls that are told many at once are judged as if each had been told.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CheckedProgram } from '../../src/match/checked-program.ts'
import { Checker } from '../../src/match/checker.ts'
import { buildReport } from '../../src/match/report.ts'
import { Walker } from '../../src/match/walker.ts'
import type { Fingerprint } from '../../src/model/fingerprint.ts'
import { type StreamHandler, tellCalls } from '../../src/model/stream.ts'
import { tee } from '../../src/source/tee.ts'
import { call, FACTS, learn, MAPPING, type Step, steps } from './stream-script.ts'

const NAMES = ['read', 'write', 'openat', 'close', 'brk', 'futex', 'i386:read', 'sys_5000', 'sys_-1']
const LEARNED = ['read', 'write', 'openat', 'close', 'brk', 'futex', 'i386:read', 'sys_5000']
const symbol = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('read', 'write', 'brk') }, fc.constantFrom(...NAMES))
const oddity = fc.constantFrom('~read', 'rt_sigreturn', 'io_uring_setup', 'exit_group', 'exit_group')
const step = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constantFrom(1, 1, 1, 2), symbol).map(([tid, name]) => call(tid, name)) },
  fc.tuple(fc.constantFrom(1, 2), oddity).map(([tid, name]) => call(tid, name)),
  fc.constant<Step>((handler) => handler.onRefused(1)),
  fc.constantFrom('1 signal 14', '1 gap 3', '0 gap 0').map((line) => steps(line)[0] as Step),
)
const someSteps = fc.array(step, { maxLength: 80 })
const someRuns = fc.array(fc.array(fc.constantFrom(...LEARNED), { minLength: 2, maxLength: 30 }), {
  minLength: 1,
  maxLength: 4,
})
const someDepth = fc.constantFrom(2, 2, 3, 5)
const BIRTHS = steps('1 born exec\n1 exec /bin/a\n2 born thread 1')

/** Gathers calls that differ in nothing but their number, as the ring's reader does. */
function gathering(to: StreamHandler): StreamHandler & { flush(): void } {
  let row: { tid: number; abi: number; numbers: number[] } | null = null
  const flush = (): void => {
    if (row !== null) tellCalls(to, row.tid, row.abi, Int32Array.from(row.numbers), 0, row.numbers.length)
    row = null
  }
  const after =
    <Rest extends unknown[]>(what: (...rest: Rest) => void) =>
    (...rest: Rest): void => {
      flush()
      what(...rest)
    }
  return {
    flush,
    onCall(tid, abi, nr, isRestart) {
      if (isRestart || row?.tid !== tid || row.abi !== abi) flush()
      if (isRestart) to.onCall(tid, abi, nr, true)
      else {
        row ??= { tid, abi, numbers: [] }
        row.numbers.push(nr)
      }
    },
    onBirth: after(to.onBirth.bind(to)),
    onExec: after(to.onExec.bind(to)),
    onSignal: after(to.onSignal.bind(to)),
    onExit: after(to.onExit.bind(to)),
    onGap: after(to.onGap.bind(to)),
    onRefused: after(to.onRefused.bind(to)),
    onNote: after(to.onNote.bind(to)),
  }
}

function judged(fingerprint: Fingerprint, stream: readonly Step[], depth: number, isGathered: boolean): unknown {
  const written: string[] = []
  const seen: unknown[] = []
  const checker = new Checker({
    fingerprints: [fingerprint],
    mapping: MAPPING,
    depth,
    at: () => 'now',
    // What is written down at that moment ends with the call that is a miss.
    onMiss: () => seen.push([...written]),
  })
  const walker = new Walker<CheckedProgram>(checker, { mapping: MAPPING, tracks: fingerprint.settings.tracks })
  const nothing = (): void => {}
  const writer: StreamHandler = {
    onCall: (tid, abi, nr, isRestart) => written.push(`${tid} ${abi} ${nr} ${isRestart}`),
    onBirth: nothing,
    onExec: nothing,
    onSignal: nothing,
    onExit: nothing,
    onGap: nothing,
    onRefused: nothing,
    onNote: nothing,
  }
  const handler = gathering(tee(writer, walker))
  for (const each of stream) each(isGathered ? handler : tee(writer, walker))
  handler.flush()
  walker.finish()
  return { ...buildReport(FACTS, walker, checker), written, seen, transitions: checker.transitionCount }
}

test.each(['thread', 'log'] as const)(
  'calls in a row are judged, counted and written down as one by one (tracks %s)',
  (tracks) => {
    fc.assert(
      fc.property(someRuns, someSteps, someDepth, fc.boolean(), (runs, stream, depth, hasTransparent) => {
        const transparent = hasTransparent ? ['brk'] : []
        const learnedRuns = runs.map((calls) => [
          ...BIRTHS,
          ...[...calls, 'exit_group', ...calls].map((name) => call(1, name)),
          ...steps('1 exits 0'),
        ])
        const fingerprint = learn(learnedRuns, { depth, transparent, tracks })
        const whole = [...BIRTHS, ...stream, ...steps('1 exits 0')]
        expect(judged(fingerprint, whole, depth, true)).toEqual(judged(fingerprint, whole, depth, false))
      }),
      { numRuns: 300 },
    )
  },
)
