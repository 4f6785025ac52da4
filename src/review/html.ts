// A fingerprint as one HTML file that needs nothing else and may do nothing: a policy in it forbids every request, and every
// script and style but its own two. All names stand in it as JSON, and become text.

import { createHash } from 'node:crypto'
import { type Fingerprint, type ProgramFingerprint, symbolsOf } from '../model/fingerprint.ts'
import { cheapestReaches, mimicryBudget } from '../model/mimicry.ts'
import { projectedTo } from '../model/sequences.ts'
import { type SignatureBlock, writePublicKey } from '../model/signature.ts'
import { ABILITIES, abilityOf, abilityText, isTargetAbility } from '../syscall/abilities.ts'
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
it. Red columns are calls that attacks end in. Arrow keys move the cursor, with Ctrl to the next filled cell; Enter chooses the call.</p>
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
<div class="scroll" tabindex="0" role="group" aria-label="Mimicry budget"><table>
<thead><tr><th scope="col">Call</th><th scope="col">Depth</th><th scope="col">Calls</th><th scope="col">Way</th></tr></thead>
<tbody id="budget-rows"></tbody></table></div>
</section>
<section aria-labelledby="h-table">
<h2 id="h-table">Transitions</h2>
<label>Filter <input id="filter" type="search"></label>
<p id="shown" role="status"></p>
<div class="scroll" tabindex="0" role="group" aria-label="Transitions"><table id="transitions">
<thead><tr><th scope="col"><button type="button">After</button></th><th scope="col"><button type="button">Call</button></th>
<th scope="col"><button type="button">Runs</button></th><th scope="col"><button type="button">It can</button></th></tr></thead>
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
      ['Runs', `${fingerprint.runCount}`],
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

function pageProgram(program: ProgramFingerprint, { settings, runCount }: Fingerprint): PageProgram {
  const symbols = [...symbolsOf([program])].sort(byGroup)
  const indexOf = new Map(symbols.map((symbol, index) => [symbol, index]))
  const pairs = [...projectedTo(program.successors, 2)].flatMap(([from, next]) =>
    [...next].map(([to, runs]): [number, number, number] => [
      indexOf.get(from) as number,
      indexOf.get(to) as number,
      runs,
    ]),
  )
  const rows = [...projectedTo(program.successors, settings.depth)].flatMap(([context, next]) =>
    [...next].map(([to, runs]): [string, number, number] => [context, indexOf.get(to) as number, runs]),
  )
  const { image } = program
  return {
    key: program.key,
    runCount,
    facts: [
      ['SHA-256 of the file', image.sha256 ?? 'not known'],
      ['Build-id', image.buildId ?? 'none'],
      ...(image.script === null ? [] : ([['SHA-256 of the script', image.script.sha256 ?? 'not known']] as const)),
      ['Executes', [...program.execs.keys()].join(', ') || 'nothing'],
    ],
    symbols: symbols.map((text) => ({ text, group: ABILITIES.indexOf(abilityOf(text)) })),
    pairs,
    rows,
    curve: convergenceCurve(
      pairs.map(([, , runs]) => runs),
      runCount,
    ),
    budgets: [...new Set([2, settings.depth])].map((depth) => ({
      depth,
      reaches: cheapestReaches(mimicryBudget(projectedTo(program.successors, depth))).map(
        ({ call, distance, path }) => {
          return { call, distance, path: pathText(path) }
        },
      ),
    })),
  }
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
