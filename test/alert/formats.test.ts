// What sinks are sent, beside files of how it should look; and that names in it can do nothing.

import { expect, test } from 'vitest'
import { framed, jsonLine, metricsText, stderrLine, syslogMessage, webhookRequest } from '../../src/alert/formats.ts'
import { eventOf, HOSTILE } from './events.ts'

const NOW = Date.parse('2026-11-23T10:00:02.500Z')
const golden = (name: string): string => `../fixtures/alerts/${name}`

test('each form is as it was', async () => {
  const event = eventOf()
  await expect(stderrLine(event)).toMatchFileSnapshot(golden('stderr.txt'))
  await expect(jsonLine(event)).toMatchFileSnapshot(golden('event.jsonl'))
  await expect(syslogMessage(event, 42)).toMatchFileSnapshot(golden('syslog.txt'))
  const webhook = webhookRequest(event, 'event', 'secret', NOW)
  await expect(JSON.stringify(webhook, null, 2)).toMatchFileSnapshot(golden('webhook.json'))
  const slack = webhookRequest(event, 'slack', null, NOW)
  await expect(JSON.stringify(slack, null, 2)).toMatchFileSnapshot(golden('slack.json'))
})

test('names of programs are inert in every form', async () => {
  const event = eventOf({ name: HOSTILE, program: HOSTILE, host: HOSTILE })
  const texts = [stderrLine(event), syslogMessage(event, 42), jsonLine(event)]
  texts.push(webhookRequest(event, 'slack', null, NOW).body)
  for (const text of texts) expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
  await expect(texts.join('\n')).toMatchFileSnapshot(golden('hostile.txt'))
  // The structured data ends where it should, whatever stands in its values.
  const data = String.raw`\[tracefp@32473(?: \w+="(?:[^"\\\]]|\\["\\\]])*")*\]`
  expect(syslogMessage(event, 42)).toMatch(new RegExp(`^<\\d+>1 \\S+ \\S+ tracefp 42 opened ${data} \ufeff`))
  expect(webhookRequest(event, 'slack', null, NOW).body).not.toContain('<!channel>')
  const metric = { name: 'x', help: 'h', type: 'gauge', values: [{ labels: { sink: HOSTILE }, value: 1 }] } as const
  expect(metricsText([metric]).split('\n')).toHaveLength(4)
})

test('a name of 64 KiB is cut', () => {
  const event = eventOf({ program: 'x'.repeat(65_536) })
  for (const text of [stderrLine(event), syslogMessage(event, 1), webhookRequest(event, 'slack', null, NOW).body]) {
    expect(text.length).toBeLessThan(8000)
  }
})

test('octets are counted, not characters', () => {
  expect(framed('\ufeffä').toString()).toBe('5 \ufeffä')
})
