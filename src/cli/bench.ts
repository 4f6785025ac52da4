// tracefp bench: what tracefp costs on this machine, beside what else is there.

import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { type Baseline, baselineOf, compare } from '../bench/against.ts'
import { PARTS, runBench, writeBench } from '../bench/bench.ts'
import { figure, renderMarkdown } from '../bench/render.ts'
import type { BenchResult } from '../bench/result.ts'
import { TracefpError, UsageError } from '../errors.ts'
import { writeAtomic } from '../model/files.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { collect } from './options.ts'
import { asJson, type Output, stdio } from './output.ts'

interface BenchCliOptions {
  readonly quick?: boolean
  readonly part?: readonly string[]
  readonly out?: string
  readonly json?: boolean
  readonly against?: string
  readonly baseline?: string
}

export function defineBench(program: Command, output: Output = stdio): void {
  const names = PARTS.map(({ name }) => name)
  program
    .command('bench')
    .description('measure what tracefp costs on this machine, in turns with strace, perf and bpftrace where they are')
    .option('--quick', 'under a minute: fewer rounds, smaller inputs, three programs')
    .option('--part <name>', `only this part: ${names.join(', ')}; repeatable`, collect)
    .option('--out <folder>', 'write bench.json, bench.md and charts (SVG) into this folder')
    .option('--json', 'as JSON')
    .option('--against <file>', 'compare ratios with those in this file: exit code 1 when one is worse than it allows')
    .option('--baseline <file>', 'write the ratios of this run to such a file')
    .addHelpText(
      'after',
      '\nRun it while the machine is idle. What is not on the machine is left out, with a line.\n\nExamples:\n  tracefp bench --quick\n  tracefp bench --part matching --out results',
    )
    .action(async (options: BenchCliOptions) => {
      const parts = options.part ?? []
      const unknown = parts.find((name) => !names.includes(name))
      if (unknown !== undefined) throw new UsageError(`there is no part ${unknown}; there are ${names.join(', ')}`)
      const baseline = options.against === undefined ? null : readBaseline(options.against)
      const tell = (text: string): void => output.message(`tracefp: ${text}\n`)
      const result = await runBench({ parts, quick: options.quick === true, tell })
      if (options.out !== undefined) await writeBench(options.out, result)
      output.data(options.json === true ? `${asJson(result, 2)}\n` : renderMarkdown(result))
      if (options.baseline !== undefined) await writeBaseline(options.baseline, baselineOf(result))
      if (baseline !== null && isWorse(result, baseline, tell)) process.exitCode = EXIT_CODES.data.abnormal
    })
}

function isWorse(result: BenchResult, baseline: Baseline, tell: (text: string) => void): boolean {
  const verdicts = compare(result, baseline)
  for (const { id, value, expected, isWorse: worse } of verdicts) {
    if (worse) tell(`${id} is worse: ${figure(value)}, was ${figure(expected.value)}, may be ${figure(expected.worst)}`)
  }
  const count = verdicts.filter(({ isWorse: worse }) => worse).length
  tell(`${verdicts.length - count} of ${verdicts.length} ratios are as good as they were`)
  return count > 0
}

async function writeBaseline(file: string, baseline: Baseline): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeAtomic(file, `${asJson(baseline, 2)}\n`)
}

function readBaseline(file: string): Baseline {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { value: unknown; worst: unknown }>
    const isWhole = Object.values(value).every(
      (each) => typeof each.value === 'number' && typeof each.worst === 'number',
    )
    if (isWhole) return value as Baseline
  } catch (cause) {
    throw new TracefpError('TFP_ERR_FILE', `${file}: ${(cause as Error).message}`, { cause })
  }
  throw new TracefpError('TFP_ERR_FILE', `${file}: holds no ratios`)
}
