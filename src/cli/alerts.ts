// tracefp alerts, tracefp alert: abnormal sessions, program by program, and what was decided about them.

import type { Command } from 'commander'
import { explainMiss } from '../match/explain.ts'
import { printable } from '../match/printable.ts'
import type { AlertDetail, AlertRow, AlertState } from '../store/records.ts'
import { asJson, type Color, colored, type Output } from './output.ts'
import { atMostThousand } from './sessions.ts'
import { withStore } from './store-access.ts'
import { userName } from './user-name.ts'
import { counted } from './words.ts'

interface AlertsOptions {
  readonly state?: AlertState
  readonly session?: string
  readonly program?: string
  readonly limit: number
  readonly before?: string
  readonly json?: boolean
}

const VERBS = { ack: 'acknowledged', incident: 'incident', allow: 'allowed' } as const
const COLORS: Readonly<Record<string, Color>> = { low: 'green', medium: 'yellow', high: 'red', critical: 'red' }
const NOTE_LIMIT = 2000

export function defineAlerts(program: Command, output: Output): void {
  const command = program.command('alerts')
  command
    .description('list alerts, newest first: one per abnormal session and program')
    .addOption(
      command.createOption('--state <s>', 'only these').choices(['new', 'acknowledged', 'incident', 'allowed']),
    )
    .option('--session <id>', 'only those of this session')
    .option('--program <path>', 'only those of this program')
    .option('--limit <n>', 'at most so many, up to 1000', atMostThousand, 50)
    .option('--before <alert>', 'what is older than this one: the next page')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  tracefp alerts --state new')
    .action(async ({ json, ...query }: AlertsOptions) => {
      await withStore((store) => {
        const alerts = store.alerts(query)
        if (json === true) return output.data(`${asJson(alerts, 2)}\n`)
        if (alerts.length === 0) return output.message('tracefp: there is no alert\n')
        output.data(alerts.map((alert) => alertLine(alert, output)).join(''))
        const untold = alerts.filter(({ isTold }) => !isTold).length
        if (untold > 0)
          output.message(`tracefp: ${counted(untold, 'alert')} of these kept from the sinks by the policy\n`)
      })
    })
}

export function defineAlert(program: Command, output: Output): void {
  program
    .command('alert')
    .description('tell one alert, or decide about it: ack, incident, allow')
    .argument('<id>', 'the alert, or the beginning of its id')
    .addArgument(
      program
        .createArgument('[decision]', 'ack: seen; incident: it was an attack; allow: it may happen')
        .choices(Object.keys(VERBS)),
    )
    .option('--note <text>', 'why; it is kept with the decision')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  tracefp alert 01KVRM incident --note "ticket 4711"')
    .action(async (id: string, verb: keyof typeof VERBS | undefined, options: { note?: string; json?: boolean }) => {
      await withStore((store) => {
        const alert = store.idOf('alert', id)
        const detail =
          verb === undefined
            ? (store.alert(alert) as AlertDetail)
            : store.decide({
                alert,
                state: VERBS[verb],
                actor: userName(),
                via: 'cli',
                note: (options.note ?? '').slice(0, NOTE_LIMIT),
              })
        output.data(options.json === true ? `${asJson(detail, 2)}\n` : detailOf(detail, output))
      })
    })
}

export function alertLine(alert: AlertRow, output: Output): string {
  const hidden = alert.suppressedCount > 0 ? `, ${alert.suppressedCount} not listed` : ''
  const parts = [
    alert.id,
    alert.openedAt.replace(/\.\d+Z$/, 'Z'),
    colored(`${alert.severity} ${alert.score}`.padEnd(15), COLORS[alert.severity] ?? 'red', output),
    alert.state.padEnd(12),
    `${printable(alert.program)}: ${counted(alert.missCount, 'miss')}${hidden}`,
  ]
  return `${parts.join('  ')}\n`
}

function detailOf(alert: AlertDetail, output: Output): string {
  const { event } = alert
  const lines = [
    alertLine(alert, output).trimEnd(),
    `  severity  ${event.severity}: ${printable(event.score.text, 400)}`,
    `  session   ${alert.session}, ${printable(event.name)} on ${printable(event.host)}, user ${event.uid}`,
    `  policy    mode ${event.mode}, ${alert.isTold ? 'told to the sinks' : 'kept from the sinks'}`,
  ]
  if (event.confidence === 'lowered') lines.push('  doubt     records are missing in this session')
  for (const { at, actor, via, state, note } of alert.actions) {
    lines.push(
      `  decided   ${state} by ${printable(actor)} (${via}) at ${at}${note === '' ? '' : `: ${printable(note, 400)}`}`,
    )
  }
  for (const miss of event.misses) lines.push(explainMiss(miss))
  if (event.suppressedCount > 0)
    lines.push(`${counted(event.suppressedCount, 'miss')} more: tracefp session ${alert.session}`)
  return `${lines.join('\n')}\n`
}
