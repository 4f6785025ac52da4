// One alert: why, where in the tree of processes, when, what was expected, and what is decided about it.

import { byId, element } from '../../review/page/dom.ts'
import { get, post } from './ask.ts'
import type { AlertDetail, Miss } from './data.ts'
import type { OnChanges } from './lists.ts'
import { processTree, timeline } from './process-tree.ts'
import { badge, button, facts, link, tableOf, time } from './table.ts'

const DECISIONS = [
  ['acknowledged', 'Acknowledge'],
  ['incident', 'Incident'],
  ['allowed', 'Allow'],
] as const

/** When the alert that is drawn last changed: what we did ourselves is no news. */
let drawn = ''

export async function showAlert(id: string): Promise<OnChanges> {
  draw(await get<AlertDetail>(`/api/alerts/${id}`))
  return (changes) => {
    // Who writes a note is not disturbed: what is new is told, and is there after the decision.
    const isNew = changes.alerts.some((alert) => alert.id === id && alert.updatedAt > drawn)
    if (isNew) byId('status').textContent = 'This alert has changed.'
  }
}

export function missList(misses: readonly Miss[]): HTMLElement {
  return element(
    'ol',
    { class: 'misses' },
    ...misses.map(({ explanation }) => element('li', {}, element('pre', { tabindex: '0' }, explanation))),
  )
}

function draw(alert: AlertDetail): void {
  const { event } = alert
  drawn = alert.updatedAt
  const note = element('input', { type: 'text', maxlength: '2000' }) as HTMLInputElement
  const decide = async (state: string): Promise<void> => {
    const now = await post<AlertDetail>(`/api/alerts/${alert.id}`, { state, note: note.value })
    draw(now)
    byId('status').textContent = `Decided: ${state}.`
    byId('view').focus()
  }
  const fingerprint = event.fingerprint
  byId('view').replaceChildren(
    element('h1', {}, `Alert about ${alert.program}`),
    facts([
      ['Severity', badge(alert.severity)],
      ['State', badge(alert.state)],
      ['Score', event.score.text],
      ['Session', link(`session/${alert.session}`, alert.session)],
      ['Opened', time(alert.openedAt)],
      ['Misses', `${alert.missCount}, ${alert.suppressedCount} of them not listed`],
      ['Confidence', event.confidence],
      [
        'Fingerprint',
        fingerprint === null ? 'none' : link(`fingerprint/${fingerprint}/${alert.id}`, fingerprint.slice(0, 12)),
      ],
    ]),
    element('h2', {}, 'Decide'),
    element('label', {}, 'Note ', note),
    element(
      'p',
      {},
      ...DECISIONS.map(([state, text]) =>
        button(text, () => {
          decide(state).catch((error: unknown) => {
            byId('status').textContent = `It was not recorded: ${(error as Error).message}`
          })
        }),
      ),
    ),
    tableOf(
      'Decisions',
      ['When', 'Who', 'What', 'Note'],
      alert.actions.map(({ at, actor, via, state, note: text }) => [time(at), `${actor} (${via})`, badge(state), text]),
    ),
    element('h2', {}, 'Why'),
    missList(event.misses),
    element('h2', {}, 'Processes'),
    processTree(event.misses),
    element('h2', {}, 'Time'),
    timeline(event.misses, alert.startedAt, alert.endedAt),
  )
}
