import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffFingerprints, isSameBehaviour } from '../../src/model/diff.ts'
import { type Fingerprint, makeSettings } from '../../src/model/fingerprint.ts'
import { cheapestReaches, isNearer, mimicryBudget } from '../../src/model/mimicry.ts'
import { KnownSequences, lastSymbols, projectedTo, unknownSequences } from '../../src/model/sequences.ts'
import { image, ledgerOf, mapping, type RunOptions, runInfo, runOf } from './making.ts'

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

function learned(tracks: readonly string[], options: RunOptions & { depth?: number } = {}): Fingerprint {
  const settings = makeSettings(mapping, { depth: options.depth ?? 2 })
  return ledgerOf(runOf(ID, tracks, { ...options, settings })).fingerprint(mapping)
}

function only(old: Fingerprint, now: Fingerprint) {
  const diff = diffFingerprints(old, now)
  expect(diff.programs).toHaveLength(1)
  return diff.programs[0]!
}

function joined(sequences: readonly (readonly string[])[]): string[] {
  return sequences.map((sequence) => sequence.join(' '))
}

describe('a difference', () => {
  test('names what is allowed more and what less', () => {
    const program = only(learned(['<exec> read write']), learned(['<exec> read close'], { execs: ['/bin/sh'] }))
    expect(joined(program.added)).toEqual(['read close'])
    expect(joined(program.removed)).toEqual(['read write'])
    expect(program).toMatchObject({ addedCalls: ['close'], removedCalls: ['write'], addedExecs: ['/bin/sh'] })
  })

  test('tells a sequence at the shortest length at which it is new', () => {
    const old = learned(['<exec> read write close', '<exec> open write exit'], { depth: 4 })
    const now = learned(['<exec> read write exit', '<exec> open write exit', '<exec> read write close'], { depth: 4 })
    // write -> exit is known, read -> write -> exit is not: one thing to review, not one per depth.
    expect(joined(only(old, now).added)).toEqual(['read write exit'])
  })

  test('compares two depths at the lower one', () => {
    const [two, six] = [learned(['<exec> read write']), learned(['<exec> read write'], { depth: 6 })]
    const diff = diffFingerprints(two, six)
    expect(diff.depth).toBe(2)
    expect(isSameBehaviour(diff)).toBe(true)
  })

  test('is none when only more runs say the same', () => {
    const once = ledgerOf(runOf(ID, ['<exec> read write']))
    const twice = ledgerOf(runOf(ID, ['<exec> read write']), runOf(ID.replace('V', 'W'), ['<exec> read write']))
    expect(isSameBehaviour(diffFingerprints(once.fingerprint(mapping), twice.fingerprint(mapping)))).toBe(true)
  })

  test('is the other image alone, when that is all', () => {
    const [old, now] = ['a', 'b'].map((digit) =>
      learned(['<exec> read'], { image: image('/bin/ls', digit.repeat(64)) }),
    )
    expect(only(old!, now!)).toMatchObject({ isImageChanged: true, status: 'changed', added: [] })
  })

  test('holds programs that came and went', () => {
    const old = learned(['<exec> read'], { image: image('/bin/a') })
    const now = learned(['<exec> read'], { image: image('/bin/b') })
    const diff = diffFingerprints(old, now)
    expect(diff.programs.map(({ key, status }) => [key, status])).toEqual([
      ['/bin/a', 'removed'],
      ['/bin/b', 'added'],
    ])
    expect([diff.addedRoots, diff.removedRoots]).toEqual([['/bin/b'], ['/bin/a']])
  })

  test('tells the fault layer apart, and nothing of it twice', () => {
    const withFaults = (tracks: readonly string[], faulty: readonly string[], execs: readonly string[] = []) => {
      const settings = makeSettings(mapping, { depth: 3 })
      const info = { ...runInfo(ID.replace('V', 'W')), layer: 'fault' as const }
      return ledgerOf(runOf(ID, tracks, { settings }), runOf(info.id, faulty, { settings, info, execs })).fingerprint(
        mapping,
      )
    }
    const old = withFaults(['<exec> read close'], ['<exec> read write'])
    const now = withFaults(['<exec> read close', '<exec> read write'], ['<exec> read exit_group'], ['/bin/sh'])
    const there = only(old, now)
    // What became authentic is new as that; it is no news of the fault layer.
    expect(joined(there.added)).toEqual(['read write'])
    expect(joined(there.faults.added)).toEqual(['read exit_group'])
    expect(there.faults).toMatchObject({ removed: [], addedExecs: ['/bin/sh'], removedExecs: [] })
    const back = only(now, old)
    expect(joined(back.removed)).toEqual(['read write'])
    expect(joined(back.faults.removed)).toEqual(['read exit_group'])
    expect(back.faults).toMatchObject({ added: [], addedExecs: [], removedExecs: ['/bin/sh'] })
    expect(isSameBehaviour(diffFingerprints(now, now))).toBe(true)
  })

  test('is refused between what cannot be compared', () => {
    const old = learned(['<exec> read'])
    const now = { ...old, settings: { ...old.settings, tracks: 'log' as const } }
    expect(() => diffFingerprints(old, now)).toThrow(expect.objectContaining({ code: 'TFP_ERR_MODEL_SETTINGS' }))
    const other = { ...old, settings: { ...old.settings, mapping: 'linux-aarch64' } }
    expect(() => diffFingerprints(old, other)).toThrow(expect.objectContaining({ code: 'TFP_ERR_MODEL_MAPPING' }))
  })

  test('with itself is none, and the other way round has added and removed changed places', () => {
    const track = fc.array(fc.constantFrom('read', 'write', 'open', 'close'), { minLength: 1, maxLength: 12 })
    const made = fc.record({
      tracks: fc.array(track, { minLength: 1, maxLength: 4 }),
      depth: fc.integer({ min: 2, max: 5 }),
    })
    fc.assert(
      fc.property(made, made, (a, b) => {
        const [old, now] = [a, b].map(({ tracks, depth }) =>
          learned(
            tracks.map((t) => `<exec> ${t.join(' ')}`),
            { depth },
          ),
        )
        expect(isSameBehaviour(diffFingerprints(old!, old!))).toBe(true)
        const [there, back] = [diffFingerprints(old!, now!), diffFingerprints(now!, old!)]
        expect(there.programs[0]?.added ?? []).toEqual(back.programs[0]?.removed ?? [])
        // Whatever was added is not in the old one, and all that is shorter is.
        const known = new KnownSequences(projectedTo(old!.programs.get('/bin/ls')!.successors, there.depth))
        for (const sequence of there.programs[0]?.added ?? []) {
          expect(known.has(sequence.slice(0, -1).join(' '), sequence.at(-1)!)).toBe(false)
          if (sequence.length > 2) expect(known.has(sequence.slice(1, -1).join(' '), sequence.at(-1)!)).toBe(true)
        }
      }),
    )
  })
})

describe('sequences', () => {
  test('the last symbols of a context', () => {
    expect([1, 2, 3, 9].map((count) => lastSymbols('a bb c', count))).toEqual(['c', 'bb c', 'a bb c', 'a bb c'])
  })

  test('of nothing known are all new as pairs', () => {
    const successors = new Map([['a b', new Map([['c', 1]])]])
    expect(unknownSequences(successors, new KnownSequences(undefined))).toEqual([['b', 'c']])
  })
})

describe('the mimicry budget', () => {
  const budget = (tracks: readonly string[], depth = 2) =>
    mimicryBudget(projectedTo(learned(tracks, { depth }).programs.get('/bin/ls')!.successors, depth))

  test('is the number of calls from an input to a call that attacks end in', () => {
    const [fromRead] = budget(['<exec> read close openat mprotect', '<exec> openat execve'])
    expect(fromRead).toMatchObject({ input: 'read', reachableShare: 4 / 5 })
    expect(fromRead!.reaches).toEqual([
      { call: 'execve', distance: 3, path: ['read', 'close', 'openat', 'execve'] },
      { call: 'mprotect', distance: 3, path: ['read', 'close', 'openat', 'mprotect'] },
    ])
  })

  test('grows with depth: what pairs allow, longer sequences need not', () => {
    const tracks = ['<exec> read close write', '<exec> openat close execve']
    expect(cheapestReaches(budget(tracks, 2))[0]).toMatchObject({ call: 'execve', distance: 2 })
    expect(cheapestReaches(budget(tracks, 3))[0]).toMatchObject({ call: 'execve', distance: null, path: [] })
  })

  test('takes the nearest of several inputs', () => {
    const reaches = cheapestReaches(budget(['<exec> accept4 read close execve']))
    expect(reaches).toEqual([{ call: 'execve', distance: 2, path: ['read', 'close', 'execve'] }])
  })

  test('counts a child and a signal handler as reached for nothing', () => {
    expect(cheapestReaches(budget(['<exec> read clone wait4', '<fork> close execve']))[0]).toEqual({
      call: 'execve',
      distance: 3,
      path: ['read', 'clone', '<fork>', 'close', 'execve'],
    })
    expect(cheapestReaches(budget(['<exec> read write', '<signal:11> mprotect']))[0]).toEqual({
      call: 'mprotect',
      distance: 1,
      path: ['read', '<signal:11>', 'mprotect'],
    })
  })

  test('never tells a way that the fingerprint does not allow, nor one that is longer than needed', () => {
    const track = fc.array(fc.constantFrom('read', 'write', 'close', 'execve', 'openat', 'mmap'), {
      minLength: 2,
      maxLength: 15,
    })
    fc.assert(
      fc.property(fc.array(track, { minLength: 1, maxLength: 3 }), fc.integer({ min: 2, max: 4 }), (tracks, depth) => {
        const program = learned(
          tracks.map((t) => `<exec> ${t.join(' ')}`),
          { depth },
        ).programs.get('/bin/ls')!
        const whole = projectedTo(program.successors, depth)
        const known = new KnownSequences(whole)
        for (const { distance, path } of cheapestReaches(mimicryBudget(whole))) {
          if (distance === null) continue
          expect(path).toHaveLength(distance + 1)
          for (let at = 1; at < path.length; at += 1) {
            const context = path.slice(Math.max(0, at - depth + 1), at).join(' ')
            expect(known.has(context, path[at]!)).toBe(true)
          }
        }
      }),
    )
  })

  test('a call is nearer at depth 2 where longer sequences keep it away', () => {
    const old = learned(['<exec> read close openat write execve'], { depth: 4 })
    const now = learned(['<exec> read close openat write execve', '<exec> mmap close execve'], { depth: 4 })
    expect(only(old, now).budget.map(({ depth, call, newDistance }) => [depth, call, newDistance])).toEqual([
      [2, 'execve', 2],
    ])
  })

  test('a call that comes nearer, or within reach, is told as such', () => {
    const old = learned(['<exec> read close openat execve'])
    const now = learned(['<exec> read close openat execve', '<exec> read execve', '<exec> close connect'])
    expect(only(old, now).budget).toEqual([
      { depth: 2, call: 'execve', oldDistance: 3, newDistance: 1, newPath: ['read', 'execve'] },
      { depth: 2, call: 'connect', oldDistance: null, newDistance: 2, newPath: ['read', 'close', 'connect'] },
    ])
    expect(only(old, now).budget.every(isNearer)).toBe(true)
    expect(only(now, old).budget.some(isNearer)).toBe(false)
  })
})
