// The native walk that judges calls before they run, against the walker and checker that judge them after: whatever the
// stream, whatever is decided, they find the same misses.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { disagreements } from './agreement.ts'
import { call, image, learn, type Step } from './stream-script.ts'

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

test('before and after the call the same misses are found, whatever is decided about them', async () => {
  let asked = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(someOps, { minLength: 1, maxLength: 3 }),
      someOps,
      fc.constantFrom(2, 2, 3, 6, 8),
      fc.nat(),
      fc.array(fc.boolean(), { minLength: 1 }),
      async (learned, ops, depth, lower, denials) => {
        const fingerprint = learn(learned.map(streamOf), { depth, transparent: ['getpid', 'rt_sigreturn'] })
        const result = await disagreements(streamOf(ops), fingerprint, denials, 2 + (lower % (depth - 1)))
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
    fc.asyncProperty(someOps, fc.constantFrom(2, 3, 6), async (ops, depth) => {
      const steps = streamOf(ops.filter(({ verb }) => verb !== 'sigreturn' && verb !== 'exec'))
      expect(await disagreements(steps, learn([steps], { depth }), [false])).toEqual({ found: [], asked: 0 })
    }),
    { numRuns: 50 },
  )
})
