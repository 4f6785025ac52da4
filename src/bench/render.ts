// The result of a benchmark as Markdown, and its charts as SVG: bars beside each other, with their numbers.

import { type BenchResult, type Chart, meets, type PartResult, type Ratio, type Table } from './result.ts'

export function renderMarkdown(result: BenchResult): string {
  const { machine } = result
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name}: ${version}`)
  const facts = [
    `tracefp ${result.tracefp}, Node ${machine.node}, ${result.at}${result.quick ? ', quick: fewer rounds and smaller inputs' : ''}`,
    `${machine.cpuCount} CPUs: ${machine.cpu} (${machine.simd.join(', ')}), ${machine.memoryGb} GB, Linux ${machine.kernel}` +
      (machine.hypervisor === '' ? '' : `, under ${machine.hypervisor}`),
    `load when it began: ${machine.loadBefore.toFixed(2)}`,
    ...versions,
  ]
  const parts = result.parts.map((part) => renderPart(part))
  return `# tracefp bench\n\n${facts.map((fact) => `- ${fact}`).join('\n')}\n\n${parts.join('\n')}`
}

export function renderPart({ title, what, tables, ratios, charts, skipped }: PartResult): string {
  const pieces = [`## ${title}`, what]
  for (const table of tables) {
    if (table.caption !== '') pieces.push(`**${table.caption}**`)
    pieces.push(renderTable(table))
  }
  if (ratios.length > 0) pieces.push(renderTable(ratioTable(ratios)))
  for (const { name, title: of } of charts) pieces.push(`![${of}](${name}.svg)`)
  if (skipped.length > 0) pieces.push(`Left out:\n\n${skipped.map((line) => `- ${line}`).join('\n')}`)
  return `${pieces.join('\n\n')}\n`
}

export function renderTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    line(columns),
    `|---|${columns
      .slice(1)
      .map(() => '---:|')
      .join('')}`,
    ...rows.map(line),
  ].join('\n')
}

export function ratioTable(ratios: readonly Ratio[]): Table {
  const rows = ratios.map(({ what, value, least, target }) => [
    what,
    figure(value),
    least === undefined ? '' : figure(least),
    target === undefined ? '' : 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`,
    target === undefined ? '' : meets(value, target) ? 'yes' : 'no',
  ])
  return { caption: '', columns: ['ratio', 'of medians', 'of minima', 'target', 'met'], rows }
}

export function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const BAR_HEIGHT = 22
const LABEL_WIDTH = 290
const BAR_WIDTH = 420
const NUMBER_WIDTH = 110
const TOP = 44

export function renderChart({ title, unit, isLogarithmic, bars }: Chart): string {
  const width = LABEL_WIDTH + BAR_WIDTH + NUMBER_WIDTH
  const height = TOP + bars.length * BAR_HEIGHT + 12
  const values = bars.map(({ value }) => value).filter((value) => value > 0)
  const [low, high] = [Math.min(...values) / 2, Math.max(...values)]
  const lengthOf = (value: number): number => {
    if (value <= 0) return 0
    return BAR_WIDTH * (isLogarithmic ? Math.log(value / low) / Math.log(high / low) : value / high)
  }
  const rows = bars.map(({ label, value }, i) => {
    const y = TOP + i * BAR_HEIGHT
    const text = y + BAR_HEIGHT - 8
    const length = lengthOf(value).toFixed(1)
    const fill =
      /tracefp|^TypeScript(?:, depth \d|, 1,000 tracks)?$|^C\+\+, (?:plain|AVX|1,000)|notify|trace$|ebpf|capture|log$/.test(
        label,
      )
    return (
      `<text x="${LABEL_WIDTH - 8}" y="${text}" text-anchor="end">${escaped(label)}</text>` +
      `<rect x="${LABEL_WIDTH}" y="${y + 3}" width="${length}" height="${BAR_HEIGHT - 6}" fill="${fill ? '#2563a8' : '#9aa3ad'}"/>` +
      `<text x="${(LABEL_WIDTH + Number(length) + 6).toFixed(1)}" y="${text}">${figure(value)}</text>`
    )
  })
  const scale = isLogarithmic ? ', logarithmic' : ''
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222" role="img">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" font-size="15">${escaped(title)}</text>
<text x="${width - 12}" y="24" text-anchor="end" fill="#666">${escaped(unit + scale)}</text>
${rows.join('\n')}
</svg>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
