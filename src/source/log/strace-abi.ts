// Which call a name in strace's output is. The same name has another number in 32-bit mode, and strace says that a process runs in
// it only where it may be chatty: never with -o, unless told by `-e quiet=none`. Then -n tells, or what only one of the two
// can be: names, and addresses beyond 32 bits.

import { ABI_CODES } from '../../syscall/abi.ts'
import type { CallNumber, NamingMapping } from '../../syscall/naming.ts'

const X32_BIT = 0x40000000
const LONG_ADDRESS = /0x[\da-f]{9,16}\b/
const STRING = /"(?:[^"\\]|\\.)*"/g
/** ARCH_SET_FS is of 64-bit programs; -X raw and verbose print its number. */
const SET_FS = /^(?:\w+=)?(?:ARCH_SET_FS|0x1002)\b/

/** ABI of a process, as a prefix of symbols; empty: native. */
export type Mode = string

export class StraceAbi {
  /** Distinct names that the mapping does not know. */
  readonly unknownNames: Set<string> = new Set()
  readonly #mapping: NamingMapping
  /** By mode, then by name in the log. */
  readonly #numbers = new Map<Mode, Map<string, CallNumber>>()
  readonly #evidence = new Map<string, Mode | undefined>()

  constructor(mapping: NamingMapping) {
    this.#mapping = mapping
  }

  /** Whether programs of another mode can run beside native ones. */
  get hasModes(): boolean {
    return this.#mapping.nativeAbi === 'x86_64'
  }

  /** `32 bit` of a 64-bit machine is another ABI; `64 bit` is the native one. */
  modeOf(words: string): Mode {
    if (words === 'x32') return 'x32'
    if (words !== '32 bit') return ''
    return this.#mapping.nativeAbi === 'x86_64' ? 'i386' : 'arm'
  }

  /** `printed` is the number that -n prints, or -1: it tells the mode of this one call. */
  numberOf(mode: Mode, name: string, printed: number): CallNumber {
    if (printed >= 0) return this.#numberIn(this.modeByNumber(name, printed) ?? mode, name)
    return this.#numberIn(mode, name)
  }

  /** What the number beside the name says; undefined: nothing. */
  modeByNumber(name: string, printed: number): Mode | undefined {
    if (!this.hasModes) return ''
    if ((printed & X32_BIT) !== 0 && printed < 2 * X32_BIT) return 'x32'
    if (this.#mapping.symbolOf(ABI_CODES.x86_64, printed) === name) return ''
    return this.#mapping.symbolOf(ABI_CODES.i386, printed) === `i386:${name}` ? 'i386' : undefined
  }

  /** What a call says of the mode of its process; undefined: nothing. */
  modeByCall(name: string, args: string): Mode | undefined {
    if (name === 'arch_prctl' && SET_FS.test(args)) return ''
    if (LONG_ADDRESS.test(args.replace(STRING, ''))) return ''
    if (!this.#evidence.has(name)) {
      const [isNative, isOther] = [this.#mapping.knows(name), this.#mapping.knows(`i386:${name}`)]
      this.#evidence.set(name, isNative === isOther ? undefined : isNative ? '' : 'i386')
    }
    return this.#evidence.get(name)
  }

  #numberIn(mode: Mode, name: string): CallNumber {
    let numbers = this.#numbers.get(mode)
    if (numbers === undefined) {
      numbers = new Map()
      this.#numbers.set(mode, numbers)
    }
    let number = numbers.get(name)
    if (number === undefined) {
      number = this.#resolve(mode, name)
      numbers.set(name, number)
    }
    return number
  }

  #resolve(mode: Mode, name: string): CallNumber {
    const mapping = this.#mapping
    const bare = this.#bareName(name)
    // `int 0x80` in a 64-bit program, where nothing else says so.
    const isForeign = mode === '' && this.hasModes && !mapping.knows(bare) && mapping.knows(`i386:${bare}`)
    const text = isForeign ? `i386:${bare}` : mode === '' || bare.startsWith(`${mode}:`) ? bare : `${mode}:${bare}`
    const number = mapping.intern(text)
    if (mapping.unknownNames.has(text)) this.unknownNames.add(text)
    return number
  }

  /** `syscall_0x270f` is number 9999 without a name; numbers have 32 bits. */
  #bareName(name: string): string {
    const match = /^syscall_(0x[\da-f]{1,16}|\d{1,20})$/.exec(name)
    if (match === null) return name
    const number = Number(BigInt.asIntN(32, BigInt(match[1] as string)))
    if (this.hasModes && number >= X32_BIT) return `x32:sys_${number - X32_BIT}`
    return `sys_${number}`
  }
}
