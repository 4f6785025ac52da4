// tracefp estimate: is learning finished? The chance of something new, by scenario and depth; how it came down; who still moves.

import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { decodeFingerprint } from '../model/codec-fingerprint.ts'
import { type MinimalScenarios, minimalScenarios, type News, newsOf } from '../model/convergence.ts'
import { type Estimate, estimateOf, FINISHED_BELOW } from '../model/estimate.ts'
import { ledgerPathOf, readLedgerFile } from '../model/files.ts'
import type { Fingerprint, Tally } from '../model/fingerprint.ts'
import type { Ledger } from '../model/ledger.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { builtinMapping } from '../syscall/builtin.ts'
import { chanceText, finishedText, toldDepths } from './estimate-words.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { chance } from './options.ts'
import { asJson, type Output } from './output.ts'
import { counted } from './words.ts'

interface EstimateOptions {
  readonly below: number
  readonly minimal?: boolean
  readonly share: number
  readonly json?: boolean
}

/** Ends of the parts of the curve; then it goes on by doubling. */
const PARTS = [1, 5, 10, 20, 50, 100]

export function defineEstimate(program: Command, output: Output): void {
  program
    .command('estimate')
    .description('is learning finished? the chance that another run brings something new')
    .argument('<file>', 'a .tfp file, or a name in the fingerprint store; its ledger is read where it is there')
    .option('--below <p>', 'finished is: surely below this at depth 2', chance, FINISHED_BELOW)
    .option('--minimal', 'the fewest scenarios that yield nearly all transitions')
    .option('--share <p>', 'how nearly', chance, 0.99)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nThe chance is the share of runs that hold something that no other run holds, with the bounds of which each is wrong in\n' +
        'one case of twenty. It speaks of runs like those that were learned: what none of them did is not in it.\n' +
        'Ends with 0 when learning is finished, 1 when it is not, 3 when the file is too old to tell.\n' +
        '\nExamples:\n  tracefp estimate server.tfp\n  tracefp estimate --minimal server.tfp',
    )
    .action(async (name: string, options: EstimateOptions) => {
      process.exitCode = await estimate(fingerprintFileNamed(name), options, output)
    })
}

async function estimate(file: string, options: EstimateOptions, output: Output): Promise<number> {
  const fingerprint = decodeFingerprint(readFingerprintText(file), file)
  const ledger = await ledgerOf(fingerprint, file)
  const { tally } = fingerprint
  const depths = toldDepths(fingerprint.settings.depth)
  if (options.minimal === true) {
    if (ledger === null) throw new UsageError(`--minimal needs the ledger ${ledgerPathOf(file)}, which is not there`)
    const minimal = minimalScenarios(ledger, options.share)
    output.data(options.json === true ? `${asJson({ schema: 1, ...minimal }, 2)}\n` : minimalText(minimal))
    return 0
  }
  const news = ledger === null ? null : newsOf(ledger, depths)
  if (options.json === true) output.data(`${asJson(jsonOf(fingerprint, depths, news, options.below), 2)}\n`)
  else if (tally !== null) output.data(textOf(fingerprint, tally, depths, news, options.below))
  if (tally === null) {
    output.message(`tracefp: ${printable(file)} was written by an older tracefp: learn one more run into it\n`)
    return EXIT_CODES.data.inconclusive
  }
  if (ledger === null)
    output.message(`tracefp: note: without its ledger (${printable(ledgerPathOf(file))}) there is no curve\n`)
  return estimateOf(tally).upper < options.below ? 0 : EXIT_CODES.data.abnormal
}

/** Null: it is not there. */
async function ledgerOf({ settings, sha256 }: Fingerprint, file: string): Promise<Ledger | null> {
  const mapping = builtinMapping(settings.mapping)
  if (mapping === undefined) return null
  try {
    const ledger = await readLedgerFile(file, mapping)
    return ledger.fingerprint(mapping).sha256 === sha256 ? ledger : null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'TFP_ERR_MODEL_LEDGER') return null
    throw error
  }
}

function textOf(
  { scenarios }: Fingerprint,
  tally: Tally,
  depths: readonly number[],
  news: readonly News[] | null,
  below: number,
): string {
  const rows = [['all', tally] as const, ...(scenarios.size > 1 ? scenarios : [])]
  const lines = [
    'chance that the next run like these brings something new',
    ...table(
      ['', 'runs', ...depths.map((depth) => `depth ${depth}`)],
      rows.map(([name, of]) => [printable(name), `${of.runCount}`, ...depths.map((depth) => chanceText(of, depth))]),
    ),
  ]
  if (news !== null && tally.runCount > 0)
    lines.push('', 'runs that brought something new', ...curveLines(news, tally.runCount))
  const moving = [...scenarios].filter(([, of]) => estimateOf(of).upper >= below)
  if (scenarios.size > 1 && moving.length > 0) {
    const told = moving.map(
      ([name, of]) => `${printable(name)} (up to ${estimateOf(of).upper.toFixed(2)} in ${counted(of.runCount, 'run')})`,
    )
    lines.push('', `still moving: ${told.join(', ')}`)
  }
  lines.push('', finishedText(tally, below))
  return `${lines.join('\n')}\n`
}

function curveLines(news: readonly News[], runCount: number): string[] {
  const rows = partsOf(runCount).map(([from, to]) => [
    from === to ? `run ${from}` : `runs ${from} to ${to}`,
    ...news.map(({ newCounts }) => {
      const part = newCounts.slice(from - 1, to)
      return `${part.filter((count) => count > 0).length} of ${part.length}, ${part.reduce((sum, count) => sum + count, 0)} sequences`
    }),
  ])
  return table(['', ...news.map(({ depth }) => `depth ${depth}`)], rows)
}

function partsOf(runCount: number): [number, number][] {
  const ends = [...PARTS]
  while ((ends.at(-1) as number) < runCount) ends.push((ends.at(-1) as number) * 2)
  return ends.flatMap((end, at): [number, number][] => {
    const from = at === 0 ? 1 : (ends[at - 1] as number) + 1
    return from > runCount ? [] : [[from, Math.min(end, runCount)]]
  })
}

function minimalText({ scenarios, transitionCount, allCount, isSmallest }: MinimalScenarios): string {
  const found = `${counted(scenarios.length, 'scenario')} for ${transitionCount} of ${allCount} transitions`
  const how = isSmallest ? '' : ' (there are too many to try all sets: a smaller one may exist)'
  return `${found}${how}\n${scenarios.map((name) => `${printable(name)}\n`).join('')}`
}

function jsonOf(
  { tally, scenarios, settings }: Fingerprint,
  depths: readonly number[],
  news: readonly News[] | null,
  below: number,
): object {
  const estimates = (of: Tally): Estimate[] => depths.map((depth) => estimateOf(of, depth))
  return {
    schema: 1,
    depth: settings.depth,
    below,
    isFinished: tally === null ? null : estimateOf(tally).upper < below,
    all: tally === null ? null : estimates(tally),
    scenarios: [...scenarios].map(([name, of]) => ({
      name,
      isMoving: estimateOf(of).upper >= below,
      estimates: estimates(of),
    })),
    curve: news,
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => (row[at] ?? '').length)))
  return [head, ...rows].map((row) =>
    `  ${row.map((cell, at) => cell.padEnd(widths[at] as number)).join('  ')}`.trimEnd(),
  )
}
