// The transition table as the matcher uses it: everything stands in one SharedArrayBuffer (table-layout.ts), so worker
// threads and native code read the same bytes. It never changes once compiled, so readers need no synchronisation.
import { TracefpError } from '../errors.ts'
import type { Mapping } from '../syscall/mapping.ts'
import { compileTable } from './compile-table.ts'
import type { ProgramFingerprint } from './fingerprint.ts'
import { ABI_LIMIT, HEADER_BYTES, LOOKUP_SIZE, SIGNAL_LIMIT, TABLE_MAGIC, TABLE_VERSION, WORD } from './table-layout.ts'

/** Where a track stands. */
export interface Place {
  state: number
  /** Before the last call. */
  formerState: number
}

export class TransitionTable {
  readonly buffer: SharedArrayBuffer
  /** Sequences of this length are checked, 2 to 8. */
  readonly depth: number
  readonly symbolCount: number
  readonly stateCount: number
  /** Pairs: transitions that the program may make in the sense of the paper. For coverage. */
  readonly transitionCount: number
  readonly wordsPerRow: number
  readonly #rows: Uint32Array
  readonly #next: Uint32Array
  readonly #ends: Uint32Array
  readonly #lookup: Int16Array
  /** Start in #lookup per ABI code. */
  readonly #blocks: Int32Array
  readonly #extras: Int32Array
  readonly #hasNext: boolean
  #symbols: readonly string[] | undefined
  #specials: ReadonlyMap<string, number> | undefined

  private constructor(buffer: SharedArrayBuffer) {
    const header = readHeader(buffer)
    const word = (name: keyof typeof WORD): number => header[WORD[name]] as number
    this.buffer = buffer
    this.depth = word('depth')
    this.symbolCount = word('symbolCount')
    this.stateCount = word('stateCount')
    this.transitionCount = word('transitionCount')
    this.wordsPerRow = word('wordsPerRow')
    this.#rows = new Uint32Array(buffer, word('rows'), this.stateCount * this.wordsPerRow)
    this.#hasNext = word('next') !== 0
    this.#next = new Uint32Array(buffer, word('next'), this.#hasNext ? this.stateCount * this.symbolCount : 0)
    this.#ends = new Uint32Array(buffer, word('ends'), this.#hasNext ? this.stateCount : 0)
    this.#lookup = new Int16Array(buffer, word('lookup'), word('blockCount') * LOOKUP_SIZE)
    this.#extras = new Int32Array(buffer, word('extras'), word('extraCount') * 3)
    this.#blocks = Int32Array.from(
      { length: ABI_LIMIT },
      (_, abi) => (header[WORD.abiBlock + abi] as number) * LOOKUP_SIZE,
    )
  }

  /**
   * The table of one program. `depth` may be lower than the depth it was learned at, which is the default; `transparent` are
   * the calls that native readers skip.
   * @throws TracefpError TFP_ERR_MODEL_FORMAT when it would not fit into half a gigabyte.
   */
  static compile(
    program: ProgramFingerprint,
    mapping: Mapping,
    depth?: number,
    transparent: Iterable<string> = [],
  ): TransitionTable {
    return new TransitionTable(compileTable(program, mapping, depth, transparent))
  }

  /** The same table from another thread's buffer. @throws TracefpError TFP_ERR_MODEL_FORMAT: not a table. */
  static fromBuffer(buffer: SharedArrayBuffer): TransitionTable {
    return new TransitionTable(buffer)
  }

  /** The symbol of a call; -1: this program was never seen to make it; -2: it is transparent. */
  symbolOf(abi: number, nr: number): number {
    if (nr >>> 0 < LOOKUP_SIZE && abi >>> 0 < ABI_LIMIT) {
      return this.#lookup[(this.#blocks[abi] as number) + nr] as number
    }
    return this.#extraOf(abi, nr)
  }

  /** The symbol of `<exec>`, `<thread>`, `<fork>`, `<signal:N>`, `<end>`; -1: never learned. */
  specialOf(text: string): number {
    this.#specials ??= new Map(this.symbols.map((symbol, index) => [symbol, index]))
    return this.#specials.get(text) ?? -1
  }

  /** Whether `symbol` may follow `state`. Nothing may where either is -1. */
  allows(state: number, symbol: number): boolean {
    if ((state | symbol) < 0) return false
    return (((this.#rows[state * this.wordsPerRow + (symbol >>> 5)] as number) >>> (symbol & 31)) & 1) === 1
  }

  /**
   * The state after `symbol` (not -1) in `state` (not -1), allowed or not: it stands for the longest known end of what the track did.
   * Depth 2: the symbol itself.
   */
  next(state: number, symbol: number): number {
    return this.#hasNext ? (this.#next[state * this.symbolCount + symbol] as number) : symbol
  }

  /**
   * The calls numbers[begin, end), as long as each is allowed and has no flag: `flags` has one per call number, from `firstFlag` on.
   * Moves the place along, whose state is not -1, and sets the bits of the transitions made in `used`, which stands as the rows.
   * Answers how many calls those were.
   */
  follow(
    place: Place,
    used: Uint32Array,
    abi: number,
    numbers: Int32Array,
    begin: number,
    end: number,
    flags: Uint8Array,
    firstFlag: number,
  ): number {
    const rows = this.#rows
    const nexts = this.#next
    const lookup = this.#lookup
    const hasNext = this.#hasNext
    const { wordsPerRow, symbolCount } = this
    const block = this.#blocks[abi] as number
    let { state, formerState } = place
    let at = begin
    for (; at < end; at += 1) {
      const nr = numbers[at] as number
      if (nr >>> 0 >= LOOKUP_SIZE) break
      const symbol = lookup[block + nr] as number
      if (symbol < 0 || flags[firstFlag + nr] !== 0) break
      const word = state * wordsPerRow + (symbol >>> 5)
      const bit = 1 << (symbol & 31)
      if (((rows[word] as number) & bit) === 0) break
      used[word] = (used[word] as number) | bit
      formerState = state
      state = hasNext ? (nexts[state * symbolCount + symbol] as number) : symbol
    }
    place.state = state
    place.formerState = formerState
    return at - begin
  }

  /** The state of a track of which only the last symbol is known; -1: none, the next transition is not judged. */
  resync(symbol: number): number {
    return symbol
  }

  /** The last symbol of what a state remembers. */
  lastOf(state: number): number {
    let last = state
    while (last >= this.symbolCount) last = (this.#ends[last] as number) >>> 3
    return last
  }

  /**
   * The lowest depth at which `symbol` may not follow `state`, where it may not at this one: 2 when it never followed the last
   * symbol. Not for the hot path.
   */
  missDepth(state: number, symbol: number): number {
    let shortest = state
    for (let end = state; end >= this.symbolCount; ) {
      end = (this.#ends[end] as number) >>> 3
      if (this.allows(end, symbol)) break
      shortest = end
    }
    return shortest < this.symbolCount ? 2 : ((this.#ends[shortest] as number) & 7) + 1
  }

  /** Symbols that may follow, ascending. Not for the hot path. */
  successorsOf(state: number): number[] {
    const symbols: number[] = []
    for (let symbol = 0; symbol < this.symbolCount; symbol += 1) if (this.allows(state, symbol)) symbols.push(symbol)
    return symbols
  }

  /** Text of each symbol. */
  get symbols(): readonly string[] {
    this.#symbols ??= readTexts(this.buffer, this.symbolCount)
    return this.#symbols
  }

  /** Binary search in the numbers beyond the lookup. */
  #extraOf(abi: number, nr: number): number {
    let low = 0
    let high = this.#extras.length / 3
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = middle * 3
      const order = (this.#extras[at] as number) - abi || (this.#extras[at + 1] as number) - nr
      if (order === 0) return this.#extras[at + 2] as number
      if (order < 0) low = middle + 1
      else high = middle
    }
    return -1
  }
}

function readHeader(buffer: SharedArrayBuffer): Uint32Array {
  const fail = (): never => {
    throw new TracefpError('TFP_ERR_MODEL_FORMAT', 'the buffer is not a transition table of this tracefp')
  }
  if (buffer.byteLength < HEADER_BYTES) fail()
  const header = new Uint32Array(buffer, 0, HEADER_BYTES / 4)
  const word = (index: number): number => header[index] as number
  if (word(WORD.magic) !== TABLE_MAGIC || word(WORD.version) !== TABLE_VERSION) fail()
  if (word(WORD.byteLength) !== buffer.byteLength) fail()
  const sizes: readonly (readonly [offset: number, bytes: number])[] = [
    [word(WORD.rows), word(WORD.stateCount) * word(WORD.wordsPerRow) * 4],
    [word(WORD.next), word(WORD.next) === 0 ? 0 : word(WORD.stateCount) * word(WORD.symbolCount) * 4],
    [word(WORD.ends), word(WORD.next) === 0 ? 0 : word(WORD.stateCount) * 4],
    [word(WORD.lookup), word(WORD.blockCount) * LOOKUP_SIZE * 2],
    [word(WORD.extras), word(WORD.extraCount) * 12],
    [word(WORD.signals), SIGNAL_LIMIT * 2],
    [word(WORD.text), (word(WORD.symbolCount) + 1) * 4],
  ]
  for (const [offset, bytes] of sizes) if (offset % 4 !== 0 || offset + bytes > buffer.byteLength) fail()
  return header
}

function readTexts(buffer: SharedArrayBuffer, symbolCount: number): string[] {
  const offset = new Uint32Array(buffer, 0, HEADER_BYTES / 4)[WORD.text] as number
  const starts = new Uint32Array(buffer, offset, symbolCount + 1)
  const bytes = new Uint8Array(buffer, offset + starts.byteLength)
  return Array.from({ length: symbolCount }, (_, s) => String.fromCharCode(...bytes.slice(starts[s], starts[s + 1])))
}
