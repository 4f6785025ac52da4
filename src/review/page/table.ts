// All transitions as a table that can be filtered and sorted; as many rows as are asked for.

import type { PageProgram } from './data.ts'
import { byId, element } from './dom.ts'

const STEP = 200

type Row = PageProgram['rows'][number]

export function showTable(program: PageProgram, groups: readonly { text: string; isTarget: boolean }[]): void {
  const name = (symbol: number): string => program.symbols[symbol]?.text ?? ''
  const group = (symbol: number) => groups[program.symbols[symbol]?.group ?? 0]
  const orders: readonly ((a: Row, b: Row) => number)[] = [
    (a, b) => compare(a[0], b[0]),
    (a, b) => compare(name(a[1]), name(b[1])),
    (a, b) => b[2] - a[2],
    (a, b) => (program.symbols[a[1]]?.group ?? 0) - (program.symbols[b[1]]?.group ?? 0),
    (a, b) => b[3] - a[3],
  ]
  const filter = byId('filter') as HTMLInputElement
  const headers = [...document.querySelectorAll<HTMLElement>('#transitions th')]
  let [limit, order, isReversed] = [STEP, 0, false]

  const draw = (): void => {
    const wanted = filter.value.trim().toLowerCase()
    const text = (row: Row): string => `${row[0]} -> ${name(row[1])} ${seen(row)}`.toLowerCase()
    const found = program.rows.filter((row) => text(row).includes(wanted))
    found.sort(orders[order])
    if (isReversed) found.reverse()
    const rows = found.slice(0, limit).map((row) => {
      const [context, next, runs] = row
      const own = group(next)
      const cells = [context, name(next), `${runs}`, own?.text ?? '', seen(row)].map((cell) => element('td', {}, cell))
      return element('tr', own?.isTarget === true ? { class: 'target' } : {}, ...cells)
    })
    byId('rows').replaceChildren(...rows)
    byId('shown').textContent = `${Math.min(limit, found.length)} of ${found.length} transitions`
    byId('more').hidden = found.length <= limit
    for (const [index, header] of headers.entries()) {
      header.setAttribute('aria-sort', index !== order ? 'none' : isReversed ? 'descending' : 'ascending')
    }
  }
  for (const [index, header] of headers.entries()) {
    const button = header.querySelector('button')
    if (button === null) continue
    button.onclick = () => {
      isReversed = order === index && !isReversed
      order = index
      draw()
    }
  }
  filter.oninput = () => {
    limit = STEP
    draw()
  }
  byId('more').onclick = () => {
    limit += STEP
    draw()
  }
  draw()
}

function seen([, , , isFaultOnly]: Row): string {
  return isFaultOnly === 1 ? 'only while calls fail' : 'usually'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
