// What the store holds, as metrics: no label is made of a name that a program could choose.

import type { Metric } from '../alert/formats.ts'
import type { SessionStore } from './session-store.ts'
import { sinkStates } from './sink-states.ts'

export function metricsOf(store: SessionStore): Metric[] {
  const counts = store.counts()
  const plain = (name: string, help: string, value: number, type: Metric['type'] = 'gauge'): Metric => {
    return { name: `tracefp_${name}`, help, type, values: [{ labels: {}, value }] }
  }
  const sinks = sinkStates(store)
  const perSink = (name: string, help: string, countOf: (sink: (typeof sinks)[number]) => number): Metric => ({
    name: `tracefp_sink_${name}`,
    help,
    type: name.endsWith('_total') ? 'counter' : 'gauge',
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
    perSink('sent_total', 'Events sent.', ({ sentCount }) => sentCount),
    perSink('failed_total', 'Attempts that failed.', ({ failedCount }) => failedCount),
    perSink('dropped_total', 'Events dropped unsent.', ({ droppedCount }) => droppedCount),
    perSink('waiting', 'Events that wait to be sent.', ({ waitingCount }) => waitingCount),
  ].filter(({ values }) => values.length > 0)
}
