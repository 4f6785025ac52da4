// Tables of rows with links, and lists of facts.

import { element } from '../../review/page/dom.ts'

export type Cell = string | Node

export function tableOf(label: string, heads: readonly string[], rows: readonly (readonly Cell[])[]): HTMLElement {
  const head = element('tr', {}, ...heads.map((text) => element('th', { scope: 'col' }, text)))
  const body = rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell))))
  const none = element('tr', {}, element('td', { colspan: `${heads.length}` }, 'There is nothing yet.'))
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': label },
    element('table', {}, element('thead', {}, head), element('tbody', {}, ...(body.length === 0 ? [none] : body))),
  )
}

export function facts(rows: readonly (readonly [name: string, value: Cell])[]): HTMLElement {
  return element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))
}

export function link(to: string, text: string): HTMLElement {
  return element('a', { href: `#${to}` }, text)
}

/** A word whose meaning is in its text; the colour only repeats it. */
export function badge(text: string): HTMLElement {
  return element('span', { class: `badge ${/^[a-z]+$/.test(text) ? text : ''}` }, text)
}

export function button(text: string, act: () => void): HTMLElement {
  const made = element('button', { type: 'button' }, text)
  made.addEventListener('click', act)
  return made
}

/** `2026-11-23 12:34:56` of an RFC 3339 time, in UTC as it came. */
export function time(text: string | null): string {
  return text === null ? '' : text.replace('T', ' ').replace(/(?:\.\d+)?Z$/, '')
}
