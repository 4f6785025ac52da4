// The convergence curve: how many transitions so many runs have on average. Flat at the end: the last runs brought little.

import type { PageProgram } from './data.ts'
import { byId, element, shape } from './dom.ts'

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [640, 260, 56, 40, 14, 14]

export function showCurve({ curve, runCount }: PageProgram): void {
  const last = curve.at(-1)
  if (last === undefined || runCount < 2) {
    byId('curve').replaceChildren(element('p', {}, 'There are too few runs for a curve.'))
    return
  }
  const most = Math.max(1, last[1])
  const x = (runs: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (runs - 1)) / Math.max(1, runCount - 1)
  const y = (value: number): number => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * value) / most
  const before = curve.at(-2) ?? last
  const perRun = (last[1] - before[1]) / Math.max(1, last[0] - before[0])
  const words = `One run has ${Math.round(curve[0]?.[1] ?? 0)} transitions on average, all ${runCount} have ${Math.round(most)}; the last one added ${perRun.toFixed(2)} on average.`
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words })
  for (const part of [0, 0.5, 1]) {
    svg.append(shape('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y(most * part), y2: y(most * part), class: 'grid' }))
    svg.append(
      shape('text', { x: LEFT - 6, y: y(most * part) + 4, 'text-anchor': 'end' }, `${Math.round(most * part)}`),
    )
  }
  for (const runs of [...new Set([1, Math.round((runCount + 1) / 2), runCount])]) {
    svg.append(shape('text', { x: x(runs), y: HEIGHT - BOTTOM + 18, 'text-anchor': 'middle' }, `${runs}`))
  }
  svg.append(shape('text', { x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, 'text-anchor': 'middle' }, 'runs'))
  const points = curve.map(([runs, value]) => `${x(runs).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  svg.append(shape('polyline', { points, class: 'line' }))
  byId('curve').replaceChildren(svg, element('p', {}, words))
}
