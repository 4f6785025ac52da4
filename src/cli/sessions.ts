// tracefp sessions, tracefp session: what the session store holds of sessions.

import { type Command, InvalidArgumentError } from 'commander'
import { missLine } from '../match/explain.ts'
import { printable } from '../match/printable.ts'
import type { Report } from '../match/report.ts'
import type { Outcome } from '../match/verdict.ts'
import type { SessionDetail, SessionRow } from '../store/records.ts'
import { alertLine } from './alerts.ts'
import { wholeNumber } from './options.ts'
import { asJson, type Color, colored, type Output } from './output.ts'
import { summaryOf } from './session-output.ts'
import { withStore } from './store-access.ts'
import { counted, shellWord } from './words.ts'

interface SessionsOptions {
  readonly verdict?: 'authentic' | 'abnormal' | 'inconclusive'
  readonly state?: 'running' | 'ended' | 'lost'
  readonly program?: string
  readonly limit: number
  readonly before?: string
  readonly json?: boolean
}

const MISSES_SHOWN = 20
const NAME_LIMIT = 60

export function defineSessions(program: Command, output: Output): void {
  const command = program.command('sessions')
  command
    .description('list the sessions that run, attach and check recorded, newest first')
    .addOption(command.createOption('--verdict <v>', 'only these').choices(['authentic', 'abnormal', 'inconclusive']))
    .addOption(command.createOption('--state <s>', 'only these').choices(['running', 'ended', 'lost']))
    .option('--program <path>', 'only those in which this program ran')
    .option('--limit <n>', 'at most so many, up to 1000', atMostThousand, 50)
    .option('--before <session>', 'what is older than this one: the next page')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  tracefp sessions --verdict abnormal --json')
    .action(async ({ json, ...query }: SessionsOptions) => {
      await withStore((store) => {
        const sessions = store.sessions(query)
        if (json === true) output.data(`${asJson(sessions, 2)}\n`)
        else if (sessions.length === 0) output.message('tracefp: no session is recorded\n')
        else output.data(sessions.map((session) => sessionLine(session, output)).join(''))
      })
    })
}

export function defineSession(program: Command, output: Output): void {
  program
    .command('session')
    .description('tell one session: its report, its alerts, its evidence')
    .argument('<id>', 'the session, or the beginning of its id')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  tracefp session 01KVRM')
    .action(async (id: string, { json }: { readonly json?: boolean }) => {
      await withStore((store) => {
        const session = store.session(store.idOf('session', id)) as SessionDetail
        output.data(json === true ? `${asJson(session, 2)}\n` : detailOf(session, output))
      })
    })
}

export function atMostThousand(text: string): number {
  const number = wholeNumber(text)
  if (number > 1000) throw new InvalidArgumentError('expected at most 1000')
  return number
}

function sessionLine(session: SessionRow, output: Output): string {
  const what = session.state === 'ended' ? wordOf(session.outcome) : session.state
  const parts = [
    session.id,
    session.startedAt.replace(/\.\d+Z$/, 'Z'),
    colored(what.padEnd(14), colorOf(session), output),
    `${session.missCount > 0 ? counted(session.missCount, 'miss') : '-'}`.padEnd(10),
    printable(session.name, NAME_LIMIT),
  ]
  return `${parts.join('  ')}\n`
}

function wordOf(outcome: Outcome | null): string {
  return (outcome ?? 'inconclusive').replace('_', ' ')
}

function colorOf({ state, outcome }: SessionRow): Color {
  if (state === 'running') return 'green'
  return outcome === 'authentic' ? 'green' : outcome === 'abnormal' ? 'red' : 'yellow'
}

function detailOf(session: SessionDetail, output: Output): string {
  const { report } = session
  const lines = [sessionLine(session, output).trimEnd()]
  if (session.state === 'running') lines.push(`  runs under tracefp ${session.pid}`)
  if (session.state === 'lost')
    lines.push('  its tracefp was killed, and the program with it: what it did last is not known')
  if (report !== null) lines.push(...reportLines(report, session))
  for (const alert of session.alerts) lines.push(alertLine(alert, output).trimEnd())
  return `${lines.join('\n')}\n`
}

function reportLines(report: Report, session: SessionDetail): string[] {
  const lines = [
    `  command   ${printable(report.argv.map(shellWord).join(' '), 1000)}`,
    `  where     ${printable(report.host)}, user ${report.uid}, ${report.startedAt} to ${report.endedAt}`,
  ]
  for (const { image, fingerprint, missCount, recordCount } of report.programs) {
    const by = fingerprint === null ? 'no fingerprint' : `fingerprint ${fingerprint.slice(0, 12)}`
    lines.push(
      `  program   ${printable(image)}: ${counted(missCount, 'miss')} in ${counted(recordCount, 'call')}, ${by}`,
    )
  }
  if (session.evidence !== null) lines.push(`  evidence  ${printable(session.evidence)}: tracefp replay ${session.id}`)
  lines.push(summaryOf(report, session.outcome ?? report.verdict).trimEnd())
  for (const miss of report.misses.slice(0, MISSES_SHOWN)) lines.push(missLine(miss))
  const rest = report.missCount - Math.min(MISSES_SHOWN, report.misses.length)
  if (rest > 0) lines.push(`tracefp: ${counted(rest, 'miss')} more: tracefp session --json`)
  return lines
}
