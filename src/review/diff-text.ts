// A difference between fingerprints as text for a terminal, and as Markdown for a pull request.

import { printable } from '../match/printable.ts'

import { type FingerprintDiff, isSameBehaviour, type ProgramDiff } from '../model/diff.ts'
import { isNearer } from '../model/mimicry.ts'
import { dangersAmong } from '../model/never-learned.ts'
import type { Sequence } from '../model/sequences.ts'
import { budgetText, type ChangeGroup, groupsOf, imageChange, sequenceText } from './diff-words.ts'

/** Longer sequences than pairs that are listed per group and program, unless all are asked for. */
const LONG_LIMIT = 10
/** What a pull request's comment can hold. */
const MARKDOWN_LIMIT = 60_000
/** Calls that got nearer, listed per program. */
const BUDGET_LIMIT = 20
const LOWER_BOUND =
  'calls that attacks end in, by the shortest allowed way from an input (a lower bound: arguments are ignored)'

export interface DiffTextOptions {
  readonly isWhole: boolean
}

export function diffText(diff: FingerprintDiff, { isWhole }: DiffTextOptions): string {
  const lines = headLines(diff)
  for (const program of diff.programs) {
    lines.push('', `${printable(program.key)}: ${countsOf(program)}`)
    for (const fact of factLines(program)) lines.push(`  ${fact}`)
    for (const { text, isTarget, added, removed } of layeredGroups(program)) {
      lines.push(`  ${text}${isTarget ? ' (!)' : ''}`)
      // Of a program that came or went as a whole its calls say enough, but for those that attacks end in.
      if (program.status !== 'changed' && !isTarget && !isWhole)
        lines.push(`    ${sequenceCount(added.length + removed.length)}`)
      else for (const line of changeLines(added, removed, isWhole)) lines.push(`    ${line}`)
    }
    if (program.budget.length > 0) lines.push(`  ${LOWER_BOUND}`)
    for (const change of program.budget) lines.push(`    ${isNearer(change) ? '!' : ' '} ${budgetText(change)}`)
  }
  return `${lines.join('\n')}\n`
}

export function diffMarkdown(diff: FingerprintDiff, { isWhole }: DiffTextOptions): string {
  const blocks = [`## Fingerprint changes\n\n${listOf(headLines(diff))}`]
  for (const program of diff.programs) {
    const budget = program.budget.filter(isNearer).slice(0, BUDGET_LIMIT)
    const warnings = budget.map((change) => `- :warning: nearer to an attack: ${code(budgetText(change))}\n`)
    blocks.push(
      `### ${code(program.key)}\n\n${countsOf(program)}.\n\n${listOf(factLines(program))}${warnings.join('')}`,
    )
    for (const { text, isTarget, added, removed } of layeredGroups(program)) {
      const title = `${isTarget ? ':warning: ' : ''}${text} (+${added.length} -${removed.length})`
      const body = changeLines(added, removed, isWhole).join('\n')
      blocks.push(
        `<details${isTarget ? ' open' : ''}><summary>${title}</summary>\n\n\`\`\`diff\n${body}\n\`\`\`\n</details>\n`,
      )
    }
  }
  return withinLimit(blocks)
}

/** Whole blocks only: a fence that is cut open would swallow what comes after it. */
function withinLimit(blocks: readonly string[]): string {
  let text = ''
  for (const [index, block] of blocks.entries()) {
    if (text.length + block.length > MARKDOWN_LIMIT) {
      return `${text}\n**${blocks.length - index} parts are left out:** \`tracefp diff\` has them.\n`
    }
    text += index === 0 ? block : `\n${block}`
  }
  return text
}

function listOf(lines: readonly string[]): string {
  return lines.map((line) => `- ${escaped(line)}\n`).join('')
}

/** The groups of both layers. */
function layeredGroups(program: ProgramDiff): ChangeGroup[] {
  const faults = groupsOf(program.faults).map((group) => ({ ...group, text: `only while calls fail: ${group.text}` }))
  return [...groupsOf(program), ...faults]
}

function headLines(diff: FingerprintDiff): string[] {
  const side = ({ sha256, depth, runCount, faultRunCount }: FingerprintDiff['old']): string =>
    `${sha256.slice(0, 12)}, depth ${depth}, ${runCount} ${runCount === 1 ? 'run' : 'runs'}` +
    (faultRunCount === 0 ? '' : `, ${faultRunCount} more with faults`)
  const lines = [`old ${side(diff.old)}`, `new ${side(diff.new)}`]
  if (diff.old.depth !== diff.new.depth) lines.push(`compared at depth ${diff.depth}`)
  for (const key of diff.addedRoots) lines.push(`+ learned for ${printable(key)}`)
  for (const key of diff.removedRoots) lines.push(`- learned for ${printable(key)}`)
  if (isSameBehaviour(diff)) lines.push('both allow the same')
  return lines
}

function countsOf({ status, added, removed }: ProgramDiff): string {
  return `${status}, ${sequenceCount(added.length)} more, ${removed.length} fewer`
}

function sequenceCount(count: number): string {
  return `${count} ${count === 1 ? 'sequence' : 'sequences'}`
}

function factLines(program: ProgramDiff): string[] {
  const lines: string[] = []
  if (program.isImageChanged) lines.push(`image: ${imageChange(program.oldImage, program.newImage)}`)
  for (const key of program.addedExecs) lines.push(`+ executes ${printable(key)}`)
  for (const key of program.removedExecs) lines.push(`- executes ${printable(key)}`)
  for (const key of program.faults.addedExecs) lines.push(`+ executes, only while calls fail, ${printable(key)}`)
  for (const key of program.faults.removedExecs) lines.push(`- executes, only while calls fail, ${printable(key)}`)
  if (program.addedCalls.length > 0)
    lines.push(`+ calls: ${program.addedCalls.map((call) => printable(call)).join(' ')}`)
  const dangers = dangersAmong(program.addedCalls)
  if (dangers.length > 0) lines.push(`! never learned unless asked for: ${dangers.join(' ')}`)
  if (program.removedCalls.length > 0)
    lines.push(`- calls: ${program.removedCalls.map((call) => printable(call)).join(' ')}`)
  return lines
}

function changeLines(added: readonly Sequence[], removed: readonly Sequence[], isWhole: boolean): string[] {
  return [...signed('+', added, isWhole), ...signed('-', removed, isWhole)]
}

function signed(sign: string, sequences: readonly Sequence[], isWhole: boolean): string[] {
  const long = sequences.filter(({ length }) => length > 2)
  const shown = isWhole ? sequences : [...sequences.filter(({ length }) => length === 2), ...long.slice(0, LONG_LIMIT)]
  const lines = shown.map((sequence) => `${sign} ${sequenceText(sequence)}`)
  const left = sequences.length - shown.length
  return left === 0 ? lines : [...lines, `${sign} and ${left} longer ones of known pairs`]
}

/** Names in Markdown are text, whatever they look like. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|!&~@$]|^[+-]/g, '\\$&')
}

/** A code span that its text cannot end. */
function code(text: string): string {
  const longest = Math.max(0, ...[...printable(text, 1000).matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence} ${printable(text, 1000)} ${fence}`
}
