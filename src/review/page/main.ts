// The page that `show --html` writes: reads the data in it and shows one program at a time. Asks nobody for anything.

import { showCurve } from './curve.ts'
import type { PageData, PageProgram } from './data.ts'
import { byId, element } from './dom.ts'
import { showGraph } from './graph.ts'
import { type Matrix, showMatrix } from './matrix.ts'
import { showTable } from './table.ts'

const data = JSON.parse(byId('data').textContent ?? '') as PageData
const programs = byId('program') as HTMLSelectElement
const calls = byId('call') as HTMLSelectElement
let matrix: Matrix | undefined

function facts(target: string, rows: PageData['facts']): void {
  byId(target).replaceChildren(...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))
}

function showProgram(program: PageProgram): void {
  facts('program-facts', program.facts)
  calls.replaceChildren(...program.symbols.map(({ text }, index) => element('option', { value: `${index}` }, text)))
  const choose = (symbol: number): void => {
    calls.value = `${symbol}`
    const hadFocus = byId('graph').contains(document.activeElement)
    showGraph(program, data.groups, symbol, choose)
    if (hadFocus) calls.focus()
  }
  calls.onchange = () => choose(Number(calls.value))
  matrix = showMatrix(program, data.groups, (symbol) => {
    choose(symbol)
    calls.focus()
  })
  choose(0)
  showCurve(program)
  showBudgets(program)
  showTable(program, data.groups)
}

function showBudgets({ budgets }: PageProgram): void {
  const rows = budgets.flatMap(({ depth, calls }) =>
    calls.map(({ call, distance, path, byInput }) =>
      element(
        'tr',
        {},
        ...[call, `${depth}`, distance === null ? 'out of reach' : `${distance}`, byInput, path].map((cell) =>
          element('td', {}, cell),
        ),
      ),
    ),
  )
  byId('shares').replaceChildren(
    ...budgets
      .filter(({ shares }) => shares !== '')
      .map(({ depth, shares }) =>
        element('li', {}, `Checked at depth ${depth}, of its calls can be reached from ${shares}`),
      ),
  )
  const none = element(
    'tr',
    {},
    element('td', { colspan: '5' }, 'It takes no input, or makes no call that attacks end in.'),
  )
  byId('budget-rows').replaceChildren(...(rows.length === 0 ? [none] : rows))
}

facts('facts', data.facts)
programs.replaceChildren(...data.programs.map(({ key }, index) => element('option', { value: `${index}` }, key)))
programs.onchange = () => showProgram(data.programs[Number(programs.value)] as PageProgram)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => matrix?.draw())
const [first] = data.programs
if (first !== undefined) showProgram(first)
document.documentElement.classList.add('ready')
