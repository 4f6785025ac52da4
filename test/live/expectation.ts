// The notation in the head comment of a tracee (test/tracees/README.md): what a session of it must hold.
// Parsing only; the comparison is in comparison.ts.

/** `token` between `min` and `max` times in a row. Matching is greedy: what follows must be another token. */
export interface Item {
  readonly token: string
  readonly min: number
  readonly max: number
}

export interface TrackLine {
  readonly kind: 'main' | 'thread' | 'fork'
  /** How many tracks look like this. */
  readonly count: number
  readonly items: readonly Item[]
  /** Sequences that may come any number of times at any place. */
  readonly floating: readonly (readonly string[])[]
  /** `exited(N)` or `killed(SIGX)`; null = either is fine. */
  readonly end: string | null
  readonly text: string
}

export interface CountLine {
  readonly what: 'count' | 'births'
  readonly name: string
  readonly min: number
  readonly max: number
}

export interface Expectation {
  readonly sentence: string
  readonly tracks: readonly TrackLine[]
  readonly counts: readonly CountLine[]
  readonly notes: readonly { readonly code: string; readonly isRequired: boolean }[]
  /** How the root program ends, in the words of a track's end. */
  readonly exit: string
  readonly arch: string | null
  /** What it states is what ptrace does to a tracee: not true under an engine without it. */
  readonly needsPtrace: boolean
  readonly compilerFlags: readonly string[] | null
  readonly timeoutMs: number
}

const MAX_ITEMS = 100_000

interface Part {
  readonly items: readonly Item[]
  readonly isFloating: boolean
}

class SequenceParser {
  readonly floating: string[][] = []
  #words: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#words = text.match(/[[\]()]|(?:(?:killed|exited)\([^)]*\)|[^\s[\]()])+/g) ?? []
  }

  parse(closer: string | null): Item[] {
    const items: Item[] = []
    for (;;) {
      const word = this.#words[this.#at]
      if (word === undefined && closer !== null) throw new Error(`missing ${closer}`)
      if (word === undefined) return items
      this.#at += 1
      if (word === closer) return items
      if (word === ']' || word === ')') throw new Error(`unexpected ${word}`)
      const part = word === '[' || word === '(' ? this.#group(word === '[' ? ']' : ')') : repeated(word)
      if (part.isFloating) this.floating.push(part.items.flatMap(tokensOf))
      else items.push(...part.items)
      if (items.length > MAX_ITEMS) throw new Error('too many items')
    }
  }

  #group(closer: string): Part {
    const inner = this.parse(closer)
    const suffix = this.#words[this.#at]
    if (suffix === undefined || !/^\*\d*$/.test(suffix)) return { items: inner, isFloating: false }
    this.#at += 1
    if (suffix === '*') return { items: inner, isFloating: true }
    const times = Number(suffix.slice(1))
    if (times * inner.length > MAX_ITEMS) throw new Error('too many items')
    return { items: Array.from({ length: times }, () => inner).flat(), isFloating: false }
  }
}

function tokensOf(item: Item): string[] {
  if (item.min !== item.max) throw new Error(`${item.token}: only fixed counts may float`)
  return Array.from({ length: item.min }, () => item.token)
}

function repeated(word: string): Part {
  const match = /^([A-Za-z<][\w:.+-]*?)(\*\d*|\+|\?)?$/.exec(word)
  const token = match?.[1]
  if (token === undefined) throw new Error(`cannot read ${word}`)
  const suffix = match?.[2] ?? '*1'
  if (suffix === '*') return { items: [{ token, min: 1, max: 1 }], isFloating: true }
  if (suffix === '+') return { items: [{ token, min: 1, max: Number.POSITIVE_INFINITY }], isFloating: false }
  if (suffix === '?') return { items: [{ token, min: 0, max: 1 }], isFloating: false }
  const times = Number(suffix.slice(1))
  return { items: [{ token, min: times, max: times }], isFloating: false }
}

function parseTrack(kind: TrackLine['kind'], count: number, text: string): TrackLine {
  const end = /(?:exited\(\d+\)|killed\(\w+\))$/.exec(text.trim())?.[0] ?? null
  const body = end === null ? text : text.trim().slice(0, -end.length)
  const parser = new SequenceParser(body)
  const items = parser.parse(null)
  return { kind, count, items, floating: parser.floating, end, text: `${kind}: ${text.trim()}` }
}

function parseRange(text: string): { min: number; max: number } {
  const match = /^(\d+)(\.\.(\d*))?$/.exec(text)
  if (match === null) throw new Error(`cannot read the count ${text}`)
  const min = Number(match[1])
  if (match[2] === undefined) return { min, max: min }
  return { min, max: match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]) }
}

function parseEnd(word: string): string {
  return /^\d+$/.test(word) ? `exited(${word})` : `killed(${word})`
}

/** Reads the head comment of a tracee: its first line is the sentence, lines with `//=` are the expectation. */
export function parseExpectation(source: string): Expectation {
  const lines = source.split('\n')
  const sentence = /^\/\/ (\S.*)$/.exec(lines[0] ?? '')?.[1]
  if (sentence === undefined) throw new Error('line 1: a tracee begins with one sentence in a // comment')
  const tracks: TrackLine[] = []
  const counts: CountLine[] = []
  const notes: { code: string; isRequired: boolean }[] = []
  const single = { exit: 'exited(0)', arch: null as string | null, timeoutMs: 30_000 }
  let compilerFlags: string[] | null = null
  let needsPtrace = false
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('//=')) continue
    const text = line.slice(3).trim()
    try {
      const track = /^(main|thread|fork)(?:\*(\d+))?:(.*)$/.exec(text)
      const [word = '', first = '', second = ''] = text.split(/\s+/)
      if (track !== null) {
        tracks.push(parseTrack(track[1] as TrackLine['kind'], Number(track[2] ?? 1), track[3] ?? ''))
      } else if (word === 'count' || word === 'births') {
        counts.push({ what: word, name: first, ...parseRange(second) })
      } else if (word === 'note' || word === 'maybe') {
        notes.push({ code: first, isRequired: word === 'note' })
      } else if (word === 'exit') single.exit = parseEnd(first)
      else if (word === 'arch') single.arch = first
      else if (word === 'ptrace') needsPtrace = true
      else if (word === 'timeout') single.timeoutMs = parseRange(first).min
      else if (word === 'cflags') compilerFlags = text.split(/\s+/).slice(1)
      else throw new Error(`unknown directive ${word}`)
    } catch (error) {
      throw new Error(`line ${index + 1}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { sentence, tracks, counts, notes, ...single, needsPtrace, compilerFlags }
}
