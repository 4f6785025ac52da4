// Writes what was measured into docs/evaluation.md: each table replaces what stands between its two marks. The words around
// them are written by hand.

const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
const cell = (text) => String(text).replaceAll('|', '\\|')
const call = ({ from, to }) => `\`${from}\` → \`${to}\``

function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${head.map((_, i) => (i === 0 ? '---|' : '---:|')).join('')}`, ...rows.map(line)].join('\n')
}

/** The page with `text` as the contents of the mark `name`. @throws Error when the page has no such mark. */
export function replaceMarked(page, name, text) {
  const begin = `<!-- begin: ${name} -->`
  const end = `<!-- end: ${name} -->`
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the page has no marks for ${name}`)
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`
}

/** Name of the mark -> Markdown, for what was measured. */
export function render({ programs, noise, subverted, counts }) {
  const parts = {}
  if (programs) Object.assign(parts, renderPrograms(programs))
  if (noise) parts.noise = renderNoise(noise)
  if (subverted) Object.assign(parts, renderSubverted(subverted))
  if (counts) parts.counts = renderCounts(counts)
  return parts
}

function renderPrograms(programs) {
  const { learnCount, checkCount } = programs[0]
  const total = (pick) => programs.reduce((sum, program) => sum + pick(program), 0)
  const alarms = ({ alarms: { thread, log, races, memory } }) =>
    [thread, log, races, memory].map(({ runCount }) => runCount)
  const rows = programs.map((program) => {
    const { least, median, most } = program.records
    const calls = `${number(median)} (${number(least)} - ${number(most)})`
    const [thread, log, races, memory] = alarms(program)
    const expected = (program.estimate * checkCount).toFixed(0)
    return [
      program.name,
      calls,
      program.programCount,
      number(program.transitionCount),
      thread,
      expected,
      log,
      races,
      memory,
    ]
  })
  const sums = [0, 1, 2, 3].map((i) => total((program) => alarms(program)[i]))
  const expected = total(({ estimate }) => estimate * checkCount).toFixed(0)
  rows.push([`all, of ${number(checkCount * programs.length)} runs`, '', '', '', sums[0], expected, ...sums.slice(1)])
  const head = [
    'program',
    'calls per run',
    'programs',
    'transitions',
    `alarms of ${checkCount}`,
    'expected',
    'log order',
  ]
  const parts = programs[0].curve.map(({ from, to }) => (from === to ? `run ${from}` : `${from} - ${to}`))
  const curves = programs.map(({ name, curve }) => [name, ...curve.map(({ newCount }) => newCount)])
  return {
    programs: table([...head, 'futex left out', 'heap left out too'], rows),
    curve: table([`new transitions in ${learnCount} runs`, ...parts], curves),
    causes: table(['program', 'miss', `runs of ${checkCount}`], programs.flatMap(causes)),
  }
}

const CAUSE_LIMIT = 5

function causes({ name, alarms: { thread } }) {
  const shown = thread.kinds.slice(0, CAUSE_LIMIT)
  const rows = shown.map((kind) => [name, `${kind.image.replace(/^.*\//, '')}: ${call(kind)}`, kind.runCount])
  const rest = thread.kinds.length - shown.length
  return rest > 0 ? [...rows, [name, `and ${rest} more kinds`, '']] : rows
}

function renderNoise(rows) {
  const head = [
    'program',
    'runs',
    'stops',
    'ignored signals',
    'misses in peace',
    'new ones when repeated in peace',
    'new ones with noise',
  ]
  return table(
    head,
    rows.map((row) => [
      row.name,
      row.checkCount,
      row.stopCount,
      row.signalCount,
      row.peaceful.missCount,
      row.chanceCount,
      row.causedCount,
    ]),
  )
}

const share = (attacks) =>
  attacks.length === 0 ? '-' : `${attacks.filter(({ missCount }) => missCount > 0).length} of ${attacks.length}`

function renderSubverted({ tools, server }) {
  const attacks = tools.flatMap((tool) => tool.attacks.map((attack) => ({ ...attack, tool: tool.name })))
  const proven = attacks.filter(({ hasRun }) => hasRun)
  const depths = [...new Set(attacks.map(({ depth }) => depth))]
  const payloads = [...new Set(attacks.map(({ what }) => what))].map((what) => {
    const own = proven.filter((attack) => attack.what === what)
    const base = own.filter(({ depth }) => depth === depths[0])
    const found = base.filter(({ missCount }) => missCount > 0).sort((a, b) => a.missCount - b.missCount)
    const median = found[found.length >> 1]?.missCount ?? 0
    const first = found[0]?.first ? `${found[0].tool}: ${call(found[0].first)}` : ''
    return [
      `\`${what}\``,
      ...depths.map((depth) => share(own.filter((attack) => attack.depth === depth))),
      median,
      first,
    ]
  })
  const byTool = tools.map((tool) => {
    const of = (depth, isArgument) =>
      share(tool.attacks.filter((a) => a.hasRun && a.depth === depth && (a.what === 'redirect') === isArgument))
    const alarms = (depth) => `${tool.falseAlarmCount[depth]} of ${tool.controlCount}`
    return [tool.name, ...depths.flatMap((depth) => [alarms(depth), of(depth, false)]), of(depths[0], true)]
  })
  const byToolHead = depths.flatMap((depth) => [`false alarms, depth ${depth}`, `detected, depth ${depth}`])
  const servers = server.map((row) => [
    row.variant,
    row.depth,
    `${row.alarmCount} of ${row.runCount}`,
    `${row.behaviourAlarmCount} of ${row.runCount}`,
    (row.missCount / row.runCount).toFixed(0),
    row.first === null ? '' : call(row.first),
  ])
  return {
    payloads: table(
      ['payload', ...depths.map((depth) => `detected, depth ${depth}`), 'misses, median', 'first miss'],
      payloads,
    ),
    tools: table(['program', ...byToolHead, '`redirect`, depth 2'], byTool),
    server: table(['server', 'depth', 'alarms', 'by behaviour', 'misses per run', 'first miss'], servers),
  }
}

function renderCounts(rows) {
  const difference = ({ name, own, strace }) => `${name} ${own} and ${strace}`
  return table(
    ['command', 'tracefp', 'strace -f', 'differences'],
    rows.map((row) => [
      row.name,
      number(row.ownCount),
      number(row.straceCount),
      row.differences.map(difference).join(', '),
    ]),
  )
}
