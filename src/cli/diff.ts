// tracefp diff: what a fingerprint allows more, and what less, than another one. For people, for pull requests and for gates.

import { isAbsolute } from 'node:path'
import { type Command, Option } from 'commander'
import { UsageError } from '../errors.ts'
import { decodeFingerprint } from '../model/codec-fingerprint.ts'
import { diffFingerprints, type FaultDiff, type FingerprintDiff, isSameBehaviour } from '../model/diff.ts'
import { VERSION } from '../package.ts'
import { diffMarkdown, diffText } from '../review/diff-text.ts'
import { nearer } from '../review/diff-words.ts'
import { toSarif } from '../review/sarif.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { isTarget } from '../syscall/abilities.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { collect, wholeNumber } from './options.ts'
import { asJson, type Output } from './output.ts'

interface DiffOptions {
  readonly depth?: number
  readonly gate?: readonly string[]
  readonly json?: boolean
  readonly markdown?: boolean
  readonly sarif?: boolean
  readonly all?: boolean
}

/** What makes diff end with 1. */
const GATES: Readonly<Record<string, (diff: FingerprintDiff) => boolean>> = {
  any: (diff) => !isSameBehaviour(diff),
  added: ({ programs, addedRoots }) =>
    addedRoots.length > 0 ||
    programs.some((p) => p.status === 'added' || p.isImageChanged || allows(p) || allows(p.faults)),
  sensitive: ({ programs }) => programs.some((p) => allowsSensitive(p) || allowsSensitive(p.faults)),
  mimicry: ({ programs }) => nearer(programs).length > 0,
}

function allows({ added, addedExecs }: FaultDiff): boolean {
  return added.length + addedExecs.length > 0
}

function allowsSensitive({ added, addedExecs }: FaultDiff): boolean {
  return addedExecs.length > 0 || added.some((sequence) => isTarget(sequence.at(-1) as string))
}

export function defineDiff(program: Command, output: Output): void {
  program
    .command('diff')
    .description('compare two fingerprints: what one allows that the other does not')
    .argument('<old>', 'a .tfp file, or a name in the fingerprint store')
    .argument('<new>', 'another one')
    .option('--depth <n>', 'compare sequences of this length (default: the lower depth of the two)', wholeNumber)
    .option(
      '--gate <what>',
      `what ends it with 1: ${Object.keys(GATES).join(', ')} (default: any); repeatable`,
      collect,
    )
    .addOption(new Option('--json', 'as JSON').conflicts(['markdown', 'sarif']))
    .addOption(new Option('--markdown', 'for a pull request').conflicts(['json', 'sarif']))
    .addOption(new Option('--sarif', 'SARIF 2.1.0, for code scanning').conflicts(['json', 'markdown']))
    .option('--all', 'list every sequence, however many')
    .addHelpText(
      'after',
      '\nGates: any = they differ; added = anything more is allowed, be it while calls fail; sensitive = more ways to calls that attacks end in;\n' +
        'mimicry = such a call got nearer to an input.\n' +
        '\nExamples:\n  tracefp diff old.tfp new.tfp\n  tracefp diff --markdown --gate mimicry main.tfp branch.tfp',
    )
    .action((old: string, now: string, options: DiffOptions) => {
      process.exitCode = diff(old, now, options, output)
    })
}

function diff(oldName: string, newName: string, options: DiffOptions, output: Output): number {
  const gates = options.gate ?? ['any']
  const unknown = gates.find((gate) => !Object.hasOwn(GATES, gate))
  if (unknown !== undefined) throw new UsageError(`${unknown} is no gate: give ${Object.keys(GATES).join(', ')}`)
  if (options.depth === 1) throw new UsageError('depth 1 is not possible: the shortest sequence is a pair')
  const [oldFile, newFile] = [fingerprintFileNamed(oldName), fingerprintFileNamed(newName)]
  const newText = readFingerprintText(newFile)
  const made = diffFingerprints(
    decodeFingerprint(readFingerprintText(oldFile), oldFile),
    decodeFingerprint(newText, newFile),
    options.depth,
  )
  const how = { isWhole: options.all === true }
  if (options.json === true) output.data(`${asJson({ schema: 1, isSame: isSameBehaviour(made), ...made }, 2)}\n`)
  else if (options.sarif === true)
    output.data(`${asJson(toSarif(made, { uri: uriOf(newFile), text: newText, version: VERSION }), 2)}\n`)
  else output.data(options.markdown === true ? diffMarkdown(made, how) : diffText(made, how))
  const failed = gates.filter((gate) => GATES[gate]?.(made) === true)
  if (options.gate !== undefined && failed.length > 0)
    output.message(`tracefp: not let through: ${failed.join(', ')}\n`)
  return failed.length > 0 ? EXIT_CODES.data.abnormal : 0
}

/** Code scanning wants paths from the root of the repository. */
function uriOf(file: string): string {
  const uri = file.split('/').map(encodeURIComponent).join('/').replace(/^\.\//, '')
  return isAbsolute(file) ? `file://${uri}` : uri
}
