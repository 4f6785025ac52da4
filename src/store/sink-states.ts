// How it is with the sinks: what became of events, which the store counts, and what waits in their spools.

import { waitingCounts } from '../outbox/spool.ts'
import type { SinkCount } from './records.ts'
import type { SessionStore } from './session-store.ts'

export interface SinkState extends SinkCount {
  readonly waitingCount: number
}

export function sinkStates(store: SessionStore): SinkState[] {
  const waiting = new Map(waitingCounts(store.home).map(({ receiver, count }) => [receiver, count]))
  const known = store.sinkCounts().map((sink) => ({ ...sink, waitingCount: waiting.get(sink.name) ?? 0 }))
  const names = new Set(known.map(({ name }) => name))
  const unknown = [...waiting].filter(([name]) => !names.has(name))
  // What never came to a count: its sender was killed.
  return [
    ...known,
    ...unknown.map(([name, waitingCount]) => ({ name, sentCount: 0, failedCount: 0, droppedCount: 0, waitingCount })),
  ]
}
