// Whether all was seen and kept: drops, gaps, lost sessions, the chain of evidence.

import { byId, element } from '../../review/page/dom.ts'
import { get } from './ask.ts'
import type { OnChanges } from './lists.ts'
import { button, facts, tableOf } from './table.ts'

type Counts = Readonly<Record<string, unknown>> & {
  readonly sinks: readonly {
    readonly name: string
    readonly waitingCount: number
    readonly sentCount: number
    readonly failedCount: number
    readonly droppedCount: number
  }[]
}

const NAMES: Readonly<Record<string, string>> = {
  sessionCount: 'Sessions kept',
  runningCount: 'Running',
  lostCount: 'Lost (tracefp was killed)',
  abnormalCount: 'Abnormal',
  inconclusiveCount: 'Inconclusive',
  openAlertCount: 'Open alerts',
  missCount: 'Misses',
  gapCount: 'Gaps',
  droppedCount: 'Dropped records',
  unparsedLineCount: 'Lines of logs not understood',
  byteCount: 'Bytes of the store',
  head: 'Head of the chain',
}

export async function showHealth(): Promise<OnChanges> {
  const counts = element('div')
  const sinks = element('div')
  const load = async (): Promise<void> => {
    const now = await get<Counts>('/api/counts')
    counts.replaceChildren(facts(Object.entries(NAMES).map(([key, name]) => [name, String(now[key] ?? '')] as const)))
    const rows = now.sinks.map((sink) => [
      sink.name,
      ...[sink.waitingCount, sink.sentCount, sink.failedCount, sink.droppedCount].map(String),
    ])
    sinks.replaceChildren(tableOf('Sinks', ['Sink', 'Waiting', 'Sent', 'Failed tries', 'Dropped'], rows))
  }
  const told = element('pre', { tabindex: '0', 'aria-label': 'Audit' })
  const audit = async (): Promise<void> => {
    told.textContent = JSON.stringify(await get('/api/audit'), null, 2)
  }
  byId('view').replaceChildren(
    element('h1', {}, 'Health'),
    counts,
    element('h2', {}, 'Sinks'),
    sinks,
    element('h2', {}, 'Audit'),
    element('p', {}, 'Walks the chain of sessions, alerts and decisions, and looks at the evidence.'),
    element(
      'p',
      {},
      button('Audit now', () => void audit()),
    ),
    told,
  )
  await load()
  return () => void load()
}
