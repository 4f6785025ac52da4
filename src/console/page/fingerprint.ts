// One fingerprint, as `tracefp show --html` draws it, with the misses of an alert boxed.

import { showCurve } from '../../review/page/curve.ts'
import type { PageData, PageProgram } from '../../review/page/data.ts'
import { byId, element } from '../../review/page/dom.ts'
import { showGraph } from '../../review/page/graph.ts'
import { showMatrix } from '../../review/page/matrix.ts'
import { get } from './ask.ts'
import type { AlertDetail, Miss } from './data.ts'
import type { OnChanges } from './lists.ts'
import { facts, tableOf } from './table.ts'

const HELP = `A row for each call, a column for each call that may come right after it; the stronger the colour, the more runs had it.
Boxes are misses of the alert. Arrow keys move the cursor, with Ctrl to the next filled cell; Enter chooses the call.`

export async function showFingerprint(sha256: string, alertId: string | undefined): Promise<OnChanges> {
  const alert = alertId === undefined ? undefined : await get<AlertDetail>(`/api/alerts/${alertId}`)
  let data: PageData
  try {
    data = await get<PageData>(`/api/fingerprints/${sha256}`)
  } catch {
    byId('view').replaceChildren(
      element('h1', {}, `Fingerprint ${sha256.slice(0, 12)}`),
      element('p', {}, 'It is not in the fingerprint store of this machine, or not any more.'),
    )
    return () => {}
  }
  const misses = alert?.event.misses ?? []
  const programs = element('select', { id: 'program' }) as HTMLSelectElement
  for (const [index, { key }] of data.programs.entries()) programs.append(element('option', { value: `${index}` }, key))
  programs.value = `${Math.max(
    0,
    data.programs.findIndex(({ key }) => key === alert?.program),
  )}`
  const own = element('div')
  byId('view').replaceChildren(
    element('h1', {}, `Fingerprint ${data.title}`),
    facts(data.facts),
    element('label', {}, 'Program ', programs),
    own,
  )
  const draw = (): void => {
    const program = data.programs[Number(programs.value)]
    if (program !== undefined) showProgram(own, program, data.groups, misses)
  }
  programs.onchange = draw
  draw()
  return () => {}
}

function showProgram(
  own: HTMLElement,
  program: PageProgram,
  groups: PageData['groups'],
  misses: readonly Miss[],
): void {
  const calls = element('select', { id: 'call' }) as HTMLSelectElement
  const indexOf = new Map(program.symbols.map(({ text }, index) => [text, index]))
  for (const [text, index] of indexOf) calls.append(element('option', { value: `${index}` }, text))
  const missed: (readonly [number, number])[] = []
  const unknown: string[] = []
  for (const { image, from, to } of misses) {
    if (image !== program.key) continue
    const [row, column] = [indexOf.get(from), indexOf.get(to)]
    if (row === undefined || column === undefined) unknown.push(`${from} -> ${to}`)
    else missed.push([row, column])
  }
  const canvas = element('canvas', { id: 'matrix', tabindex: '0', role: 'application', 'aria-describedby': 'help' })
  const graph = { id: 'graph', class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Calls before and after' }
  own.replaceChildren(
    facts(program.facts),
    element('h2', {}, 'Matrix'),
    element('p', { id: 'help' }, HELP),
    ...(unknown.length === 0 ? [] : [element('p', {}, `Misses of calls that it never makes: ${unknown.join(', ')}`)]),
    element('div', { class: 'scroll' }, canvas),
    element('output', { id: 'cell', 'aria-live': 'polite' }),
    element('h2', {}, 'Before and after a call'),
    element('label', {}, 'Call ', calls),
    element('div', graph),
    element('h2', {}, 'Convergence'),
    element('div', { id: 'curve' }),
    element('h2', {}, 'Mimicry budget'),
    tableOf(
      'Mimicry budget',
      ['Call', 'Depth', 'Calls', 'By input', 'Shortest way'],
      program.budgets.flatMap(({ depth, calls: budgets }) =>
        budgets.map(({ call, distance, byInput, path }) => [
          call,
          `${depth}`,
          distance === null ? 'out of reach' : `${distance}`,
          byInput,
          path,
        ]),
      ),
    ),
  )
  const choose = (symbol: number): void => {
    calls.value = `${symbol}`
    const hadFocus = byId('graph').contains(document.activeElement)
    showGraph(program, groups, symbol, choose)
    if (hadFocus) calls.focus()
  }
  calls.onchange = () => choose(Number(calls.value))
  showMatrix(
    program,
    groups,
    (symbol) => {
      choose(symbol)
      calls.focus()
    },
    missed,
  )
  choose(missed[0]?.[0] ?? 0)
  showCurve(program)
}
