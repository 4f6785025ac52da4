// What sinks are sent: each a pure function of one event. Names in an event come from programs: here they become inert in the
// form that is written, whatever reads it.

import { createHmac } from 'node:crypto'
import { printable } from '../match/printable.ts'
import type { Severity } from '../match/severity.ts'
import type { AlertEvent } from './event.ts'

const NAME_LIMIT = 200
/** What Slack takes in one block. */
const SLACK_LIMIT = 2900

/** One sentence, for people. */
export function sentenceOf(event: AlertEvent): string {
  const { kind, program, host, severity, missCount, misses, name } = event
  const [first] = misses
  const step = first === undefined ? '' : `: ${clean(first.from)} -> ${clean(first.to)}`
  const count = missCount === 1 ? '1 miss' : `${missCount} misses`
  const hidden = event.suppressedCount > 0 ? `, ${event.suppressedCount} not listed` : ''
  const doubt = event.confidence === 'lowered' ? '; records are missing' : ''
  const what = kind === 'test' ? 'test, nothing happened' : `${severity} ${event.score.value}`
  return `${what}: ${clean(program)} in ${clean(name)} on ${clean(host)}: ${count}${hidden}${step}${doubt}`
}

/** `tracefp: alert 01... high 6.5: ...` */
export function stderrLine(event: AlertEvent): string {
  return `tracefp: alert ${event.alert} ${sentenceOf(event)}\n`
}

/** The whole event in ASCII. */
export function jsonLine(event: AlertEvent): string {
  return `${ascii(JSON.stringify(event))}\n`
}

/** RFC 5424, facility authpriv. `pid` is the sender's. */
export function syslogMessage(event: AlertEvent, pid: number): string {
  const priority = FACILITY * 8 + syslogSeverityOf(event)
  const host = syslogName(event.host, 255)
  const elements = syslogParams(event).map(([name, value]) => ` ${name}="${sdValue(value)}"`)
  const data = `[${SD_ID}${elements.join('')}]`
  return `<${priority}>1 ${event.time} ${host} tracefp ${pid} ${event.kind} ${data} \ufeff${sentenceOf(event)}`
}

export const SD_ID = 'tracefp@32473'
const FACILITY = 10
const SYSLOG_SEVERITIES: Readonly<Record<Severity, number>> = { critical: 2, high: 3, medium: 4, low: 5 }

export function syslogSeverityOf({ kind, severity }: AlertEvent): number {
  return kind === 'test' ? 6 : (SYSLOG_SEVERITIES[severity] ?? 4)
}

export function syslogParams(event: AlertEvent): readonly (readonly [string, string])[] {
  return [
    ['id', event.id],
    ['alert', event.alert],
    ['session', event.session],
    ['program', event.program],
    ['severity', event.severity],
    ['score', String(event.score.value)],
    ['misses', String(event.missCount)],
    ['suppressed', String(event.suppressedCount)],
    ['mode', event.mode],
  ]
}

/** A value of structured data: `"`, `\` and `]` are escaped. */
export function sdValue(text: string): string {
  return clean(text).replace(/["\\\]]/g, '\\$&')
}

/** How a message is framed on a TCP connection (RFC 6587, octet counting). */
export function framed(message: string): Buffer {
  const bytes = Buffer.from(message)
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes])
}

export interface WebhookRequest {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** `secret`: key of the HMAC over `timestamp.body`; null: it is not signed. `nowMs`: when it is sent. */
export function webhookRequest(
  event: AlertEvent,
  template: 'event' | 'slack',
  secret: string | null,
  nowMs: number,
): WebhookRequest {
  const body = template === 'slack' ? slackBody(event) : ascii(JSON.stringify(event))
  const timestamp = String(Math.floor(nowMs / 1000))
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': `tracefp/${event.tracefp}`,
      'x-tracefp-id': event.id,
      'x-tracefp-timestamp': timestamp,
      ...(secret === null ? {} : { 'x-tracefp-signature': `sha256=${hmac(secret, `${timestamp}.${body}`)}` }),
    },
  }
}

function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex')
}

/** Mentions and links cannot be made by a name: `<`, `>` and `&` are escaped, as Slack asks for. */
function slackBody(event: AlertEvent): string {
  const text = slackText(`tracefp: ${sentenceOf(event)}`)
  const steps = event.misses.map(({ from, to, tid }) => `${tid}: ${clean(from)} -> ${clean(to)}`)
  const details = slackText(
    [`alert ${event.alert}, session ${event.session}`, clean(event.score.text, 400), ...steps].join('\n'),
  )
  return ascii(
    JSON.stringify({
      text,
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } },
        { type: 'section', text: { type: 'plain_text', text: details, emoji: false } },
      ],
    }),
  )
}

function slackText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').slice(0, SLACK_LIMIT)
}

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** What `metricsText` is, over HTTP. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The text format of Prometheus. */
export function metricsText(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, values }) => {
      const lines = values.map(({ labels, value }) => `${name}${labelsText(labels)} ${value}`)
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
    })
    .join('')
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels)
  if (entries.length === 0) return ''
  return `{${entries.map(([name, value]) => `${name}="${clean(value).replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

function clean(text: string, limit = NAME_LIMIT): string {
  return printable(text, limit)
}

/** JSON in which no name can steer a terminal. */
export function ascii(text: string): string {
  return text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A word of a header: printable ASCII without spaces. */
function syslogName(text: string, limit: number): string {
  const word = text.replace(/[^\x21-\x7e]/g, '?').slice(0, limit)
  return word === '' ? '-' : word
}
