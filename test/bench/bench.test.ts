// What is done with measurements; none is made here.

import { expect, test } from 'vitest'
import { loadAddon } from '../../src/addon/addon.ts'
import { type Baseline, baselineOf, compare } from '../../src/bench/against.ts'
import { inTurns } from '../../src/bench/measure.ts'
import { learnMix, MAPPING, markov, uniform } from '../../src/bench/mixes.ts'
import { mapOfSets, setOfStrings, stide } from '../../src/bench/naive.ts'
import { renderChart, renderMarkdown } from '../../src/bench/render.ts'
import type { BenchResult, Ratio } from '../../src/bench/result.ts'
import { TransitionTable } from '../../src/model/table.ts'

function resultWith(...ratios: Ratio[]): BenchResult {
  return {
    schema: 1,
    tracefp: '0.0.0',
    at: '2026-01-01T00:00:00Z',
    quick: true,
    machine: {
      ...{ cpu: 'a <CPU>', cpuCount: 2, simd: ['avx2'], memoryGb: 4, kernel: '6', hypervisor: '', node: 'v20' },
      ...{ loadBefore: 0, versions: { strace: 'strace 6.1' } },
    },
    parts: [
      {
        ...{ name: 'p', title: 'Part', what: 'What.', skipped: ['wrk: not here'], samples: {}, ratios },
        tables: [{ caption: 'T', columns: ['', 'a|b'], rows: [['x', '1']] }],
        charts: [{ name: 'c', title: 'a < b', unit: 'ns', isLogarithmic: true, bars: [{ label: 'x & y', value: 3 }] }],
      },
    ],
  }
}

test('contenders run in turns, what is dear runs once, and the first rounds are dropped', async () => {
  const order: string[] = []
  const contender = (name: string, isOnce = false) => ({
    ...{ name, isOnce },
    run: () => {
      order.push(name)
      return { cpuMs: order.length, wallMs: 0 }
    },
  })
  const samples = await inTurns([contender('a'), contender('b'), contender('c', true)], { warmUp: 1, kept: 2 })
  expect(order.join('')).toBe('ababcab')
  expect(samples['a']?.map(({ cpuMs }) => cpuMs)).toEqual([3, 6])
  expect(samples['c']).toHaveLength(1)
})

test('a ratio is worse only beyond what the file allows, on the side that is bad for it', () => {
  const result = resultWith(
    { id: 'matching.x', what: 'x', value: 0.6, least: 0.8 },
    { id: 'watching.y', what: 'y', value: 0.5, least: 0.45 },
    { id: 'scale.z', what: 'z', value: 1 },
  )
  const baseline: Baseline = { 'matching.x': { value: 1, worst: 0.7 }, 'watching.y': { value: 0.3, worst: 0.4 } }
  expect(compare(result, baseline).map(({ id, isWorse }) => [id, isWorse])).toEqual([
    ['matching.x', false],
    ['watching.y', true],
  ])
  expect(baselineOf(result)['matching.x']).toEqual({ value: 0.8, worst: 0.5 })
  expect(baselineOf(result)['watching.y']).toEqual({ value: 0.45, worst: 0.675 })
  expect(compare(result, baselineOf(result)).some(({ isWorse }) => isWorse)).toBe(false)
})

test('the report says machine, tables, targets and what was left out; charts are well-formed', () => {
  const result = resultWith({ id: 'matching.x', what: 'x / y', value: 0.2, target: { atLeast: 0.3 } })
  const text = renderMarkdown(result)
  expect(text).toContain('2 CPUs: a <CPU> (avx2), 4 GB, Linux 6')
  expect(text).toContain('|  | a\\|b |\n|---|---:|\n| x | 1 |')
  expect(text).toContain('| x / y | 0.20 |  | at least 0.3 | no |')
  expect(text).toContain('- wrk: not here')
  const svg = renderChart(result.parts[0]?.charts[0] as NonNullable<BenchResult['parts'][0]['charts'][0]>)
  expect(svg).toContain('<title>a &lt; b</title>')
  expect(svg).toContain('x &amp; y')
})

test('all that is compared gives the same answer', () => {
  const mix = uniform(20, 4000)
  const [learned, codes] = [mix.codes.subarray(0, 300), mix.codes]
  const { bench } = loadAddon()
  const pairs = setOfStrings(learned)(codes)
  expect(pairs).toBeGreaterThan(100)
  expect(mapOfSets(learned)(codes)).toBe(pairs)
  expect(bench.pairSet(learned)(codes)).toBe(pairs)
  expect(bench.stide(learned)(codes)).toBe(stide(learned)(codes))
  const [program] = learnMix({ ...mix, learned }, 2).programs.values()
  const table = TransitionTable.compile(program as NonNullable<typeof program>, MAPPING, 2)
  const symbols = codes.map((code) => table.symbolOf(1, mix.numbers[code - 0x20] as number))
  expect(bench.walkTable(new Uint8Array(table.buffer), symbols)).toBe(pairs)
})

test('a mix is the same on every machine', () => {
  expect(Array.from(markov(12).codes, (code) => code - 0x20)).toMatchInlineSnapshot(`
    [
      46,
      35,
      11,
      39,
      51,
      16,
      16,
      27,
      45,
      34,
      23,
      19,
    ]
  `)
})
