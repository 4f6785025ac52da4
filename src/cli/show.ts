// tracefp show: a fingerprint for people (summary, the arrays of the paper) and for other programs (JSON, Graphviz).

import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { UsageError } from '../errors.ts'
import { printable } from '../match/printable.ts'
import { readFingerprintFile, writeAtomic } from '../model/files.ts'
import { type Fingerprint, type ProgramFingerprint, symbolsOf } from '../model/fingerprint.ts'
import { decodeSigned } from '../model/signature.ts'
import { renderArrays, renderDot, renderSummary, toJson } from '../model/views.ts'
import { VERSION } from '../package.ts'
import { budgetSummary, budgetsOf } from '../review/budget.ts'
import { toHtml } from '../review/html.ts'
import { readFingerprintText } from '../store/fingerprint-file.ts'
import { NATIVE_ABI } from '../syscall/abi.ts'
import { builtinMapping } from '../syscall/builtin.ts'
import { createMapping, type Mapping } from '../syscall/mapping.ts'
import { fingerprintFileNamed } from './fingerprint-name.ts'
import { asJson, type Output, stdio } from './output.ts'

interface ShowOptions {
  readonly arrays?: boolean
  readonly json?: boolean
  readonly dot?: boolean
  readonly html?: string
  readonly program?: string
}

export function defineShow(program: Command, output: Output = stdio): void {
  program
    .command('show')
    .description('show what a fingerprint holds')
    .argument('<file>', 'a .tfp file, or a name in the fingerprint store')
    .addOption(
      new Option('--arrays', 'each call with its number, and the calls that follow it').conflicts([
        'json',
        'dot',
        'html',
      ]),
    )
    .addOption(new Option('--json', 'everything, as JSON').conflicts(['arrays', 'dot', 'html']))
    .addOption(new Option('--dot', 'a graph for Graphviz').conflicts(['arrays', 'json', 'html']))
    .option('--html <out>', 'one file for a browser: matrix, graph, curve, table; - is stdout')
    .option('--program <key>', 'only this one of several programs: its path, or the end of it')
    .addHelpText(
      'after',
      '\nExamples:\n  tracefp show server.tfp --arrays\n  tracefp show ls --dot | dot -Tsvg > ls.svg',
    )
    .action(async (name: string, options: ShowOptions) => {
      await show(name, options, output)
    })
}

async function show(name: string, options: ShowOptions, output: Output): Promise<void> {
  const file = fingerprintFileNamed(name)
  const whole = await readFingerprintFile(file)
  const fingerprint = options.program === undefined ? whole : onlyProgram(whole, options.program, file)
  const programs = [...fingerprint.programs.values()]
  if (options.html !== undefined) {
    const { block } = decodeSigned(readFingerprintText(file), file)
    const text = toHtml(fingerprint, { file: basename(file), block, version: VERSION })
    if (options.html === '-') output.data(text)
    else await writeAtomic(options.html, text)
  } else if (options.arrays === true) {
    const mapping = mappingOf(fingerprint, file, output)
    output.data(programs.map((program) => renderArrays(program, mapping)).join('\n'))
  } else if (options.json === true) {
    output.data(`${asJson({ ...toJson(fingerprint), mimicry: budgetsOf(programs, fingerprint) }, 2)}\n`)
  } else if (options.dot === true) {
    output.data(programs.map(renderDot).join('\n'))
  } else {
    output.data(`file         ${printable(file)}\n${renderSummary(fingerprint)}${budgetSummary(programs, fingerprint)}`)
  }
}

/** @throws UsageError when no program, or several, are meant. */
function onlyProgram(fingerprint: Fingerprint, wanted: string, file: string): Fingerprint {
  const found = programsNamed(fingerprint, wanted)
  const [program] = found
  if (program === undefined || found.length > 1) {
    const keys = (found.length > 1 ? found.map(({ key }) => key) : [...fingerprint.programs.keys()]).join(', ')
    throw new UsageError(
      `${file} holds ${found.length > 1 ? 'several programs' : 'no program'} ${wanted}: give one of ${keys}`,
    )
  }
  const roots = fingerprint.roots.filter((key) => key === program.key)
  return { ...fingerprint, roots, programs: new Map([[program.key, program]]) }
}

function programsNamed(fingerprint: Fingerprint, wanted: string): ProgramFingerprint[] {
  const exact = fingerprint.programs.get(wanted)
  if (exact !== undefined) return [exact]
  return [...fingerprint.programs.values()].filter(({ key }) => key.endsWith(`/${wanted}`))
}

/** The numbers to show: those of the fingerprint's mapping, whatever machine this is. */
function mappingOf({ settings, mappingHash, programs }: Fingerprint, file: string, output: Output): Mapping {
  const mapping = builtinMapping(settings.mapping)
  if (mapping === undefined) {
    output.message(`tracefp: mapping ${settings.mapping} is not known here: ${file} is shown without numbers\n`)
    return createMapping(settings.mapping, NATIVE_ABI, () => ({ names: [], numbers: new Map() }))
  }
  if (mapping.hashOf(symbolsOf(programs.values())) !== mappingHash) {
    output.message(`tracefp: ${file} was made with other numbers than those shown: run and check refuse it\n`)
  }
  return mapping
}
