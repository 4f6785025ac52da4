// What must hold of every stream, whatever it is: fast-check writes the streams.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Miss } from '../../src/match/miss.ts'
import { call, check, learn, learned, type Step, steps } from './stream-script.ts'

const NAMES = ['read', 'write', 'openat', 'close', 'mmap', 'brk', 'fstat', 'futex', 'poll', 'i386:read', 'sys_5000']

const someCalls = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 40 })
const someDepth = fc.constantFrom(2, 2, 3, 5)

function born(...calls: string[]): Step[] {
  return [...steps('1 born exec\n1 exec /bin/a'), ...calls.map((name) => call(1, name)), ...steps('1 exits 0')]
}

/** A handler run as it stands in a stream. */
function handler(signal: number, calls: readonly string[]): Step[] {
  return [...steps(`1 signal ${signal}`), ...calls.map((name) => call(1, name)), call(1, 'rt_sigreturn')]
}

function insertAt<T>(list: readonly T[], at: number, added: readonly T[]): T[] {
  return [...list.slice(0, at), ...added, ...list.slice(at)]
}

/** Takes the next element of one of the lists, as the choices say; what is left comes at the end. */
function interleave<T>(lists: readonly (readonly T[])[], choices: readonly number[]): T[] {
  const rest = lists.map((list) => [...list])
  const mixed = choices.flatMap((choice) => (rest[choice % rest.length] as T[]).splice(0, 1))
  return [...mixed, ...rest.flat()]
}

function summary(misses: readonly Miss[]): string[] {
  return misses.map((miss) => `${miss.tid} ${miss.index} ${miss.context.join(',')} ${miss.from} -> ${miss.to}`).sort()
}

describe('learned streams', () => {
  test('replaying what was learned is authentic and covers all of it', () => {
    fc.assert(
      fc.property(someCalls, someDepth, (calls, depth) => {
        const stream = born(...calls, 'exit_group')
        const { report } = check(learn([stream], { depth }), stream)
        expect(report).toMatchObject({ missCount: 0, verdict: 'authentic' })
        expect(report.programs[0]?.coverage).toBe(1)
      }),
    )
  })

  test('a stream learned at depth D is authentic at every depth below', () => {
    fc.assert(
      fc.property(someCalls, someDepth, fc.nat(), (calls, learnedDepth, lower) => {
        const depth = 2 + (lower % (learnedDepth - 1))
        const stream = born(...calls, 'exit_group')
        expect(check(learn([stream], { depth: learnedDepth }), stream, { depth }).missed).toEqual([])
      }),
    )
  })

  test('deleting calls in one place gives no more than one miss', () => {
    fc.assert(
      fc.property(someCalls, fc.nat(), fc.integer({ min: 1, max: 5 }), (calls, at, count) => {
        const cut = calls.toSpliced(at % calls.length, count)
        const { report } = check(learn([born(...calls, 'exit_group')]), born(...cut, 'exit_group'))
        expect(report.missCount).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('inserting calls gives no more misses than calls inserted, and one for the way back', () => {
    const strange = fc.array(fc.constantFrom(...NAMES, 'ptrace', 'execve', 'i386:exit', 'sys_-1', 'rt_sigreturn'), {
      maxLength: 6,
    })
    fc.assert(
      fc.property(someCalls, strange, fc.nat(), (calls, added, at) => {
        const more = insertAt(calls, at % (calls.length + 1), added)
        const { report } = check(learn([born(...calls, 'exit_group')]), born(...more, 'exit_group'))
        expect(report.missCount).toBeLessThanOrEqual(added.length + 1)
      }),
    )
  })

  test('at any depth a record is one miss at most', () => {
    fc.assert(
      fc.property(someCalls, someCalls, someDepth, (calls, others, depth) => {
        const { report } = check(learn([born(...calls)], { depth }), born(...others))
        const indexes = report.misses.map(({ index }) => index)
        expect(new Set(indexes).size).toBe(indexes.length)
        expect(report.missCount).toBeLessThanOrEqual(others.length)
      }),
    )
  })
})

describe('threads', () => {
  test('any interleaving of threads gives the same misses as each thread alone', () => {
    const threads = fc.array(someCalls, { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(someCalls, threads, fc.array(fc.nat(), { maxLength: 120 }), (known, perThread, choices) => {
        const fingerprint = learn([born(...known, 'clone')])
        const births = steps(
          `1 born exec\n1 exec /bin/a\n${perThread.map((_, i) => `${i + 2} born thread 1`).join('\n')}`,
        )
        const records = perThread.map((calls, i) => calls.map((name) => call(i + 2, name)))
        const mixed = check(fingerprint, [...births, ...interleave(records, choices)])
        const alone = records.flatMap((own) => check(fingerprint, [...births, ...own]).report.misses)
        expect(summary(mixed.report.misses)).toEqual(summary(alone))
      }),
    )
  })

  test('any interleaving of threads is learned alike', () => {
    fc.assert(
      fc.property(someCalls, someCalls, fc.array(fc.nat(), { maxLength: 80 }), someDepth, (a, b, choices, depth) => {
        const births = steps('1 born exec\n1 exec /bin/a\n2 born thread 1')
        const records = [a.map((name) => call(1, name)), b.map((name) => call(2, name))]
        const mixed = learn([[...births, ...interleave(records, choices)]], { depth })
        expect(learned(mixed, '/bin/a')).toEqual(learned(learn([[...births, ...records.flat()]], { depth }), '/bin/a'))
      }),
    )
  })
})

describe('signal handlers', () => {
  const someHandlers = fc.array(
    fc.record({ at: fc.nat(), signal: fc.constantFrom(2, 14, 17), calls: fc.array(fc.constantFrom('write', 'poll')) }),
    { maxLength: 6 },
  )

  test('handler runs anywhere add no transition to the main flow', () => {
    fc.assert(
      fc.property(someCalls, someHandlers, someDepth, (calls, handlers, depth) => {
        const plain = born(...calls)
        let stream: Step[] = plain
        for (const { at, signal, calls: own } of handlers) {
          // Anywhere between the exec and the end, in another handler too.
          stream = insertAt(stream, 2 + (at % (stream.length - 2)), handler(signal, own))
        }
        const main = learned(learn([plain], { depth }), '/bin/a')
        const mixed = learned(learn([stream], { depth }), '/bin/a')
        // What is new belongs to handlers: alone they are learned as the same.
        const alone = handlers.map(({ signal, calls: own }) => [...born().slice(0, 2), ...handler(signal, own)])
        const apart = learned(learn([plain, ...alone], { depth }), '/bin/a')
        expect(mixed).toEqual(apart)
        if (handlers.length === 0) expect(mixed).toEqual(main)
      }),
    )
  })

  test('a stream with handlers put in is as abnormal as it was without', () => {
    fc.assert(
      fc.property(someCalls, someCalls, someHandlers, (known, calls, handlers) => {
        const alone = handlers.map(({ signal, calls: own }) => [...born().slice(0, 2), ...handler(signal, own)])
        const fingerprint = learn([born(...known), ...alone])
        const plain = born(...calls)
        let stream: Step[] = plain
        for (const { at, signal, calls: own } of handlers) {
          stream = insertAt(stream, 2 + (at % (stream.length - 2)), handler(signal, own))
        }
        expect(check(fingerprint, stream).missed).toEqual(check(fingerprint, plain).missed)
      }),
    )
  })

  test('restarts anywhere change nothing', () => {
    fc.assert(
      fc.property(someCalls, someCalls, fc.nat(), fc.constantFrom(...NAMES), (known, calls, at, name) => {
        const fingerprint = learn([born(...known)])
        const plain = born(...calls)
        const stream = insertAt(plain, 2 + (at % (plain.length - 2)), [call(1, `~${name}`)])
        expect(check(fingerprint, stream).report).toEqual(check(fingerprint, plain).report)
      }),
    )
  })
})

describe('gaps', () => {
  test('a gap in the place of any run of records never yields a miss', () => {
    fc.assert(
      fc.property(someCalls, fc.nat(), fc.nat(), someDepth, (calls, at, count, depth) => {
        const stream = born(...calls, 'exit_group')
        const from = 2 + (at % (stream.length - 2))
        const holed = stream.toSpliced(from, count % 8, ...steps('1 gap 0'))
        const { report } = check(learn([stream], { depth }), holed)
        expect(report).toMatchObject({ missCount: 0, verdict: 'inconclusive' })
      }),
    )
  })

  test('a gap that hides any part of handler runs never yields a miss', () => {
    fc.assert(
      fc.property(someCalls, fc.nat(), fc.nat(), fc.nat({ max: 12 }), (calls, at, hole, count) => {
        const stream = insertAt(born(...calls), 2 + (at % calls.length), handler(14, ['write', 'poll', 'write']))
        const holed = stream.toSpliced(2 + (hole % (stream.length - 2)), count, ...steps('1 gap 0'))
        expect(check(learn([stream]), holed).missed).toEqual([])
      }),
    )
  })

  test('nothing is learned that the whole stream would not have taught', () => {
    fc.assert(
      fc.property(someCalls, fc.nat(), fc.nat({ max: 8 }), someDepth, (calls, at, count, depth) => {
        const stream = born(...calls, 'exit_group')
        const holed = stream.toSpliced(2 + (at % (stream.length - 2)), count, ...steps('1 gap 0'))
        expect(check(learn([stream], { depth }), stream).report.programs[0]?.coverage).toBe(1)
        const whole = new Set(learned(learn([stream, holed], { depth }), '/bin/a'))
        expect(whole).toEqual(new Set(learned(learn([stream], { depth }), '/bin/a')))
      }),
    )
  })
})

test('no stream, however hostile, makes the walker throw', () => {
  const tid = fc.integer({ min: 0, max: 5 })
  const step = fc.oneof<fc.Arbitrary<Step>[]>(
    fc.tuple(tid, tid, tid, fc.constantFrom('exec' as const, 'thread' as const, 'fork' as const, 'join' as const)).map(
      ([a, b, c, kind]) =>
        (to) =>
          to.onBirth(a, b, c, kind),
    ),
    fc.tuple(tid, tid, fc.constantFrom('/bin/a', '/bin/b', '')).map(([a, b, path]) => (to) => {
      to.onExec(a, b, { path, sha256: null, buildId: null, script: null, argv0: null })
    }),
    fc
      .tuple(tid, fc.integer({ min: -2, max: 300 }), fc.integer(), fc.boolean())
      .map(([a, abi, nr, restart]) => (to) => {
        to.onCall(a, abi, nr, restart)
      }),
    fc.tuple(tid, fc.constantFrom('read', 'rt_sigreturn', 'exit', 'io_uring_enter')).map(([a, name]) => call(a, name)),
    fc.tuple(tid, fc.integer()).map(
      ([a, signal]) =>
        (to) =>
          to.onSignal(a, signal),
    ),
    fc.tuple(tid, fc.integer({ min: -1, max: 65 })).map(
      ([a, signal]) =>
        (to) =>
          to.onExit(a, 0, signal),
    ),
    fc.tuple(tid, fc.nat()).map(
      ([a, count]) =>
        (to) =>
          to.onGap(a, count),
    ),
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom('thread' as const, 'log' as const),
      (stream, tracks) => {
        const fingerprint = learn([stream], { tracks })
        const { report } = check(fingerprint, stream)
        expect(report.missCount).toBeGreaterThanOrEqual(report.misses.length)
      },
    ),
    { numRuns: 500 },
  )
})
