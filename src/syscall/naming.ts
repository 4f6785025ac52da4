// A mapping for logs, which name calls: what the mapping does not know gets a number too, under an ABI code of its own, so
// that an unknown name is a symbol of its own. Those numbers live as long as the object; they are in no hash and no file.
import { sha256Of } from '../addon/hash.ts'
import { TracefpError } from '../errors.ts'
import { NAMED_ABI } from './abi.ts'
import { isSpecial, type Mapping } from './mapping.ts'

export interface CallNumber {
  readonly abi: number
  readonly nr: number
}

export interface NamingMapping extends Mapping {
  /**
   * The number of a name in a log: `read`, `i386:read`, `NtCreateFile`. The same object for the same name. Of what cannot stand in
   * a symbol the bytes are written as `%hh`.
   * @throws TracefpError TFP_ERR_SYSCALL_MAPPING for more than MAX_UNKNOWN_NAMES names that the mapping does not know.
   */
  intern(name: string): CallNumber
  /** Whether the mapping itself has the name. Asking gives it no number. */
  knows(name: string): boolean
  /** Symbol texts of the names that were asked for and are not in the mapping; `sys_N` among them. */
  readonly unknownNames: ReadonlySet<string>
}

/** A log with more of them is one of another system, or no log at all. */
export const MAX_UNKNOWN_NAMES = 4096

const MAX_TEXT_LENGTH = 255

export function namingMapping(base: Mapping): NamingMapping {
  const ofName = new Map<string, CallNumber>()
  const ownNumbers = new Map<string, CallNumber>()
  const ownTexts: string[] = []
  const unknownNames = new Set<string>()

  function ownNumberOf(text: string): CallNumber {
    let number = ownNumbers.get(text)
    if (number === undefined) {
      number = { abi: NAMED_ABI, nr: ownTexts.length }
      ownNumbers.set(text, number)
      ownTexts.push(text)
    }
    return number
  }

  function internNew(name: string): CallNumber {
    const text = symbolTextOf(name)
    const known = base.numberOf(text)
    if (known === undefined || isNameless(base.symbolOf(known.abi, known.nr))) {
      if (unknownNames.size >= MAX_UNKNOWN_NAMES && !unknownNames.has(text)) throw tooMany(base.name)
      unknownNames.add(text)
    }
    const number = known ?? ownNumberOf(text)
    ofName.set(name, number)
    return number
  }

  return {
    name: base.name,
    nativeAbi: base.nativeAbi,
    hasNumbers: base.hasNumbers,
    symbolOf: (abi, nr) => (abi === NAMED_ABI ? ownTexts[nr] : undefined) ?? base.symbolOf(abi, nr),
    // A fingerprint may hold names that the mapping does not know: they need the numbers that the log will bring.
    numberOf: (symbol) => base.numberOf(symbol) ?? (isSpecial(symbol) ? undefined : { ...ownNumberOf(symbol) }),
    hashOf: (symbols) => base.hashOf(symbols),
    intern: (name) => ofName.get(name) ?? internNew(name),
    knows: (name) => base.numberOf(name) !== undefined,
    unknownNames,
  }
}

/** The name as a symbol text: what a file may not hold is escaped, and different names stay different. */
export function symbolTextOf(name: string): string {
  if (/^[\w:.-]{1,255}$/.test(name)) return name
  const escaped = name.replace(/^<|^->$|^$|[^!-~]|["%\\]/gu, (text) =>
    text === '' ? '%' : Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  )
  if (escaped.length <= MAX_TEXT_LENGTH) return escaped
  return `${escaped.slice(0, 180)}%${sha256Of(name)}`
}

function isNameless(symbol: string): boolean {
  return /(?:^|:)sys_-?\d+$/.test(symbol)
}

function tooMany(mapping: string): TracefpError {
  const what = `more than ${MAX_UNKNOWN_NAMES} different names that mapping ${mapping} does not know`
  return new TracefpError('TFP_ERR_SYSCALL_MAPPING', `${what}: is it a log of that system? give --format or --mapping`)
}
