// A difference between fingerprints as SARIF 2.1.0, for code scanning: one result for each line of the new file that allows
// more than it did, one for each program that is executed newly, and one for each call that attacks end in and that got nearer.

import { createHash } from 'node:crypto'
import { writeWord } from '../model/canonical.ts'
import type { FingerprintDiff, ProgramDiff } from '../model/diff.ts'
import { isNearer } from '../model/mimicry.ts'
import type { Sequence } from '../model/sequences.ts'
import { ABILITIES, type Ability, abilityOf, abilityText, isTargetAbility } from '../syscall/abilities.ts'
import { budgetText, imageChange, sequenceText } from './diff-words.ts'

type Level = 'none' | 'note' | 'warning' | 'error'

interface Message {
  readonly text: string
}

interface Rule {
  readonly id: string
  readonly shortDescription: Message
  readonly defaultConfiguration: { readonly level: Level }
}

interface Result {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: Level
  readonly message: Message
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string }
      readonly region: { readonly startLine: number }
    }
    readonly logicalLocations: readonly { readonly fullyQualifiedName: string; readonly kind: string }[]
  }[]
  readonly partialFingerprints: Readonly<Record<string, string>>
}

export interface SarifLog {
  readonly $schema: string
  readonly version: '2.1.0'
  readonly runs: readonly {
    readonly tool: {
      readonly driver: { readonly name: string; readonly version: string; readonly rules: readonly Rule[] }
    }
    readonly results: readonly Result[]
    readonly properties: Readonly<Record<string, unknown>>
  }[]
}

/** What code scanning takes of one run. */
const MAX_RESULTS = 5_000

const RULES: readonly Rule[] = [
  ...ABILITIES.map((ability) => rule(`allows/${ability}`, `Newly allowed: ${abilityText(ability)}`, levelOf(ability))),
  rule('executes', 'Another program may be executed', 'error'),
  rule('image', 'The file of a program is another one', 'warning'),
  rule('nearer', 'A call that attacks end in got nearer to an input', 'error'),
  rule('removed', 'Something is not allowed any more', 'note'),
]

export interface SarifOptions {
  /** Of the new fingerprint: its path as a relative URI, and its text, for the numbers of lines. */
  readonly uri: string
  readonly text: string
  readonly version: string
}

export function toSarif(diff: FingerprintDiff, { uri, text, version }: SarifOptions): SarifLog {
  const lines = new LineNumbers(text)
  const results = diff.programs.flatMap((program) => resultsOf(program, uri, lines))
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'tracefp', version, rules: RULES } },
        results: results.sort((a, b) => rank(a.level) - rank(b.level)).slice(0, MAX_RESULTS),
        properties: { resultCount: results.length, depth: diff.depth, old: diff.old, new: diff.new },
      },
    ],
  }
}

function resultsOf(program: ProgramDiff, uri: string, lines: LineNumbers): Result[] {
  const result = (ruleId: string, level: Level, text: string, line: number): Result => ({
    ruleId,
    ruleIndex: RULES.findIndex(({ id }) => id === ruleId),
    level,
    message: { text: `${program.key}: ${text}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri }, region: { startLine: line } },
        logicalLocations: [{ fullyQualifiedName: program.key, kind: 'module' }],
      },
    ],
    // The same change is the same finding, wherever its line went.
    partialFingerprints: { 'tracefpChange/v1': hashOf([program.key, ruleId, text]) },
  })
  const head = lines.ofProgram(program.key)
  const results = program.added.map((sequence) => {
    const ability = abilityOf(sequence.at(-1) as string)
    return result(
      `allows/${ability}`,
      levelOf(ability),
      sequenceText(sequence),
      lines.ofSequence(program.key, sequence),
    )
  })
  for (const key of program.addedExecs)
    results.push(result('executes', 'error', `executes ${key}`, lines.ofExec(program.key, key)))
  for (const sequence of program.faults.added) {
    const [ability, text] = [abilityOf(sequence.at(-1) as string), `only while calls fail: ${sequenceText(sequence)}`]
    const level = isTargetAbility(ability) ? 'warning' : 'note'
    results.push(result(`allows/${ability}`, level, text, lines.ofSequence(program.key, sequence, 'fault ')))
  }
  for (const key of program.faults.addedExecs)
    results.push(
      result('executes', 'warning', `executes, only while calls fail, ${key}`, lines.ofFaultExec(program.key, key)),
    )
  if (program.isImageChanged)
    results.push(result('image', 'warning', imageChange(program.oldImage, program.newImage), head))
  for (const change of program.budget.filter(isNearer))
    results.push(result('nearer', 'error', budgetText(change), head))
  const removedCount = [program, program.faults].reduce(
    (sum, { removed, removedExecs }) => sum + removed.length + removedExecs.length,
    0,
  )
  if (removedCount > 0) results.push(result('removed', 'note', `${removedCount} things less than before`, head))
  return results
}

/** Where things stand in the text of a fingerprint. */
class LineNumbers {
  /** `PROGRAM\n` + beginning of a line -> number of the first such line. */
  readonly #lines: { readonly program: string; readonly text: string }[] = []
  readonly #heads = new Map<string, number>()

  constructor(text: string) {
    let program = ''
    for (const [index, line] of text.split('\n').entries()) {
      if (line.startsWith('program ')) {
        program = line.slice('program '.length)
        this.#heads.set(program, index + 1)
      }
      this.#lines.push({ program, text: line })
    }
  }

  ofProgram(key: string): number {
    return this.#heads.get(writeWord(key)) ?? 1
  }

  ofExec(key: string, exec: string): number {
    return this.#find(key, (line) => line.startsWith(`exec ${writeWord(exec)}:`))
  }

  ofFaultExec(key: string, exec: string): number {
    return this.#find(key, (line) => line.startsWith(`fault-exec ${writeWord(exec)}:`))
  }

  /** The first line whose context ends with that of the sequence and which holds its last symbol. */
  ofSequence(key: string, sequence: Sequence, kind: 'after ' | 'fault ' = 'after '): number {
    const context = ` ${sequence.slice(0, -1).join(' ')} -> `
    const symbol = ` ${sequence.at(-1)}:`
    return this.#find(key, (line) => {
      const at = line.indexOf(' -> ')
      return line.startsWith(kind) && line.slice(0, at + 4).endsWith(context) && line.slice(at + 3).includes(symbol)
    })
  }

  #find(key: string, isIt: (line: string) => boolean): number {
    const word = writeWord(key)
    const index = this.#lines.findIndex(({ program, text }) => program === word && isIt(text))
    return index < 0 ? this.ofProgram(key) : index + 1
  }
}

function rule(id: string, text: string, level: Level): Rule {
  return { id, shortDescription: { text }, defaultConfiguration: { level } }
}

function levelOf(ability: Ability): Level {
  return isTargetAbility(ability) ? 'error' : ability === 'life' ? 'note' : 'warning'
}

function rank(level: Level): number {
  return ['error', 'warning', 'note', 'none'].indexOf(level)
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)
}
