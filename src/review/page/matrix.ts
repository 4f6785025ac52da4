// The matrix heat-map: a row per call, a column per call that may follow it, darker the more runs had it. A canvas, since there
// may be a hundred thousand cells; a cursor goes over it by keys, and what it stands on is said in words.

import type { PageProgram } from './data.ts'
import { byId, color } from './dom.ts'

const [SMALLEST, LARGEST, WIDTH] = [3, 18, 900]
const LABELS_FROM = 11
const LABEL_WIDTH = 130

export interface Matrix {
  draw(): void
}

/** `choose`: the call of the row was chosen. `missed`: cells to box, misses. */
export function showMatrix(
  program: PageProgram,
  groups: readonly { isTarget: boolean }[],
  choose: (symbol: number) => void,
  missed: readonly (readonly [from: number, to: number])[] = [],
): Matrix {
  const canvas = byId('matrix') as HTMLCanvasElement
  const said = byId('cell')
  const { symbols } = program
  const count = symbols.length
  const size = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(WIDTH / Math.max(1, count))))
  const margin = size >= LABELS_FROM ? LABEL_WIDTH : 4
  const pairOf = new Map(program.pairs.map((pair) => [pair[0] * count + pair[1], pair]))
  let [row, column] = [0, 0]

  const draw = (): void => {
    const scale = window.devicePixelRatio || 1
    const side = margin + count * size + 2
    canvas.width = side * scale
    canvas.height = side * scale
    canvas.style.width = `${side}px`
    canvas.style.height = `${side}px`
    const pen = canvas.getContext('2d') as CanvasRenderingContext2D
    pen.scale(scale, scale)
    pen.fillStyle = color('field')
    pen.fillRect(margin, margin, count * size, count * size)
    for (const [from, to, runs, isFaultOnly] of program.pairs) {
      const isTarget = groups[symbols[to]?.group ?? 0]?.isTarget === true
      const [x, y, filled] = [margin + to * size, margin + from * size, size - (size > 5 ? 1 : 0)]
      pen.fillStyle = color(isTarget ? 'target' : 'heat')
      pen.globalAlpha = isFaultOnly === 1 ? 1 : 0.3 + 0.7 * (runs / Math.max(1, program.runCount))
      pen.fillRect(x, y, filled, filled)
      if (isFaultOnly === 0) continue
      pen.fillStyle = color('field')
      pen.fillRect(x + 1, y + 1, filled - 2, filled - 2)
    }
    pen.globalAlpha = 1
    if (size >= LABELS_FROM) labels(pen)
    pen.lineWidth = 2
    pen.strokeStyle = color('target')
    for (const [from, to] of missed) pen.strokeRect(margin + to * size, margin + from * size, size - 1, size - 1)
    pen.strokeStyle = color('cursor')
    pen.lineWidth = 2
    pen.strokeRect(margin + column * size - 1, margin + row * size - 1, size + 1, size + 1)
  }
  const labels = (pen: CanvasRenderingContext2D): void => {
    pen.fillStyle = color('text')
    pen.font = `${Math.min(11, size)}px ui-monospace, monospace`
    pen.textBaseline = 'middle'
    for (const [index, { text }] of symbols.entries()) {
      pen.textAlign = 'right'
      pen.fillText(text, margin - 4, margin + index * size + size / 2, LABEL_WIDTH - 8)
      pen.save()
      pen.translate(margin + index * size + size / 2, margin - 4)
      pen.rotate(-Math.PI / 2)
      pen.textAlign = 'left'
      pen.fillText(text, 0, 0, LABEL_WIDTH - 8)
      pen.restore()
    }
  }
  const move = (toRow: number, toColumn: number): void => {
    row = Math.max(0, Math.min(count - 1, toRow))
    column = Math.max(0, Math.min(count - 1, toColumn))
    draw()
    const pair = pairOf.get(row * count + column)
    const times =
      pair === undefined
        ? 'never seen'
        : pair[3] === 1
          ? `${pair[2]} of ${program.faultRunCount} runs with faults, and no other`
          : `${pair[2]} of ${program.runCount} runs`
    const isMissed = missed.some(([from, to]) => from === row && to === column)
    said.textContent = `${symbols[row]?.text ?? ''} -> ${symbols[column]?.text ?? ''}: ${times}${isMissed ? ', a miss of this alert' : ''}`
  }
  /** The next cell that is not empty, in the row or the column. */
  const jump = (byRow: number, byColumn: number): void => {
    let [r, c] = [row + byRow, column + byColumn]
    while (r >= 0 && c >= 0 && r < count && c < count && !pairOf.has(r * count + c)) [r, c] = [r + byRow, c + byColumn]
    if (r >= 0 && c >= 0 && r < count && c < count) move(r, c)
  }
  canvas.onkeydown = (event) => {
    const go = event.ctrlKey ? jump : (byRow: number, byColumn: number) => move(row + byRow, column + byColumn)
    const keys: Readonly<Record<string, () => void>> = {
      ArrowUp: () => go(-1, 0),
      ArrowDown: () => go(1, 0),
      ArrowLeft: () => go(0, -1),
      ArrowRight: () => go(0, 1),
      Home: () => move(row, 0),
      End: () => move(row, count - 1),
      PageUp: () => move(0, column),
      PageDown: () => move(count - 1, column),
      Enter: () => choose(row),
    }
    const act = keys[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  }
  const cellAt = (event: MouseEvent): [number, number] => {
    const box = canvas.getBoundingClientRect()
    return [event.clientY - box.top, event.clientX - box.left].map((at) => Math.floor((at - margin) / size)) as [
      number,
      number,
    ]
  }
  canvas.onmousemove = (event) => {
    const [r, c] = cellAt(event)
    if (r >= 0 && c >= 0 && r < count && c < count && (r !== row || c !== column)) move(r, c)
  }
  canvas.onclick = () => choose(row)
  canvas.setAttribute('aria-label', `Matrix of ${count} by ${count} calls, ${program.pairs.length} of the cells filled`)
  move(0, 0)
  return { draw }
}
