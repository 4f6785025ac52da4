// Arguments of the few calls whose arguments matter: which program an exec starts, what a clone makes, which signal gets a
// handler. strace prints them in many ways (-X raw, -X verbose, -N, -y, -e raw); what cannot be read is undefined.

import { Memo } from '../memo.ts'

export interface CloneFlags {
  readonly isThread: boolean
  readonly sharesHandlers: boolean
  readonly clearsHandlers: boolean
  readonly sharesFiles: boolean
  readonly isUntraced: boolean
  readonly newPidNamespace: boolean
}

const BITS = {
  isThread: ['CLONE_THREAD', 0x10000],
  sharesHandlers: ['CLONE_SIGHAND', 0x800],
  clearsHandlers: ['CLONE_CLEAR_SIGHAND', 0x100000000],
  sharesFiles: ['CLONE_FILES', 0x400],
  isUntraced: ['CLONE_UNTRACED', 0x800000],
  newPidNamespace: ['CLONE_NEWPID', 0x20000000],
} as const satisfies Record<keyof CloneFlags, readonly [string, number]>

const FORK: CloneFlags = {
  isThread: false,
  sharesHandlers: false,
  clearsHandlers: false,
  sharesFiles: false,
  isUntraced: false,
  newPidNamespace: false,
}

/** What a call of the clone family makes; undefined: its flags are not in the log. */
export function cloneFlagsOf(name: string, args: string): CloneFlags | undefined {
  if (name === 'fork' || name === 'vfork') return FORK
  const raw = /^(0x[\da-f]+|0)(?=,)/.exec(args)
  const text = /\bflags=([^,}]*)/.exec(args)?.[1] ?? (name === 'clone3' ? undefined : raw?.[1])
  return text === undefined ? undefined : FLAGS.of(text)
}

/** Programs make children with few sets of flags. */
const FLAGS = new Memo(flagsOf)

function flagsOf(text: string): CloneFlags {
  const number = sumOf(text)
  const words = new Set(text.match(/\b\w+\b/g))
  const has = ([word, bit]: readonly [string, number]): boolean => words.has(word) || Math.floor(number / bit) % 2 === 1
  return {
    isThread: has(BITS.isThread),
    sharesHandlers: has(BITS.sharesHandlers),
    clearsHandlers: has(BITS.clearsHandlers),
    sharesFiles: has(BITS.sharesFiles),
    isUntraced: has(BITS.isUntraced),
    newPidNamespace: has(BITS.newPidNamespace),
  }
}

/** The numbers of `0x1200000|17` joined; words are none. */
function sumOf(text: string): number {
  let sum = 0
  for (const part of text.replace(/\/\*.*?\*\//g, '').split('|')) {
    const number = Number(part.trim())
    if (Number.isFinite(number)) sum += number
  }
  return sum
}

/** What a sigaction or signal call sets; `handler` null: it only asks; undefined: not in the log. */
export interface SignalAction {
  readonly signal: number
  readonly handler: 'default' | 'ignored' | 'caught' | null | undefined
  /** SA_RESETHAND: the handler runs once. */
  readonly isOnce: boolean
}

export function signalActionOf(name: string, args: string): SignalAction | undefined {
  const match = /^(?:\w+=)?(\w+)(?: \/\* (\w+) \*\/)?, (?:\w+=)?(.*)$/s.exec(args)
  if (match === null) return undefined
  const signal = signalNumberOf(match[2] ?? (match[1] as string)) ?? signalNumberOf(match[1] as string)
  if (signal === undefined) return undefined
  const rest = match[3] as string
  if (name === 'signal') {
    const word = /^\w+/.exec(rest)?.[0] ?? ''
    return { signal, handler: handlerOf(word), isOnce: true }
  }
  if (rest.startsWith('NULL') || rest.startsWith('0,')) return { signal, handler: null, isOnce: false }
  const word = /^\{(?:sa_handler|sa_sigaction)=(\w+)/.exec(rest)?.[1]
  if (word === undefined) return { signal, handler: undefined, isOnce: false }
  const flags = /\bsa_flags=([^,}]*)/.exec(rest)?.[1] ?? ''
  const isOnce = /\bSA_(?:RESETHAND|ONESHOT)\b/.test(flags) || Math.floor(sumOf(flags) / 0x80000000) % 2 === 1
  return { signal, handler: handlerOf(word), isOnce }
}

function handlerOf(word: string): 'default' | 'ignored' | 'caught' {
  if (word === 'SIG_DFL' || Number(word) === 0) return 'default'
  return word === 'SIG_IGN' || Number(word) === 1 ? 'ignored' : 'caught'
}

// Numbers of signals as all ABIs of x86 and arm have them.
const SIGNALS: readonly string[] =
  '0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  )
const OTHER_NAMES: ReadonlyMap<string, number> = new Map([
  ['POLL', 29],
  ['IOT', 6],
  ['CLD', 17],
  ['RTMIN', 32],
  ['UNUSED', 31],
])

/** `SIGALRM`, `SIGRT_1` (33), `14`, `0xe`. */
export function signalNumberOf(word: string): number | undefined {
  return NUMBERS.of(word)
}

const NUMBERS = new Memo(numberOfSignal)

function numberOfSignal(word: string): number | undefined {
  if (/^(?:\d+|0x[\da-f]+)$/.test(word)) return Number(word)
  const name = word.startsWith('SIG') ? word.slice(3) : word
  const real = /^RT(?:MIN)?[_+](\d+)$/.exec(name)
  if (real !== null) return 32 + Number(real[1])
  const number = SIGNALS.indexOf(name)
  return number > 0 ? number : OTHER_NAMES.get(name)
}

export interface ExecArguments {
  /** As given to execve; undefined: not in the log. */
  readonly path: string | undefined
  /** Where strace shortened an argument, it ends in `...`; what it left out at the end is missing. */
  readonly argv: readonly string[]
}

/** Of execve and execveat. */
export function execArgumentsOf(name: string, args: string): ExecArguments {
  const reader = new ArgumentReader(args)
  let folder: string | undefined
  if (name === 'execveat') {
    folder = reader.descriptorPath()
    reader.comma()
  }
  const path = reader.string()
  reader.comma()
  return { path: inFolder(folder, path), argv: path === undefined ? [] : reader.strings() }
}

/** `execveat(3</usr/bin/true>, "", ...)` executes the descriptor itself. */
function inFolder(folder: string | undefined, path: string | undefined): string | undefined {
  if (folder === undefined || path === undefined || path.startsWith('/')) return path
  return path === '' ? folder : `${folder.replace(/\/$/, '')}/${path}`
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f', a: '\x07', b: '\b' }

class ArgumentReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  comma(): void {
    if (this.#text.startsWith(', ', this.#at)) this.#at += 2
  }

  /** The path that -y shows beside a descriptor. */
  descriptorPath(): string | undefined {
    this.#name()
    const match = /^(?:-?\d+|AT_FDCWD)(?:<((?:[^<>\\]|\\.)*)>)?/.exec(this.#text.slice(this.#at))
    if (match === null) return undefined
    this.#at += match[0].length
    return match[1] === undefined ? undefined : textOf(match[1])
  }

  /** A string, unescaped and read as UTF-8. */
  string(): string | undefined {
    this.#name()
    const match = /^"((?:[^"\\]|\\.)*)"(\.\.\.)?/s.exec(this.#text.slice(this.#at))
    if (match === null) return undefined
    this.#at += match[0].length
    return textOf(match[1] as string) + (match[2] ?? '')
  }

  /** `["ls", "-l"]`; what was left out ends the list. */
  strings(): string[] {
    this.#name()
    if (this.#text[this.#at] !== '[') return []
    this.#at += 1
    const all: string[] = []
    for (;;) {
      const text = this.string()
      if (text === undefined) return all
      all.push(text)
      this.comma()
    }
  }

  /** `pathname=` of -N. */
  #name(): void {
    const match = /^[a-z_]\w*=/.exec(this.#text.slice(this.#at, this.#at + 32))
    if (match !== null) this.#at += match[0].length
  }
}

/** Escapes of strace undone: `\n`, `\"`, `\177`, `\x1f`. */
function textOf(escaped: string): string {
  if (!escaped.includes('\\')) return utf8Of(escaped)
  const bytes = escaped.replace(/\\(x[\da-f]{1,2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (code.length > 1 && code.startsWith('x')) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff)
    return ESCAPES[code] ?? code
  })
  return utf8Of(bytes)
}

function utf8Of(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1
  return Buffer.from(latin1, 'latin1').toString('utf8')
}
