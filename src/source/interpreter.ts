// Which of its arguments an interpreter takes as the script: the first file operand of a known one. `python -m x` and
// `bash -c x` have no file, so they stay the interpreter itself.

import { Memo } from './memo.ts'

interface Interpreter {
  readonly name: RegExp
  /** Options after which the program text is not a file. */
  readonly inline: readonly string[]
  /** Options that take the next argument as their value. */
  readonly valued: readonly string[]
}

const INTERPRETERS: readonly Interpreter[] = [
  { name: /^python[\d.]*$/, inline: ['-c', '-m'], valued: ['-W', '-X', '--check-hash-based-pycs'] },
  {
    name: /^node(js)?$/,
    inline: ['-e', '-p', '-pe', '--eval', '--print', '-i', '--interactive', '--test', '--run'],
    valued: ['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--env-file'],
  },
  { name: /^perl[\d.]*$/, inline: ['-e', '-E'], valued: ['-I', '-M', '-m', '-F'] },
  { name: /^ruby[\d.]*$/, inline: ['-e'], valued: ['-I', '-r', '-C', '-E'] },
  { name: /^(ba|da|z|k|mk|a)?sh$/, inline: ['-c', '-s'], valued: ['-o', '+o', '-O', '+O', '--rcfile', '--init-file'] },
  { name: /^php[\d.]*$/, inline: ['-r', '-a'], valued: ['-d', '-c', '-z'] },
  { name: /^lua[\d.]*$/, inline: ['-e'], valued: ['-l'] },
  { name: /^tclsh[\d.]*$/, inline: [], valued: ['-encoding'] },
]

export interface Operand {
  /** Null: there is none. */
  readonly script: string | null
  /** How many arguments say so. */
  readonly saidBy: number
}

const KNOWN = new Memo((image) => INTERPRETERS.find(({ name }) => name.test(image)) ?? null)

/** The script operand in `argv` (argv[0] is the interpreter), or null. `image` is the interpreter's base name. */
export function scriptOperandOf(image: string, argv: readonly string[]): string | null {
  return operandOf(image, argv)?.script ?? null
}

/** Null: `image` is no interpreter. */
export function operandOf(image: string, argv: readonly string[]): Operand | null {
  const interpreter = KNOWN.of(image)
  if (interpreter === null) return null
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] as string
    if (argument === '--') return { script: argv[i + 1] ?? null, saidBy: i + 1 }
    if (argument === '-') return { script: null, saidBy: i }
    if (!argument.startsWith('-') && !argument.startsWith('+')) return { script: argument, saidBy: i }
    if (interpreter.inline.some((option) => isOption(argument, option))) return { script: null, saidBy: i }
    if (interpreter.valued.includes(argument)) i++
  }
  return { script: null, saidBy: argv.length }
}

/** Files that an operand may stand for, in the order in which the interpreter tries them; the first is the operand itself. */
export function scriptFilesOf(image: string, operand: string, mainOf: (folder: string) => string | null): string[] {
  if (/^node(js)?$/.test(image)) {
    const main = mainOf(operand)
    const named = main === null ? [] : [`${operand}/${main}`, `${operand}/${main}.js`, `${operand}/${main}/index.js`]
    return [operand, `${operand}.js`, ...named, `${operand}/index.js`]
  }
  return /^python[\d.]*$/.test(image) ? [operand, `${operand}/__main__.py`] : [operand]
}

/** `-c`, `-cx` and, for one-letter options, also combined ones as in `sh -ec`. */
function isOption(argument: string, option: string): boolean {
  if (argument === option) return true
  if (option.length !== 2 || argument.startsWith('--')) return argument.startsWith(`${option}=`)
  return /^-[A-Za-z]+$/.test(argument) && argument.includes(option[1] as string)
}
