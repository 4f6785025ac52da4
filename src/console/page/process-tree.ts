// Where misses happened: the processes above them as a tree, and when, on a line.

import { element, shape } from '../../review/page/dom.ts'
import type { Miss } from './data.ts'
import { time } from './table.ts'

interface Process {
  readonly name: string
  misses: number
  readonly children: Map<string, Process>
}

export function processTree(misses: readonly Miss[]): HTMLElement {
  const root: Process = { name: '', misses: 0, children: new Map() }
  for (const { ancestors, image, tgid, tid } of misses) {
    let here = root
    const thread = tid === tgid ? [] : [`thread ${tid}`]
    for (const name of [...[...ancestors].reverse(), `${image} [${tgid}]`, ...thread]) {
      const child = here.children.get(name) ?? { name, misses: 0, children: new Map() }
      here.children.set(name, child)
      here = child
    }
    here.misses += 1
  }
  return listOf(root)
}

function listOf({ children }: Process): HTMLElement {
  const items = [...children.values()].map((child) => {
    const count = child.misses === 0 ? '' : `: ${child.misses} ${child.misses === 1 ? 'miss' : 'misses'}`
    return element('li', {}, `${child.name}${count}`, ...(child.children.size === 0 ? [] : [listOf(child)]))
  })
  return element('ul', { class: 'tree' }, ...items)
}

const [WIDTH, HEIGHT, MARGIN] = [640, 60, 12]

/** Empty where nothing has a time: misses of a log may have lines only. */
export function timeline(misses: readonly Miss[], startedAt: string | null, endedAt: string | null): Node {
  const times = misses.map(({ at }) => Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(at)?.[0] ?? ''))
  const known = times.filter((at) => !Number.isNaN(at))
  if (known.length === 0) return element('p', {}, 'These misses have no times.')
  const all = [...known, ...[startedAt, endedAt].flatMap((text) => (text === null ? [] : [Date.parse(text)]))]
  const [first, last] = [Math.min(...all), Math.max(...all)]
  const x = (at: number): number => MARGIN + ((WIDTH - 2 * MARGIN) * (at - first)) / Math.max(1, last - first)
  const words = `${known.length} misses between ${time(new Date(first).toISOString())} and ${time(new Date(last).toISOString())}`
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words })
  svg.append(shape('line', { x1: MARGIN, x2: WIDTH - MARGIN, y1: 24, y2: 24, class: 'grid' }))
  for (const at of known) svg.append(shape('line', { x1: x(at), x2: x(at), y1: 12, y2: 36, class: 'tick' }))
  svg.append(shape('text', { x: MARGIN, y: 54 }, new Date(first).toISOString().slice(11, 23)))
  svg.append(
    shape('text', { x: WIDTH - MARGIN, y: 54, 'text-anchor': 'end' }, new Date(last).toISOString().slice(11, 23)),
  )
  return element('div', { class: 'timeline' }, svg, element('p', {}, words))
}
