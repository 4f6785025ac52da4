// What is done with measurements; none is made here.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadAddon } from '../../src/addon/addon.ts'
import { addedCpu, leastAdded, shareOf } from '../../src/bench/added.ts'
import { type Baseline, baselineOf, compare } from '../../src/bench/against.ts'
import { writeBench } from '../../src/bench/bench.ts'
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

test('what was added is compared round by round, start-up apart, and for servers to the same work', () => {
  const cpu = (...list: (number | readonly [cpuMs: number, work: number])[]) =>
    list.map((each) => {
      const [cpuMs, work] = typeof each === 'number' ? [each, 1] : each
      return { cpuMs, wallMs: 0, work }
    })
  const samples = {
    'true: bare': cpu(1, 2, 1),
    'true: a': cpu(101, 202, 101), // 100, 200 in a round where all is slow, 100
    'true: b': cpu(6, 12, 6), // 5, 10, 5
    'p: bare': cpu(10, 20, 10),
    'p: a': cpu(160, 320, 170), // 50, 100, 60
    'p: b': cpu(115, 230, 115), // 100, 200, 100
    'once: bare': cpu(10, 20, 10),
    'once: a': cpu(160),
    'server: bare': cpu([20, 2], [40, 2], [20, 2]),
    'server: a': cpu([200, 2], [400, 2], [200, 2]), // 50 - 10
    'server: b': cpu([55, 0.5], [110, 0.5], [55, 0.5]), // 100 - 10
  }
  expect(addedCpu(samples, 'p', 'a')).toEqual([50, 100, 60])
  expect(shareOf(samples, 'p', 'a', 'b')).toBe(0.5)
  expect(addedCpu(samples, 'once', 'a')).toEqual([50])
  expect(addedCpu(samples, 'server', 'a')).toEqual([40, 80, 40])
  expect(addedCpu(samples, 'server', 'b')).toEqual([90, 180, 90])
  expect(leastAdded(samples, 'p', 'a')).toBe(50)
  expect(leastAdded(samples, 'server', 'b')).toBe(90)
})

test('results are replaced whole, in a folder that is made, and parts that were there stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-bench-'))
  try {
    const out = join(folder, 'deep', 'results')
    const [part] = resultWith().parts as [BenchResult['parts'][0]]
    const of = (name: string, title: string) => ({ ...resultWith(), parts: [{ ...part, name, title }] })
    await writeBench(out, of('replay', 'Old'))
    await writeBench(out, of('matching', 'Matching'))
    await writeBench(out, of('replay', 'New'))
    const { parts } = JSON.parse(readFileSync(join(out, 'bench.json'), 'utf8')) as BenchResult
    expect(parts.map(({ title }) => title)).toEqual(['Matching', 'New'])
    expect(readdirSync(out).sort()).toEqual(['bench.json', 'bench.md', 'c.svg'])
  } finally {
    rmSync(folder, { recursive: true })
  }
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
