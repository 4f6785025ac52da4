// One session: its verdict, programs, alerts and misses.

import { byId, element } from '../../review/page/dom.ts'
import { missList } from './alert.ts'
import { get } from './ask.ts'
import type { SessionDetail } from './data.ts'
import type { OnChanges } from './lists.ts'
import { processTree, timeline } from './process-tree.ts'
import { badge, facts, link, tableOf, time } from './table.ts'

export async function showSession(id: string): Promise<OnChanges> {
  const load = async (): Promise<void> => draw(await get<SessionDetail>(`/api/sessions/${id}`))
  await load()
  return (changes) => {
    if (changes.sessions.some((session) => session.id === id)) void load()
  }
}

function draw(session: SessionDetail): void {
  const { report } = session
  const misses = report?.misses ?? []
  byId('view').replaceChildren(
    element('h1', {}, `Session of ${session.name}`),
    facts([
      ['Verdict', badge(session.state === 'ended' ? (session.verdict ?? '') : session.state)],
      ['Program', session.program],
      ['Host', `${session.host}, user ${session.uid}`],
      ['Started', time(session.startedAt)],
      ['Ended', time(session.endedAt)],
      ['Source', `${session.kind} ${session.engine ?? ''}`],
      ['Calls', `${session.recordCount}`],
      ['Misses', `${session.missCount}`],
      ['Gaps, drops', `${session.gapCount}, ${session.droppedCount}`],
    ]),
    element('h2', {}, 'Alerts'),
    tableOf(
      'Alerts',
      ['Alert', 'Program', 'Severity', 'State'],
      session.alerts.map((alert) => [
        link(`alert/${alert.id}`, alert.id),
        alert.program,
        badge(alert.severity),
        badge(alert.state),
      ]),
    ),
    element('h2', {}, 'Programs'),
    tableOf(
      'Programs',
      ['Program', 'Calls', 'Misses', 'Coverage', 'Fingerprint'],
      (report?.programs ?? []).map(({ image, recordCount, missCount, coverage, fingerprint }) => [
        image,
        `${recordCount}`,
        `${missCount}`,
        `${Math.round(coverage * 100)} %`,
        fingerprint === null ? 'none' : link(`fingerprint/${fingerprint}`, fingerprint.slice(0, 12)),
      ]),
    ),
    ...(misses.length === 0
      ? []
      : [
          element('h2', {}, 'Misses'),
          missList(misses),
          element('h2', {}, 'Processes'),
          processTree(misses),
          element('h2', {}, 'Time'),
          timeline(misses, session.startedAt, session.endedAt),
        ]),
    ...((report?.notes.length ?? 0) === 0
      ? []
      : [
          element('h2', {}, 'Notes'),
          element('ul', {}, ...(report?.notes ?? []).map(({ message }) => element('li', {}, message))),
        ]),
  )
}
