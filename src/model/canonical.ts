// The text that fingerprints and ledgers share: a line with kind and version, a checksum over everything below it, ASCII
// lines of words with one space between, and `end`. One rule for words: printable ASCII without space, quote or backslash
// stands bare, anything else is a JSON string with all but ASCII as \uXXXX. What is not canonical is refused.
import { sha256Of } from '../addon/hash.ts'
import { type ErrorCode, FormatError } from '../errors.ts'
import { isSymbolText } from './fingerprint.ts'

/** Larger files are refused before they are looked at. */
export const MAX_TEXT_LENGTH: number = 64 * 1024 * 1024

export interface TextKind {
  readonly magic: string
  /** What is written; all from 1 on are read. */
  readonly version: number
  /** For messages: `fingerprint`, `ledger`. */
  readonly noun: string
}

export function sha256OfText(text: string): string {
  return sha256Of(Buffer.from(text, 'latin1'))
}

/** The word as it stands in a file. */
export function writeWord(word: string): string {
  if (/^[!#-[\]-~]+$/.test(word)) return word
  return JSON.stringify(word).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The whole file around its body lines. */
export function frameText(kind: TextKind, body: readonly string[]): string {
  const below = `${body.join('\n')}\nend\n`
  return `${kind.magic} ${kind.version}\nchecksum sha256:${sha256OfText(below)}\n${below}`
}

/** Reads line by line; every complaint names file and line. */
export class LineReader {
  readonly file: string
  /** Of the format. */
  readonly version: number
  readonly #lines: readonly string[]
  #next = 2
  /** Texts that were looked at before: a file repeats a few of them thousands of times. */
  readonly #symbols = new Set<string>()
  readonly #counts = new Map<string, number>()

  /** @throws FormatError when kind, version, checksum or characters are not right. */
  constructor(kind: TextKind, text: string, file: string) {
    this.file = file
    this.version = checkFrame(kind, text, file)
    this.#lines = text.split('\n')
  }

  /** What follows `keyword ` on the next line, which is then consumed; undefined: the line is another one. */
  take(keyword: string): string | undefined {
    const line = this.#lines[this.#next]
    if (line === undefined || !line.startsWith(keyword) || line.charCodeAt(keyword.length) !== 32) return undefined
    this.#next += 1
    return line.slice(keyword.length + 1)
  }

  /** Passes over all lines of that kind. */
  skip(keyword: string): void {
    while (this.#lines[this.#next]?.startsWith(`${keyword} `) === true) this.#next += 1
  }

  need(keyword: string): string {
    const rest = this.take(keyword)
    if (rest === undefined) this.failAtNext(`expected a line "${keyword} ..."`)
    return rest
  }

  /** Consumes a line that must be there just so. */
  literal(line: string): void {
    if (this.#lines[this.#next] !== line) this.failAtNext(`expected "${line}"`)
    this.#next += 1
  }

  /** Consumes the last line. */
  end(): void {
    this.literal('end')
    if (this.#next !== this.#lines.length - 1) this.failAtNext('there is text after the end')
  }

  words(rest: string): string[] {
    if (!/["\\]/.test(rest)) {
      const words = rest.split(' ')
      if (words.includes('')) this.fail('words are separated by one space')
      return words
    }
    const words: string[] = []
    const pattern = /("(?:[^"\\]|\\.)*"|[^ "\\]+)( (?=.)|$)/y
    while (pattern.lastIndex < rest.length) {
      const word = pattern.exec(rest)?.[1]
      if (word === undefined) this.fail('a word is not quoted rightly')
      words.push(this.word(word))
    }
    return words
  }

  /** One word, unquoted. */
  word(text: string): string {
    const word = text.startsWith('"') ? unquote(text) : text
    if (word === undefined || writeWord(word) !== text) this.fail('a word is not quoted rightly')
    return word
  }

  /** Whether the text can stand as a symbol. */
  isSymbol(text: string): boolean {
    if (this.#symbols.has(text)) return true
    if (!isSymbolText(text)) return false
    this.#symbols.add(text)
    return true
  }

  /** An integer from `min` to `max`. */
  count(text: string, max: number, min: number = 1): number {
    let value = this.#counts.get(text)
    if (value === undefined) {
      value = /^(?:0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : -1
      this.#counts.set(text, value)
    }
    if (value < min || value > max) this.fail(`"${shorten(text)}" is not a number from ${min} to ${max}`)
    return value
  }

  /** `current` must come after `previous` in plain code-unit order. */
  ascending(previous: string | undefined, current: string): void {
    if (previous === undefined || previous < current) return
    this.fail(`${previous === current ? 'duplicate' : 'out of order'}: "${shorten(current)}"`)
  }

  /** Complains about the line consumed last. */
  fail(message: string, code: ErrorCode = 'TFP_ERR_MODEL_FORMAT'): never {
    throw new FormatError(code, message, this.file, this.#next)
  }

  failAtNext(message: string): never {
    throw new FormatError('TFP_ERR_MODEL_FORMAT', message, this.file, this.#next + 1)
  }
}

/** The version of the format. */
function checkFrame(kind: TextKind, text: string, file: string): number {
  const fail = (code: ErrorCode, message: string, line: number): never => {
    throw new FormatError(code, message, file, line)
  }
  const truncated = `the file is truncated: its last line is not "end"; take the ${kind.noun} from where it was copied`
  if (text.length > MAX_TEXT_LENGTH) fail('TFP_ERR_MODEL_FORMAT', 'larger than 64 MiB', 0)
  if (text === '') fail('TFP_ERR_MODEL_FORMAT', 'the file is empty', 0)
  const firstEnd = text.indexOf('\n')
  const first = firstEnd < 0 ? text.slice(0, 100) : text.slice(0, Math.min(firstEnd, 100))
  const version = first.startsWith(`${kind.magic} `) ? first.slice(kind.magic.length + 1) : ''
  if (!/^[1-9][0-9]{0,8}$/.test(version)) {
    if (firstEnd < 0 && `${kind.magic} `.startsWith(text)) fail('TFP_ERR_MODEL_CHECKSUM', truncated, 0)
    fail('TFP_ERR_MODEL_FORMAT', `this is not a ${kind.noun} of tracefp: it begins with ${JSON.stringify(first)}`, 1)
  }
  if (Number(version) > kind.version) {
    const what = `the ${kind.noun} has format ${version}, this tracefp reads formats up to ${kind.version}`
    fail('TFP_ERR_MODEL_VERSION', `${what}: use a newer tracefp`, 1)
  }
  if (!text.endsWith('\nend\n')) fail('TFP_ERR_MODEL_CHECKSUM', truncated, 0)
  const secondEnd = text.indexOf('\n', firstEnd + 1)
  const second = text.slice(firstEnd + 1, Math.min(secondEnd, firstEnd + 101))
  const checksum = /^checksum sha256:([0-9a-f]{64})$/.exec(second)?.[1]
  if (checksum === undefined) fail('TFP_ERR_MODEL_FORMAT', 'expected a line "checksum sha256:..."', 2)
  const bad = /[^\n -~]/.exec(text)
  if (bad !== null) {
    const line = text.slice(0, bad.index).split('\n').length
    fail('TFP_ERR_MODEL_FORMAT', `a character that cannot stand here: ${JSON.stringify(bad[0])}`, line)
  }
  if (sha256OfText(text.slice(secondEnd + 1)) !== checksum) {
    fail('TFP_ERR_MODEL_CHECKSUM', `the ${kind.noun} was altered: its checksum is wrong`, 2)
  }
  return Number(version)
}

function unquote(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}
