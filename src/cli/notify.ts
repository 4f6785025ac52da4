// tracefp notify: sends a test to every sink of the policy, or what still waits to be sent.

import type { Command } from 'commander'
import type { AlertEvent } from '../alert/event.ts'
import { policyFile, readPolicy } from '../alert/policy.ts'
import { NOWHERE, scoreOf } from '../alert/score.ts'
import { TracefpError } from '../errors.ts'
import type { Miss } from '../match/miss.ts'
import { printable } from '../match/printable.ts'
import { newUlid } from '../model/ulid.ts'
import { VERSION } from '../package.ts'
import { type Delivery, deliver } from '../session/deliver.ts'
import { hostFacts } from '../source/host.ts'
import { tracefpHome } from '../store/home.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { asJson, type Output } from './output.ts'

interface NotifyOptions {
  readonly json?: boolean
}

/** A command waits longer than the end of a run. */
const TIMEOUT_MS = 10_000
const TOTAL_MS = 60_000

export function defineNotify(program: Command, output: Output): void {
  program
    .command('notify')
    .description('send to the sinks of the policy')
    .addArgument(
      program
        .createArgument('<what>', 'test: one test event to each; flush: what could not be sent before')
        .choices(['test', 'flush']),
    )
    .option('--json', 'what came of it, as JSON')
    .addHelpText('after', '\nExample:\n  tracefp notify test\n\nEnds with 0 when all was sent, else with 1.')
    .action(async (what: 'test' | 'flush', options: NotifyOptions) => {
      process.exitCode = await notify(what, options, output)
    })
}

async function notify(what: 'test' | 'flush', { json }: NotifyOptions, output: Output): Promise<number> {
  const home = tracefpHome()
  const policy = await readPolicy(home)
  if (policy.sinks.length === 0) {
    throw new TracefpError('TFP_ERR_ALERT_POLICY', `${policyFile(home)} names no sink: add [[sink]] with a type`)
  }
  const events = what === 'test' ? [testEvent()] : []
  const deliveries = await deliver(events, { home, policy, timeoutMs: TIMEOUT_MS, totalMs: TOTAL_MS })
  output.data(json === true ? `${asJson(deliveries, 2)}\n` : deliveries.map(lineOf).join(''))
  const isWell = deliveries.every(({ trouble, waitingCount }) => trouble === null && waitingCount === 0)
  return isWell ? EXIT_CODES.data.authentic : EXIT_CODES.data.abnormal
}

function lineOf({ sink, sentCount, droppedCount, waitingCount, trouble }: Delivery): string {
  const dropped = droppedCount > 0 ? `, ${droppedCount} dropped` : ''
  const why = trouble === null ? '' : `: ${printable(trouble)}`
  return `${sink.padEnd(12)}  ${sentCount} sent, ${waitingCount} waiting${dropped}${why}\n`
}

function testEvent(): AlertEvent {
  const { host, machineId, bootId, uid } = hostFacts()
  const misses: Miss[] = []
  const score = { ...scoreOf([TEST_MISS], () => NOWHERE), text: 'a test: nothing happened' }
  return {
    schema: 1,
    kind: 'test',
    id: newUlid(),
    alert: newUlid(),
    time: new Date().toISOString(),
    tracefp: VERSION,
    host,
    machineId,
    bootId,
    session: newUlid(),
    name: 'tracefp notify test',
    uid,
    program: 'tracefp',
    sha256: null,
    fingerprint: null,
    severity: 'low',
    score,
    mode: 'alert',
    confidence: 'full',
    missCount: 0,
    suppressedCount: 0,
    misses,
    gapCount: 0,
    droppedCount: 0,
  }
}

const TEST_MISS: Miss = {
  tid: 0,
  tgid: 0,
  ppid: 0,
  ancestors: [],
  kind: 'end',
  image: 'tracefp',
  index: 0,
  at: '',
  context: [],
  from: '<exec>',
  to: '<end>',
  depth: 2,
  expected: [],
  path: [],
  severity: 'low',
  layer: null,
  burst: 1,
  isAlarm: true,
  action: 'alert',
}
