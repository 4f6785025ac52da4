// A miss in words: one line for stderr, and the long answer to "why is this a miss?". Works on a report alone, so that
// any report can be explained anywhere. Everything from a tracee passes printable().
import { isLibraryMiss } from './library-miss.ts'
import type { Miss, MissAction } from './miss.ts'
import { printable } from './printable.ts'
import { isSensitive, isStrayReturn, wasKnownCall } from './severity.ts'

const EXPECTED_IN_LINE = 6
const EXPECTED_IN_TEXT = 40

/** What was done about a miss; `alert` is not worth a word. */
const ACTIONS: Readonly<Partial<Record<MissAction, { readonly word: string; readonly text: string }>>> = {
  allow: { word: 'allowed', text: 'allowed: it was decided that it may run' },
  deny: { word: 'denied', text: 'denied: it did not run and failed with EPERM' },
  'late-kill': { word: 'killed after it', text: 'killed: but the call had already run' },
  kill: { word: 'killed', text: 'killed: it did not run, the program and everything it started was killed' },
}

/** `tracefp: abnormal: /usr/bin/ls[1234] read -> execve; expected close, fstat; denied` */
export function missLine(miss: Miss): string {
  const action = ACTIONS[miss.action]
  const done = action === undefined ? '' : `; ${action.word}`
  if (isLibraryMiss(miss)) return `tracefp: library changed: ${subjectOf(miss)} ${libraryChangeOf(miss)}${done}`
  if (miss.kind === 'image') return `tracefp: abnormal: ${subjectOf(miss)} image changed: ${changeOf(miss)}${done}`
  const step = `${printable(miss.from)} -> ${printable(miss.to)}`
  if (miss.layer === 'fault') {
    return `tracefp: low: ${subjectOf(miss)} ${step}; known from runs in which calls were made to fail${done}`
  }
  return `tracefp: abnormal: ${subjectOf(miss)} ${step}; expected ${listOf(miss.expected, EXPECTED_IN_LINE)}${done}`
}

/** Misses that are no alarm are told where they are known from; else they are in the report only. */
export function isTold(miss: Miss): boolean {
  return miss.isAlarm || miss.layer !== null || isLibraryMiss(miss)
}

/** `/usr/lib/libz.so.1 is sha256 008f819498fe, learned was sha256 cb30d69b2424` */
function libraryChangeOf({ to, expected }: Miss): string {
  const parts = (text: string): [path: string, hash: string] => {
    const [, path = '', hash = ''] = /^image:library:(.*):sha256:(\w+)$/s.exec(text) ?? []
    return [printable(path), printable(hash.slice(0, 12))]
  }
  const [path, hash] = parts(to)
  const now = hash === 'none' ? 'gone, or cannot be read' : `sha256 ${hash}`
  const learned = expected.map((text) => parts(text)[1])
  return `${path} is ${now}, ${learned.length === 0 ? 'it had no such library' : `learned was sha256 ${learned.join(', ')}`}`
}

/** `sha256 008f819498fe, learned cb30d69b2424` */
function changeOf(miss: Miss): string {
  const short = (text: string): string =>
    printable(text.replace(/^image:/, '').replace(/:([0-9a-f]{12})[0-9a-f]+$/, ' $1'))
  return `it is ${short(miss.to)}, learned was ${miss.expected.map(short).join(', ')}`
}

/** Several lines, without a newline at the end. */
export function explainMiss(miss: Miss): string {
  const lines = [
    `${subjectOf(miss)}: ${whatHappened(miss)}`,
    `  where     record ${miss.index} of its track, ${printable(miss.at)}, process ${miss.tgid} of parent ${miss.ppid}`,
    `  above     ${miss.ancestors.length === 0 ? 'not known' : miss.ancestors.map((name) => printable(name)).join(' < ')}`,
    `  context   ${[...miss.context, miss.to].map((text) => printable(text)).join(' -> ')}`,
    `  expected  ${listOf(miss.expected, EXPECTED_IN_TEXT)}`,
  ]
  if (miss.kind === 'call' || miss.kind === 'end') lines.push(`  way       ${wayOf(miss)}`)
  if (miss.depth > 2) lines.push(`  depth     ${miss.depth}: the sequence was never seen, each pair of it was`)
  lines.push(`  severity  ${printable(miss.severity)}: ${reasonOf(miss)}`)
  if (miss.layer === 'fault') {
    lines.push('  layer     known from runs in which calls were made to fail: abnormal, but authentic')
  } else if (miss.burst > 1) {
    lines.push(`  burst     miss ${miss.burst} within a frame of its track`)
  }
  const action = ACTIONS[miss.action]
  if (action !== undefined) lines.push(`  action    ${action.text}`)
  return lines.join('\n')
}

function subjectOf(miss: Miss): string {
  return `${printable(miss.image)}[${miss.tid}]`
}

function whatHappened(miss: Miss): string {
  const from = printable(miss.from)
  const to = printable(miss.to)
  switch (miss.kind) {
    case 'exec':
      return `it executed ${printable(miss.to.replace(/^exec:/, ''))}, which it was never seen to execute`
    case 'image':
      if (isLibraryMiss(miss)) return `it runs with another library than it was learned with: ${libraryChangeOf(miss)}`
      return `what runs (${to}) is not the image that the fingerprint was learned from`
    case 'end':
      return `it ended by itself after ${from}, where it was never seen to end`
    case 'call':
      if (isStrayReturn(miss.to, miss.severity)) return `${to} without a signal handler to return from`
      return `${to} came right after ${from}, where it was never seen`
  }
}

function wayOf(miss: Miss): string {
  if (miss.path.length > 0) return `shortest known: ${miss.path.map((text) => printable(text)).join(' -> ')}`
  return `no known way leads from ${printable(miss.from)} to ${printable(miss.to)}`
}

function reasonOf(miss: Miss): string {
  if (miss.layer === 'fault') return 'the program is known to do so when calls fail'
  switch (miss.kind) {
    case 'exec':
      return 'another program runs than any that was learned'
    case 'image':
      return 'the file was replaced or updated; if that was meant, learn it anew'
    case 'end':
      return 'a run that ends early does nothing more'
    case 'call': {
      const to = printable(miss.to)
      if (isStrayReturn(miss.to, miss.severity)) return 'a forged signal frame sets every register'
      const known = wasKnownCall(miss.to, miss.severity)
      const first = known
        ? `the program is known to make ${to}, but not here`
        : `the program was never seen to make ${to}`
      return isSensitive(miss.to) ? `${first}; ${to} is a sensitive call` : first
    }
  }
}

function listOf(texts: readonly string[], limit: number): string {
  if (texts.length === 0) return 'nothing'
  const shown = texts.slice(0, limit).map((text) => printable(text))
  const rest = texts.length - shown.length
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ')
}
