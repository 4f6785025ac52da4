// tracefp explain: why the Nth miss of a report is a miss. Works on the report alone, on any machine, and
// says more with a fingerprint.

import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { explainMiss } from '../match/explain.ts'
import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import { ledgerPathOf, readFingerprintFile, readLedgerFile } from '../model/files.ts'
import type { Fingerprint } from '../model/fingerprint.ts'
import type { Ledger } from '../model/ledger.ts'
import { elsewhereOf, elsewhereText } from '../review/elsewhere.ts'
import { builtinMapping } from '../syscall/builtin.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { asJson, type Output, stdio } from './output.ts'
import { type ReadReport, readReports } from './read-reports.ts'

interface ExplainOptions {
  readonly fingerprint?: string
  readonly json?: boolean
}

/** A miss with its number, counted through all reports of the file from 1. */
interface NumberedMiss {
  readonly number: number
  readonly report: ReadReport
  readonly miss: Miss
}

/** More than these are asked for by their number. */
const SHOWN_COUNT = 20

export function defineExplain(program: Command, output: Output = stdio): void {
  program
    .command('explain')
    .description('explain the misses of a report')
    .argument('<report>', 'a report as JSON or JSON Lines; - is stdin')
    .argument('[n]', `only the nth miss (default: the first ${SHOWN_COUNT})`)
    .option('-f, --fingerprint <file>', 'tell also where each step is known from: shorter, scenarios, other programs')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  tracefp run --report report.json -- ./server\n  tracefp explain report.json 1')
    .action(async (file: string, wanted: string | undefined, options: ExplainOptions) => {
      const known = options.fingerprint === undefined ? null : await readKnown(options.fingerprint)
      explain(readReports(file), wanted, file, options, known, output)
    })
}

function explain(
  reports: readonly ReadReport[],
  wanted: string | undefined,
  file: string,
  options: ExplainOptions,
  known: KnownFrom | null,
  output: Output,
): void {
  const all = numbered(reports)
  const shownCount = options.json === true ? all.length : SHOWN_COUNT
  const chosen = wanted === undefined ? all.slice(0, shownCount) : [nth(all, wanted, file)]
  if (options.json === true) {
    const values = chosen.map(({ number, report, miss }) => ({
      number,
      session: report.session,
      name: report.name,
      miss,
      explanation: explainMiss(miss),
      ...(known === null ? {} : { elsewhere: elsewhereOf(miss, known.fingerprint, known.ledger) }),
    }))
    output.data(`${asJson(values, 2)}\n`)
  } else if (all.length === 0) {
    output.data(reports.map(withoutMisses).join(''))
  } else {
    output.data(
      chosen
        .map(
          (one) =>
            `${headOf(one, all.length, reports.length > 1)}\n${explainMiss(one.miss)}\n${knownText(one.miss, known)}`,
        )
        .join('\n'),
    )
  }
  if (wanted === undefined) tellRest(all.length - chosen.length, reports, output)
}

/** A fingerprint to look in, and its ledger where there is one. */
interface KnownFrom {
  readonly fingerprint: Fingerprint
  readonly ledger: Ledger | null
}

async function readKnown(name: string): Promise<KnownFrom> {
  const file = fingerprintFileNamed(name)
  const fingerprint = await readFingerprintFile(file)
  const mapping = builtinMapping(fingerprint.settings.mapping)
  const hasLedger = mapping !== undefined && existsSync(ledgerPathOf(file))
  return { fingerprint, ledger: hasLedger ? await readLedgerFile(file, mapping) : null }
}

function knownText(miss: Miss, known: KnownFrom | null): string {
  const elsewhere = known === null ? null : elsewhereOf(miss, known.fingerprint, known.ledger)
  if (elsewhere === null) return ''
  return elsewhereText(elsewhere)
    .map((line, index) => `  ${(index === 0 ? 'known' : '').padEnd(10)}${line}\n`)
    .join('')
}

function numbered(reports: readonly ReadReport[]): NumberedMiss[] {
  const all: NumberedMiss[] = []
  for (const report of reports)
    for (const miss of [...report.misses, ...report.libraries]) all.push({ number: all.length + 1, report, miss })
  return all
}

/** @throws UsageError */
function nth(all: readonly NumberedMiss[], wanted: string, file: string): NumberedMiss {
  const found = /^[1-9]\d{0,8}$/.test(wanted) ? all[Number(wanted) - 1] : undefined
  if (found !== undefined) return found
  if (all.length === 0)
    throw new UsageError(`${file} lists no misses: there is no miss ${wanted}: leave the number out`)
  throw new UsageError(`${file} has no miss ${wanted}: give a number from 1 to ${all.length}`)
}

function headOf({ number, report }: NumberedMiss, count: number, isOneOfSeveral: boolean): string {
  const whose = isOneOfSeveral ? ` (${printable(report.name)}, session ${printable(report.session)})` : ''
  return `miss ${number} of ${count}${whose}`
}

function withoutMisses({ name, verdict, notes }: ReadReport): string {
  const lines = [
    `${printable(name)}: ${printable(verdict)}, no misses`,
    ...notes.map((note) => `  note      ${printable(note)}`),
  ]
  return `${lines.join('\n')}\n`
}

function tellRest(restCount: number, reports: readonly ReadReport[], output: Output): void {
  if (restCount > 0) output.message(`tracefp: ${restCount} more: name one by its number, or take all with --json\n`)
  const unlisted = reports.reduce((sum, report) => sum + report.missCount - report.misses.length, 0)
  if (unlisted > 0) output.message(`tracefp: ${unlisted} misses were counted but are not listed in the report\n`)
}
