// tracefp triage: goes through the misses of reports, asks what they are, and writes a candidate: another fingerprint, beside the
// one that is in force. Before it is written kept captures are judged by both.

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { TracefpError, UsageError } from '../errors.ts'
import { explainMiss } from '../match/explain.ts'
import { printable } from '../match/printable.ts'
import { decodeFingerprint, encodeFingerprint } from '../model/codec-fingerprint.ts'
import { encodeLedger } from '../model/codec-ledger.ts'
import { ledgerPathOf, readLedgerFile, writeAtomic } from '../model/files.ts'
import type { Fingerprint } from '../model/fingerprint.ts'
import type { RunInfo } from '../model/learner.ts'
import type { Ledger } from '../model/ledger.ts'
import { OWN_MODE } from '../model/ownership.ts'
import { newUlid } from '../model/ulid.ts'
import { VERSION } from '../package.ts'
import { type ReplayedSession, replay } from '../review/replay.ts'
import {
  casesOf,
  type DecidedCase,
  parseDecisions,
  runOfCases,
  staysApart,
  type TriageCase,
  type TriageDecision,
} from '../review/triage.ts'
import { hostFacts } from '../source/host.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { tracefpHome } from '../store/home.ts'
import { builtinMapping } from '../syscall/builtin.ts'
import type { Mapping } from '../syscall/mapping.ts'
import { ask } from './ask.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { collect, wholeNumber } from './options.ts'
import { asJson, type Output } from './output.ts'
import { readReports } from './read-reports.ts'
import { counted } from './words.ts'

interface TriageOptions {
  readonly fingerprint: string
  readonly output: string
  readonly decide?: readonly string[]
  readonly replay?: readonly string[]
  readonly depth?: number
  readonly json?: boolean
}

const ANSWERS: Readonly<Record<string, TriageDecision>> = { a: 'allow', b: 'abnormal', i: 'incident', s: 'skip' }

export function defineTriage(program: Command, output: Output): void {
  program
    .command('triage')
    .description('decide what the misses of a report are, and write a fingerprint that knows')
    .argument('<report>', 'a report as JSON or JSON Lines')
    .requiredOption(
      '-f, --fingerprint <file>',
      'the fingerprint in force, with its ledger beside it; it is not changed',
    )
    .requiredOption('-o, --output <file>', 'the candidate to write, with its ledger; must not be there')
    .option(
      '--decide <what>',
      'N=, N-M= or all= and allow, abnormal, incident or skip; repeatable (default: ask)',
      collect,
    )
    .option('--replay <log>', 'judge this capture or log by both fingerprints first; repeatable', collect)
    .option('--depth <n>', 'depth of these checks, at most what was learned', wholeNumber)
    .option('--json', 'what was decided and what changes, as JSON')
    .addHelpText(
      'after',
      '\nallow: authentic from now on. abnormal: authentic, and told at low severity. incident, skip: nothing changes.\n' +
        'Ends with 1 when something was an incident. What follows a call that was never seen is not judged until that call\n' +
        'is known: --replay shows what is left.\n' +
        '\nExample:\n  tracefp triage report.json -f server.tfp -o candidate.tfp --replay kept.tfc --decide 1-3=allow --decide 4=incident',
    )
    .action(async (report: string, options: TriageOptions) => {
      process.exitCode = await triage(report, options, output)
    })
}

async function triage(report: string, options: TriageOptions, output: Output): Promise<number> {
  const file = fingerprintFileNamed(options.fingerprint)
  const target = options.output
  for (const path of [target, ledgerPathOf(target)]) {
    if (existsSync(path)) throw new UsageError(`${path} is there already: a candidate never replaces anything`)
  }
  const fingerprint = decodeFingerprint(readFingerprintText(file), file)
  const mapping = mappingOf(fingerprint, file)
  const ledger = await readLedgerFile(file, mapping)
  const cases = casesOf(readReports(report), fingerprint)
  const given = parseDecisions(options.decide ?? [], cases.length)
  const decided =
    options.decide === undefined
      ? await askAll(cases, output)
      : cases.map((one) => ({ ...one, decision: given.get(one.number) ?? 'skip' }))
  const candidate = candidateOf(decided, fingerprint, ledger, mapping)
  const sessions = candidate === null ? [] : await replayed(candidate, file, options, mapping, ledger)
  tell(decided, sessions, options, output)
  if (candidate === null) output.message('tracefp: nothing was allowed: no candidate is written\n')
  else if (options.decide === undefined && (await ask('write the candidate? [y/n] ', ['y', 'n'], output)) !== 'y') {
    output.message('tracefp: no candidate is written\n')
  } else {
    await writeAtomic(ledgerPathOf(target), encodeLedger(ledger, mapping), OWN_MODE)
    await writeAtomic(target, encodeFingerprint(candidate), OWN_MODE)
    output.message(
      `tracefp: ${printable(target)}: the candidate; see tracefp diff ${printable(file)} ${printable(target)}\n`,
    )
  }
  return decided.some(({ decision }) => decision === 'incident') ? EXIT_CODES.data.abnormal : 0
}

/** The ledger takes the decisions. @throws UsageError: something cannot be allowed. */
function candidateOf(
  decided: readonly DecidedCase[],
  fingerprint: Fingerprint,
  ledger: Ledger,
  mapping: Mapping,
): Fingerprint | null {
  const of = (wanted: TriageDecision): DecidedCase[] => decided.filter(({ decision }) => decision === wanted)
  const runs = [
    runOfCases(of('allow'), fingerprint, infoOf(of('allow'), 'normal')),
    runOfCases(of('abnormal'), fingerprint, infoOf(of('abnormal'), 'fault')),
  ].filter((run) => run !== null)
  if (runs.length === 0) return null
  for (const run of runs) ledger.addRun(run)
  const candidate = ledger.fingerprint(mapping)
  if (!staysApart(of('abnormal'), fingerprint, candidate)) {
    const why = 'this format of fingerprints cannot tell abnormal from authentic'
    throw new TracefpError('TFP_ERR_MODEL_SETTINGS', `${why}: decide allow, or skip`)
  }
  return candidate
}

/** Who decided, when, and about which sessions: the provenance of a run that never ran. */
function infoOf(cases: readonly DecidedCase[], layer: 'normal' | 'fault'): RunInfo {
  const { host, kernel } = hostFacts()
  const sessions = [...new Set(cases.flatMap((one) => one.sessions))]
  const info = {
    id: newUlid(),
    at: new Date().toISOString(),
    scenario: 'triage',
    host,
    kernel,
    tool: `tracefp ${VERSION}`,
    command: ['tracefp', 'triage', ...sessions],
    layer,
    origin: 'review' as const,
  }
  return info
}

async function replayed(
  candidate: Fingerprint,
  before: string,
  { replay: logs, depth }: TriageOptions,
  mapping: Mapping,
  ledger: Ledger,
): Promise<ReplayedSession[]> {
  if (logs === undefined) return []
  const folder = await mkdtemp(join(tmpdir(), 'tracefp-triage-'))
  try {
    const after = join(folder, 'candidate.tfp')
    await writeAtomic(ledgerPathOf(after), encodeLedger(ledger, mapping))
    await writeAtomic(after, encodeFingerprint(candidate))
    return await replay({ logs, before, after, home: tracefpHome(), depth: depth ?? null })
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A capital letter decides this case and all that follow. */
async function askAll(cases: readonly TriageCase[], output: Output): Promise<DecidedCase[]> {
  const decided: DecidedCase[] = []
  let forRest: TriageDecision | undefined
  for (const one of cases) {
    const { number, miss, missCount, obstacle } = one
    if (forRest !== undefined) {
      const isPossible = obstacle === null || (forRest !== 'allow' && forRest !== 'abnormal')
      decided.push({ ...one, decision: isPossible ? forRest : 'skip' })
      continue
    }
    output.message(`\ncase ${number} of ${cases.length}, ${counted(missCount, 'miss')}\n${explainMiss(miss)}\n`)
    if (obstacle !== null) output.message(`  it cannot be allowed: ${obstacle}\n`)
    const letters = obstacle === null ? ['a', 'b', 'i', 's'] : ['i', 's']
    const words = obstacle === null ? '[a]llow, a[b]normal, [i]ncident, [s]kip' : '[i]ncident, [s]kip'
    const rest = number === cases.length ? '' : ' (a capital: all the rest too)'
    const answer = await ask(
      `${words}${rest}? `,
      [...letters, ...letters.map((letter) => letter.toUpperCase())],
      output,
    )
    const decision = ANSWERS[answer.toLowerCase()] ?? 'skip'
    if (answer !== answer.toLowerCase()) forRest = decision
    decided.push({ ...one, decision })
  }
  return decided
}

function tell(
  decided: readonly DecidedCase[],
  sessions: readonly ReplayedSession[],
  { json, replay: logs }: TriageOptions,
  output: Output,
): void {
  if (json === true) {
    output.data(`${asJson({ schema: 1, cases: decided, replayed: sessions }, 2)}\n`)
    return
  }
  const lines = decided.map(({ number, decision, miss, missCount }) => {
    const step = `${printable(miss.image)}: ${printable(miss.from)} -> ${printable(miss.to)}`
    return `${number}  ${decision.padEnd(8)}  ${step}  (${counted(missCount, 'miss')})\n`
  })
  const changed = sessions.filter((session) => session.before !== session.after)
  for (const { log, before, after, missCountBefore, missCountAfter } of changed) {
    const counts = `${missCountBefore} -> ${missCountAfter} misses`
    lines.push(`verdict of ${printable(log)} would change: ${before} -> ${after} (${counts})\n`)
  }
  if (logs !== undefined) lines.push(`${counted(changed.length, 'verdict')} of ${sessions.length} would change\n`)
  output.data(lines.join(''))
}

function mappingOf({ settings }: Fingerprint, file: string): Mapping {
  const mapping = builtinMapping(settings.mapping)
  if (mapping !== undefined) return mapping
  throw new TracefpError(
    'TFP_ERR_MODEL_MAPPING',
    `${file}: mapping ${settings.mapping} is a file of yours: learn instead`,
  )
}
