// A fingerprint as one HTML file that needs nothing else and may do nothing: a policy in it forbids every request, and every
// script and style but its own two. All names stand in it as JSON, and become text.

import { createHash } from 'node:crypto'
import { estimateOf, isFinished } from '../model/estimate.ts'
import { type Fingerprint, type ProgramFingerprint, symbolsOf } from '../model/fingerprint.ts'
import { projectedTo } from '../model/sequences.ts'
import { type SignatureBlock, writePublicKey } from '../model/signature.ts'
import { ABILITIES, abilityOf, abilityText, isTargetAbility } from '../syscall/abilities.ts'
import { budgetsOf, callBudgets, shareText } from './budget.ts'
import { convergenceCurve } from './convergence.ts'
import { pathText } from './diff-words.ts'
import type { PageData, PageProgram } from './page/data.ts'
import { PAGE_SCRIPT, PAGE_STYLE } from './page.gen.ts'

export interface HtmlOptions {
  readonly file: string
  readonly block: SignatureBlock | null
  readonly version: string
}

export function toHtml(fingerprint: Fingerprint, options: HtmlOptions): string {
  const data = JSON.stringify(pageData(fingerprint, options)).replace(/[<>&\u2028\u2029]/g, escapedInJson)
  const policy = [
    "default-src 'none'",
    `script-src ${sourceOf(PAGE_SCRIPT)}`,
    `style-src ${sourceOf(PAGE_STYLE)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapedInHtml(`Fingerprint ${options.file}`)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${escapedInHtml(`Fingerprint ${options.file}`)}</h1>
<p id="needs-script">This page draws itself with the script in it. <code>tracefp show</code> tells the same as text.</p>
<dl id="facts"></dl>
<label>Program <select id="program"></select></label>
<dl id="program-facts"></dl>
<section aria-labelledby="h-matrix">
<h2 id="h-matrix">Matrix</h2>
<p id="matrix-help">A row for each call, a column for each call that may come right after it; the stronger the colour, the more runs had
it. Red columns are calls that attacks end in; hollow cells were only seen while calls were made to fail. Arrow keys move the cursor, with Ctrl to the next filled cell; Enter chooses the call.</p>
<div class="scroll"><canvas id="matrix" tabindex="0" role="application" aria-describedby="matrix-help"></canvas></div>
<output id="cell" aria-live="polite"></output>
</section>
<section aria-labelledby="h-graph">
<h2 id="h-graph">Before and after a call</h2>
<label>Call <select id="call"></select></label>
<div class="scroll" id="graph" tabindex="0" role="group" aria-label="Calls before and after the chosen one"></div>
</section>
<section aria-labelledby="h-curve">
<h2 id="h-curve">Convergence</h2>
<p>Distinct transitions that so many runs have, on average over all orders of the runs.</p>
<div id="curve"></div>
</section>
<section aria-labelledby="h-budget">
<h2 id="h-budget">Mimicry budget</h2>
<p>Calls to make after an input to reach a call that attacks end in, all of them allowed. A lower bound: arguments are ignored.</p>
<ul id="shares"></ul>
<div class="scroll" tabindex="0" role="group" aria-label="Mimicry budget"><table>
<thead><tr><th scope="col">Call</th><th scope="col">Depth</th><th scope="col">Calls</th><th scope="col">By input</th><th scope="col">Shortest way</th></tr></thead>
<tbody id="budget-rows"></tbody></table></div>
</section>
<section aria-labelledby="h-table">
<h2 id="h-table">Transitions</h2>
<label>Filter <input id="filter" type="search"></label>
<p id="shown" role="status"></p>
<div class="scroll" tabindex="0" role="group" aria-label="Transitions"><table id="transitions">
<thead><tr><th scope="col"><button type="button">After</button></th><th scope="col"><button type="button">Call</button></th>
<th scope="col"><button type="button">Runs</button></th><th scope="col"><button type="button">It can</button></th>
<th scope="col"><button type="button">Seen</button></th></tr></thead>
<tbody id="rows"></tbody></table></div>
<p><button type="button" id="more">Show more</button></p>
</section>
</main>
<script type="application/json" id="data">${data}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

/** What the page shows. */
export function pageData(fingerprint: Fingerprint, { file, block, version }: HtmlOptions): PageData {
  const { settings } = fingerprint
  const signers = (block?.signatures ?? []).map(({ key }) => writePublicKey(key))
  return {
    title: file,
    facts: [
      ['SHA-256', fingerprint.sha256],
      ['Mapping', settings.mapping],
      [
        'Settings',
        `depth ${settings.depth}, tracks ${settings.tracks}, scope ${settings.scope}, order ${settings.order}`,
      ],
      ['Left out', settings.transparent.join(' ') || 'nothing'],
      ['Runs', runsText(fingerprint)],
      ['New in the next run', chanceText(fingerprint)],
      ['Learned for', fingerprint.roots.join(', ') || 'nothing'],
      // That a signature stands there is not that it holds: only verify can tell.
      [
        'Signatures',
        signers.length === 0 ? 'none' : `${signers.join(', ')}, epoch ${block?.epoch} (not verified here)`,
      ],
      ['Written by', `tracefp ${version}`],
    ],
    groups: ABILITIES.map((ability) => ({ text: abilityText(ability), isTarget: isTargetAbility(ability) })),
    programs: [...fingerprint.programs.values()].map((program) => pageProgram(program, fingerprint)),
  }
}

function pageProgram(program: ProgramFingerprint, fingerprint: Fingerprint): PageProgram {
  const { settings, runCount, faultRunCount } = fingerprint
  const symbols = [...symbolsOf([program])].sort(byGroup)
  const indexOf = new Map(symbols.map((symbol, index) => [symbol, index]))
  const pairs = stepsAt(program, 2).map(([from, to, runs, isFaultOnly]): PageProgram['pairs'][number] => [
    indexOf.get(from) as number,
    indexOf.get(to) as number,
    runs,
    isFaultOnly,
  ])
  const rows = stepsAt(program, settings.depth).map(([context, to, runs, isFaultOnly]): PageProgram['rows'][number] => [
    context,
    indexOf.get(to) as number,
    runs,
    isFaultOnly,
  ])
  const { image } = program
  return {
    key: program.key,
    runCount,
    faultRunCount,
    facts: [
      ['SHA-256 of the file', image.sha256 ?? 'not known'],
      ['Build-id', image.buildId ?? 'none'],
      ...(image.script === null ? [] : ([['SHA-256 of the script', image.script.sha256 ?? 'not known']] as const)),
      ['Executes', [...program.execs.keys()].join(', ') || 'nothing'],
      ...(program.faults === null || program.faults.execs.size === 0
        ? []
        : ([['Executes only while calls fail', [...program.faults.execs.keys()].join(', ')]] as const)),
    ],
    symbols: symbols.map((text) => ({ text, group: ABILITIES.indexOf(abilityOf(text)) })),
    pairs,
    rows,
    curve: convergenceCurve(
      pairs.filter(([, , , isFaultOnly]) => isFaultOnly === 0).map(([, , runs]) => runs),
      runCount,
    ),
    budgets: budgetsOf([program], fingerprint).map(({ depth, inputs }) => ({
      depth,
      shares: shareText(inputs),
      calls: callBudgets(inputs).map(({ call, distance, path, byInput }) => ({
        call,
        distance,
        path: pathText(path),
        byInput: byInput.map((from) => `${from.input} ${from.distance ?? 'never'}`).join(', '),
      })),
    })),
  }
}

/** All sequences of a length, those that were only seen while calls failed with a 1 behind. */
function stepsAt(program: ProgramFingerprint, depth: number): [context: string, to: string, runs: number, 0 | 1][] {
  const usual = projectedTo(program.successors, depth)
  const steps = [...usual].flatMap(([context, next]) =>
    [...next].map(([to, runs]): [string, string, number, 0 | 1] => [context, to, runs, 0]),
  )
  if (program.faults === null) return steps
  for (const [context, next] of projectedTo(program.faults.successors, depth)) {
    for (const [to, runs] of next) if (usual.get(context)?.has(to) !== true) steps.push([context, to, runs, 1])
  }
  return steps
}

/** `0.017 (0.001 to 0.076) at depth 2: not finished`. */
function chanceText({ tally }: Fingerprint): string {
  if (tally === null) return 'not known: the file is too old to tell'
  const { probability, lower, upper } = estimateOf(tally)
  const bounds = `${probability.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})`
  return `${bounds} at depth 2: learning is ${isFinished({ tally }) ? '' : 'not '}finished`
}

/** `12: default 10, upgrade 2; 40 more with faults`. */
function runsText({ runCount, faultRunCount, scenarios }: Fingerprint): string {
  const named = [...scenarios].map(([name, tally]) => `${name} ${tally.runCount}`).join(', ')
  const faults = faultRunCount === 0 ? '' : `; ${faultRunCount} more with faults`
  return `${runCount}${named === '' ? '' : `: ${named}`}${faults}`
}

/** Calls that can do alike stand together. */
function byGroup(a: string, b: string): number {
  return ABILITIES.indexOf(abilityOf(a)) - ABILITIES.indexOf(abilityOf(b)) || (a < b ? -1 : 1)
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

function escapedInJson(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function escapedInHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
