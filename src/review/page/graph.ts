// One call with those that come before and after it. Each of them is a button that makes it the chosen one.

import type { PageProgram } from './data.ts'
import { byId, element, shape } from './dom.ts'

const [ROW, BOX, GAP, LIMIT, LONGEST] = [30, 180, 150, 30, 18]

export function showGraph(
  program: PageProgram,
  groups: readonly { isTarget: boolean }[],
  chosen: number,
  choose: (symbol: number) => void,
): void {
  const name = (symbol: number): string => program.symbols[symbol]?.text ?? ''
  const byRuns = (pairs: PageProgram['pairs']) => [...pairs].sort((a, b) => b[2] - a[2])
  const before = byRuns(program.pairs.filter(([, to]) => to === chosen))
  const after = byRuns(program.pairs.filter(([from]) => from === chosen))
  const rows = Math.max(1, Math.min(LIMIT, Math.max(before.length, after.length)))
  const [width, height] = [3 * BOX + 2 * GAP, rows * ROW + 4]
  const middle = height / 2
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'group' })
  svg.setAttribute('aria-label', `${name(chosen)}: ${before.length} calls come before it, ${after.length} after it`)
  const side = (pairs: PageProgram['pairs'], isAfter: boolean): void => {
    for (const [index, [from, to, runs, isFaultOnly]] of pairs.slice(0, LIMIT).entries()) {
      const other = isAfter ? to : from
      const y = (index + 0.5) * (height / Math.min(LIMIT, pairs.length))
      const [x1, x2] = isAfter ? [2 * BOX + GAP, 2 * BOX + 2 * GAP] : [BOX, BOX + GAP]
      const [y1, y2] = isAfter ? [middle, y] : [y, middle]
      const bend = (x1 + x2) / 2
      const all = program.runCount + (isFaultOnly === 1 ? program.faultRunCount : 0)
      const thick = 1 + 4 * (runs / Math.max(1, all))
      svg.append(
        shape('path', {
          d: `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`,
          class: isFaultOnly === 1 ? 'edge faulty' : 'edge',
          'stroke-width': thick,
        }),
      )
      const isTarget = groups[program.symbols[other]?.group ?? 0]?.isTarget === true
      const when = isFaultOnly === 1 ? ', only while calls fail' : ''
      const label = `${name(other)} ${runs} runs, ${isAfter ? 'after' : 'before'} ${name(chosen)}${when}`
      svg.append(box(isAfter ? 2 * BOX + 2 * GAP : 0, y, name(other), `${runs}`, label, isTarget, () => choose(other)))
    }
  }
  side(before, false)
  side(after, true)
  svg.append(
    box(BOX + GAP, middle, name(chosen), '', '', groups[program.symbols[chosen]?.group ?? 0]?.isTarget === true, null),
  )
  const left = Math.max(0, before.length - LIMIT) + Math.max(0, after.length - LIMIT)
  const rest = left === 0 ? [] : [element('p', {}, `${left} more are in the table.`)]
  byId('graph').replaceChildren(svg, ...rest)
}

function box(
  x: number,
  y: number,
  text: string,
  count: string,
  label: string,
  isTarget: boolean,
  act: (() => void) | null,
): SVGElement {
  const group = shape('g', { class: `${act === null ? 'box chosen' : 'box'}${isTarget ? ' target' : ''}` })
  group.append(shape('rect', { x: x + 1, y: y - 11, width: BOX - 2, height: 22, rx: 4 }))
  // A long name is drawn narrower, never cut: what is read aloud and what is seen are the same.
  const fit = text.length > LONGEST ? { textLength: LONGEST * 7, lengthAdjust: 'spacingAndGlyphs' } : {}
  group.append(shape('text', { x: x + 8, y: y + 4, ...fit }, text))
  // The space is for who hears it: the label begins with what is seen.
  if (count !== '')
    group.append(' ', shape('text', { x: x + BOX - 8, y: y + 4, 'text-anchor': 'end', class: 'count' }, count))
  if (act === null) return group
  group.setAttribute('role', 'button')
  group.setAttribute('tabindex', '0')
  group.setAttribute('aria-label', label)
  group.addEventListener('click', act)
  group.addEventListener('keydown', (event) => {
    const { key } = event as KeyboardEvent
    if (key !== 'Enter' && key !== ' ') return
    event.preventDefault()
    act()
  })
  return group
}
