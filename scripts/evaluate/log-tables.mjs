// What evaluate-logs.mjs prints: Markdown tables, and the sentences without which their numbers mislead.

const share = ({ alarms, checked }) => (checked === 0 ? '' : (alarms / checked).toFixed(3))
const mean = (value, splits) => (value / splits).toFixed(2)

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return `${[line(head), `|${head.map((_, at) => (at === 0 ? '---|' : '---:|')).join('')}`, ...rows.map(line)].join('\n')}\n`
}

export function renderPrograms({ rows, alarmed, splits, learnCount }, depth, withMisses) {
  const sum = (method, truth) =>
    rows.reduce(
      (all, row) => ({
        checked: all.checked + row[method][truth].checked,
        alarms: all.alarms + row[method][truth].alarms,
      }),
      { checked: 0, alarms: 0 },
    )
  const cells = (name, own, paper, predicted) => [
    name,
    mean(own.normal.checked, splits),
    mean(own.normal.alarms, splits),
    share(own.normal),
    depth === 1 ? '' : predicted.toFixed(3),
    mean(own.attack.checked, splits),
    mean(own.attack.alarms, splits),
    share(own.attack),
    share(own.unusual_feature),
    share(own.data_only),
    share(paper.normal),
    share(paper.attack),
  ]
  const all = (method) =>
    Object.fromEntries(['normal', 'attack', 'unusual_feature', 'data_only'].map((truth) => [truth, sum(method, truth)]))
  const head = [
    'program',
    'normals',
    'alarms',
    'share',
    'predicted',
    'attacks',
    'detected',
    'share',
    'unusual',
    'data only',
  ]
  const text = [
    `\n## Programs under strace, depth ${depth}\n\n`,
    `Per split ${learnCount} normal logs are learned, the rest and the attacks checked; means of ${splits} seeded splits.\n`,
    'predicted: the share of normals that will alarm, from the learned ones alone (what tracefp estimate tells).\n',
    'unusual: share of rare but legitimate runs that alarm, each of them falsely. data only: of attacks by argument alone.\n',
    'paper: its literal method, every log one sequence (--tracks log) and one fingerprint for all programs (--scope set).\n\n',
    table(
      [...head, 'paper: false', 'paper: detected'],
      [
        ...rows.map(({ name, own, paper, predicted }) => cells(name, own, paper, predicted)),
        cells('all', all('own'), all('paper'), rows.reduce((sum, { predicted }) => sum + predicted, 0) / rows.length),
      ],
    ),
  ]
  if (withMisses) text.push('\n', ...alarmed.map(missLine).filter((line) => line !== null))
  return text.join('')
}

/** Normals that alarm and attacks that do not. */
function missLine({ file, truth, kind, count, checked, misses }) {
  const isWrong = truth === 'attack' ? count < checked : count > 0
  if (!isWrong) return null
  return `- ${file} (${truth}, ${kind}): alarm in ${count} of ${checked}${misses.length > 0 ? `: ${misses.join('; ')}` : ''}\n`
}

export function renderNumbers(rows, depth) {
  const line = (row) => [
    row.name,
    row.learned,
    `${row.falseAlarms} of ${row.normals}${row.isLeftOut ? ' (left out one by one)' : ''}`,
    row.predicted === null ? '' : (row.predicted * row.normals).toFixed(1),
    `${row.detected} of ${row.attacks}`,
    row.distinct,
  ]
  const lpr = rows.find(({ name }) => name.startsWith('UNM lpr'))
  const text = [
    `\n## Traces of numbers, depth ${depth}\n\n`,
    table(
      ['traces', 'learned', 'false alarms', 'predicted', 'attack traces detected', 'distinct attack traces'],
      rows.map(line),
    ),
  ]
  if (lpr !== undefined) {
    text.push(
      `\nThe ${lpr.attacks} attack traces of lpr are one scripted attack, ${lpr.distinct} distinct: they count as one, not as ${lpr.attacks}.\n`,
    )
  }
  return text.join('')
}
