// The lists of sessions and of alerts. A first page stays as new as the store; older pages stand still.

import { byId, element } from '../../review/page/dom.ts'
import { get } from './ask.ts'
import type { AlertRow, Changes, Rows, SessionRow } from './data.ts'
import { badge, button, type Cell, link, tableOf, time } from './table.ts'

interface List<T> {
  readonly title: string
  readonly path: string
  readonly filter: { readonly label: string; readonly name: string; readonly values: readonly string[] }
  readonly heads: readonly string[]
  readonly cells: (row: T) => readonly Cell[]
  readonly changed: (changes: Changes) => readonly T[]
}

const SESSIONS: List<SessionRow> = {
  title: 'Sessions',
  path: '/api/sessions',
  filter: { label: 'Verdict', name: 'verdict', values: ['abnormal', 'inconclusive', 'authentic'] },
  heads: ['Session', 'Started', 'Program', 'Verdict', 'Misses', 'Calls', 'Engine'],
  cells: (row) => [
    link(`session/${row.id}`, row.id),
    time(row.startedAt),
    row.program,
    badge(row.state === 'ended' ? (row.verdict ?? '') : row.state),
    `${row.missCount}`,
    `${row.recordCount}`,
    row.engine ?? row.kind,
  ],
  changed: ({ sessions }) => sessions,
}

const ALERTS: List<AlertRow> = {
  title: 'Alerts',
  path: '/api/alerts',
  filter: { label: 'State', name: 'state', values: ['new', 'acknowledged', 'incident', 'allowed'] },
  heads: ['Alert', 'Opened', 'Program', 'Severity', 'Score', 'State', 'Misses', 'Not listed'],
  cells: (row) => [
    link(`alert/${row.id}`, row.id),
    time(row.openedAt),
    row.program,
    badge(row.severity),
    `${row.score}`,
    badge(row.isTold ? row.state : `${row.state}, not told`),
    `${row.missCount}`,
    `${row.suppressedCount}`,
  ],
  changed: ({ alerts }) => alerts,
}

export type OnChanges = (changes: Changes) => void

export const showSessions = (): Promise<OnChanges> => show(SESSIONS)
export const showAlerts = (): Promise<OnChanges> => show(ALERTS)

async function show<T extends { readonly id: string }>(list: List<T>): Promise<OnChanges> {
  const chosen = element('select', {}) as HTMLSelectElement
  chosen.append(element('option', { value: '' }, 'all'))
  for (const value of list.filter.values) chosen.append(element('option', { value }, value))
  const place = element('div')
  let before = ''
  let rows: readonly T[] = []

  const draw = (hasMore: boolean): void => {
    const older = button('Older', () => void load(rows.at(-1)?.id ?? ''))
    const newest = button('Newest', () => void load(''))
    const buttons = [...(before === '' ? [] : [newest]), ...(hasMore ? [older] : [])]
    // A live update must not take the focus away from who goes through the rows.
    const focused = document.activeElement?.getAttribute('href')
    place.replaceChildren(tableOf(list.title, list.heads, rows.map(list.cells)), element('p', {}, ...buttons))
    if (focused != null) place.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus()
  }
  const load = async (from: string): Promise<void> => {
    const query = new URLSearchParams({ before: from, [list.filter.name]: chosen.value })
    const answer = await get<Rows<T>>(`${list.path}?${query}`)
    before = from
    rows = answer.rows
    draw(answer.hasMore)
  }
  chosen.onchange = () => void load('')
  byId('view').replaceChildren(
    element('h1', {}, list.title),
    element('label', {}, `${list.filter.label} `, chosen),
    place,
  )
  await load('')
  return (changes) => {
    if (before === '' && (changes.isMuch || list.changed(changes).length > 0)) void load('')
  }
}
