// The suite: runs its parts one after the other and writes what came of them. What is measured stands in parts/.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeAtomic } from '../model/files.ts'
import { PACKAGE_ROOT, VERSION } from '../package.ts'
import { machineFacts } from './machine.ts'
import type { Part } from './part.ts'
import { HOST } from './parts/host.ts'
import { MATCHING } from './parts/matching.ts'
import { REPLAY } from './parts/replay.ts'
import { SCALE } from './parts/scale.ts'
import { WATCHING } from './parts/watching.ts'
import { renderChart, renderMarkdown } from './render.ts'
import type { BenchResult, PartResult } from './result.ts'

/** In this order. */
export const PARTS: readonly Part[] = [WATCHING, MATCHING, REPLAY, SCALE, HOST]
const PEERS = ['strace', 'perf', 'bpftrace', 'nginx', 'wrk', 'redis-server', 'git', 'cc']

export interface BenchOptions {
  /** Names of parts; none = all. */
  readonly parts: readonly string[]
  readonly quick: boolean
  /** How far it is; one line each. */
  readonly tell: (text: string) => void
}

/** @throws TracefpError TFP_ERR_BENCH, and what the parts throw. */
export async function runBench({ parts, quick, tell }: BenchOptions): Promise<BenchResult> {
  const machine = machineFacts(PEERS)
  const at = new Date().toISOString()
  const results: PartResult[] = []
  for (const part of PARTS.filter(({ name }) => parts.length === 0 || parts.includes(name))) {
    const folder = mkdtempSync(join(tmpdir(), 'tracefp-bench-'))
    const tracefp = [process.execPath, join(PACKAGE_ROOT, 'lib/tracefp.cjs')]
    const sources = join(PACKAGE_ROOT, 'native/bench')
    try {
      results.push(await part.run({ quick, folder, tracefp, sources, tell }))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return { schema: 1, tracefp: VERSION, at, quick, machine, parts: results }
}

/** `bench.json`, `bench.md` and a chart each; the folder is made. Parts that were written there before and are not among these stay. */
export async function writeBench(folder: string, measured: BenchResult): Promise<void> {
  await mkdir(folder, { recursive: true })
  const result = { ...measured, parts: merge(partsIn(folder), measured.parts) }
  await writeAtomic(join(folder, 'bench.json'), `${JSON.stringify(result, null, 2)}\n`)
  await writeAtomic(join(folder, 'bench.md'), renderMarkdown(result))
  for (const { charts } of result.parts) {
    for (const chart of charts) await writeAtomic(join(folder, `${chart.name}.svg`), renderChart(chart))
  }
}

function partsIn(folder: string): readonly PartResult[] {
  const file = join(folder, 'bench.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BenchResult).parts : []
}

function merge(before: readonly PartResult[], now: readonly PartResult[]): PartResult[] {
  return PARTS.flatMap(({ name }) => [...now, ...before].find((part) => part.name === name) ?? [])
}
