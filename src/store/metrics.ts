// What the store holds, as metrics: no label is made of a name that a program could choose.

import type { Metric } from '../alert/formats.ts'
import { waitingCounts } from '../outbox/spool.ts'
import type { SessionStore } from './session-store.ts'

export function metricsOf(store: SessionStore): Metric[] {
  const counts = store.counts()
  const plain = (name: string, help: string, value: number, type: Metric['type'] = 'gauge'): Metric => {
    return { name: `tracefp_${name}`, help, type, values: [{ labels: {}, value }] }
  }
  const sinks = store.sinkCounts()
  const perSink = (name: string, help: string, countOf: (sink: (typeof sinks)[number]) => number): Metric => ({
    name: `tracefp_sink_${name}_total`,
    help,
    type: 'counter',
    values: sinks.map((sink) => ({ labels: { sink: sink.name }, value: countOf(sink) })),
  })
  return [
    plain('sessions', 'Sessions in the store.', counts.sessionCount),
    plain('sessions_running', 'Sessions that run now.', counts.runningCount),
    plain('sessions_lost', 'Sessions whose tracefp was killed.', counts.lostCount),
    plain('sessions_abnormal', 'Sessions with the verdict abnormal.', counts.abnormalCount),
    plain('sessions_inconclusive', 'Sessions with the verdict inconclusive.', counts.inconclusiveCount),
    plain('alerts_open', 'Alerts that are new or an incident.', counts.openAlertCount),
    plain('misses', 'Misses of all sessions in the store.', counts.missCount),
    plain('gaps', 'Gaps of all sessions in the store.', counts.gapCount),
    plain('records_dropped', 'Records dropped in all sessions in the store.', counts.droppedCount),
    plain('store_bytes', 'Size of database and evidence.', counts.byteCount),
    perSink('sent', 'Events sent.', ({ sentCount }) => sentCount),
    perSink('failed', 'Attempts that failed.', ({ failedCount }) => failedCount),
    perSink('dropped', 'Events dropped unsent.', ({ droppedCount }) => droppedCount),
    {
      name: 'tracefp_sink_waiting',
      help: 'Events that wait to be sent.',
      type: 'gauge' as const,
      values: waitingCounts(store.home).map(({ receiver, count }) => ({ labels: { sink: receiver }, value: count })),
    },
  ].filter(({ values }) => values.length > 0)
}
