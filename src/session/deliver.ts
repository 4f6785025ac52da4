// Brings alerts to the sinks: first onto the disk, then out, as far as each sink takes them in its time. What could not be sent
// waits for the next alert, or for `tracefp notify flush`.

import { writeSync } from 'node:fs'
import type { AlertEvent } from '../alert/event.ts'
import { jsonLine, metricsText } from '../alert/formats.ts'
import type { Policy } from '../alert/policy.ts'
import { type SendOptions, send } from '../alert/send.ts'
import type { SinkConfig } from '../alert/sink-config.ts'
import { writeAtomic } from '../model/files.ts'
import { Spool } from '../outbox/spool.ts'
import { metricsOf } from '../store/metrics.ts'
import type { SinkCount } from '../store/records.ts'
import { openStore } from './open-store.ts'

export interface Delivery {
  readonly sink: string
  readonly sentCount: number
  readonly failedCount: number
  readonly droppedCount: number
  /** Still on the disk. */
  readonly waitingCount: number
  /** The last trouble; null: there was none. */
  readonly trouble: string | null
}

export interface DeliverOptions {
  readonly home: string
  readonly policy: Policy
  /** For one attempt. */
  readonly timeoutMs?: number
  /** For all that waits at one sink. */
  readonly totalMs?: number
}

const TIMEOUT_MS = 2_000
const TOTAL_MS = 5_000

/** Puts the events into the spools, then sends what waits there. Never throws. */
export async function deliver(events: readonly AlertEvent[], options: DeliverOptions): Promise<Delivery[]> {
  const deliveries = await Promise.all(options.policy.sinks.map((sink) => deliverTo(sink, events, options)))
  const counts = deliveries.map(({ sink: name, sentCount, failedCount, droppedCount }): SinkCount => {
    return { name, sentCount, failedCount, droppedCount }
  })
  try {
    const store = await openStore(options.home, options.policy)
    store.countSinks(counts)
    store.close()
  } catch {
    // Counts are worth no alert.
  }
  return deliveries
}

async function deliverTo(sink: SinkConfig, events: readonly AlertEvent[], options: DeliverOptions): Promise<Delivery> {
  const spool = new Spool(options.home, sink.name)
  const count = { sentCount: 0, failedCount: 0, droppedCount: 0 }
  let trouble: string | null = null
  const unspooled: AlertEvent[] = []
  for (const event of events) {
    try {
      count.droppedCount += spool.put(event.id, jsonLine(event))
    } catch (error) {
      // The disk is full: there is this one chance to send it.
      trouble = (error as Error).message
      unspooled.push(event)
    }
  }
  const sendOptions: SendOptions = {
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    writeStderr: (text) => void writeSync(2, text),
    writeMetrics: (file) => writeMetrics(file, options),
  }
  const attempt = async (event: AlertEvent): Promise<boolean> => {
    try {
      await send(sink, event, sendOptions)
      count.sentCount += 1
      return true
    } catch (error) {
      count.failedCount += 1
      trouble = reasonOf(error)
      return false
    }
  }
  for (const event of unspooled) if (!(await attempt(event))) count.droppedCount += 1
  const endAt = performance.now() + (options.totalMs ?? TOTAL_MS)
  for (const id of spool.waiting()) {
    if (performance.now() >= endAt) break
    const text = spool.claim(id)
    if (text === null) continue
    const event = parse(text)
    if (event === null || (await attempt(event))) spool.remove(id)
    else {
      spool.giveBack(id)
      break
    }
  }
  return { sink: sink.name, ...count, waitingCount: spool.waiting().length, trouble }
}

async function writeMetrics(file: string, { home, policy }: DeliverOptions): Promise<void> {
  const store = await openStore(home, policy)
  try {
    await writeAtomic(file, metricsText(metricsOf(store)))
  } finally {
    store.close()
  }
}

/** Null: it was damaged on the disk. */
function parse(text: string): AlertEvent | null {
  try {
    return JSON.parse(text) as AlertEvent
  } catch {
    return null
  }
}

/** fetch says why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
