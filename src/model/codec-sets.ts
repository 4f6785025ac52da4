// The lines that hold successor sets and exec sets of one program, as both layers and both formats have them. A set is read
// only where a writer would have listed it: where it says more than the set of the context's end.
import { type LineReader, writeWord } from './canonical.ts'
import { contextsOf } from './contexts.ts'
import { isStartSymbol, type Successors } from './fingerprint.ts'
import {
  compareContexts,
  firstOf,
  isKnown,
  lengthOf,
  listedContexts,
  type NextCounts,
  nextAfter,
  suffixOf,
} from './language.ts'

export interface SetLimits {
  readonly depth: number
  /** Contexts of this many symbols and more are passed over. */
  readonly upTo: number
  readonly runCount: number
}

export function writeExecs(keyword: string, execs: ReadonlyMap<string, number>): string[] {
  return sorted(execs).map(([exec, count]) => `${keyword} ${writeWord(exec)}:${count}`)
}

export function writeListed(successors: Successors): string[] {
  return [...successors.keys()].sort(compareContexts).map((context) => {
    return `after ${context} ->${writeCounts(successors.get(context) as NextCounts)}`
  })
}

/** ` SYMBOL:RUNS ...`. */
export function writeCounts(next: NextCounts): string {
  let text = ''
  for (const [symbol, count] of sorted(next)) text += ` ${symbol}:${count}`
  return text
}

/** `KEYWORD PROGRAM:RUNS` lines. */
export function readExecs(reader: LineReader, keyword: string, runCount: number): Map<string, number> {
  const execs = new Map<string, number>()
  let previous: string | undefined
  for (let rest = reader.take(keyword); rest !== undefined; rest = reader.take(keyword)) {
    const colon = rest.lastIndexOf(':')
    const exec = reader.word(rest.slice(0, Math.max(0, colon)))
    reader.ascending(previous, exec)
    execs.set(exec, reader.count(rest.slice(colon + 1), runCount))
    previous = exec
  }
  return execs
}

export function readListed(reader: LineReader, { depth, upTo, runCount }: SetLimits): Successors {
  const successors = new Map<string, NextCounts>()
  let previous: string | undefined
  for (let line = takeSet(reader); line !== undefined; line = takeSet(reader)) {
    if (upTo < depth && lengthOf(line.context) >= upTo) {
      reader.skip('after')
      break
    }
    const context = readContext(reader, line.context, depth)
    const next = readCounts(reader, line.next, runCount)
    inOrder(reader, previous, context)
    const inherited = checkListed(reader, successors, context, next)
    for (const [symbol, count] of next) {
      if (inherited !== undefined && (inherited.get(symbol) as number) < count) {
        reader.fail('more runs than had the end of the context')
      }
    }
    successors.set(context, next)
    previous = context
  }
  return successors
}

/** Format 1: contexts are whole, or begin with a START symbol. */
export function readWhole(reader: LineReader, { depth, runCount }: Omit<SetLimits, 'upTo'>): Successors {
  const whole = new Map<string, NextCounts>()
  let previous: string | undefined
  for (let line = takeSet(reader); line !== undefined; line = takeSet(reader)) {
    const context = readWholeContext(reader, line.context, depth)
    reader.ascending(previous, context)
    if (line.next === '') reader.fail('an empty set')
    whole.set(context, readCounts(reader, line.next, runCount))
    previous = context
  }
  const contexts = contextsOf(whole, depth, Math.max)
  return new Map(
    listedContexts(contexts).map((context) => [context, new Map(sorted(contexts.get(context) as NextCounts))]),
  )
}

/** 1 to depth-1 symbols. */
export function readContext(reader: LineReader, text: string, depth: number): string {
  const symbols = text.split(' ')
  for (const symbol of symbols) if (!reader.isSymbol(symbol)) reader.fail('not a symbol in a context')
  if (symbols.length >= depth) reader.fail(`a context has at most ${depth - 1} symbols at depth ${depth}`)
  return text
}

/** Of format 1. */
export function readWholeContext(reader: LineReader, text: string, depth: number): string {
  const context = readContext(reader, text, depth)
  if (lengthOf(context) < depth - 1 && !isStartSymbol(firstOf(context))) {
    reader.fail(`a context has ${depth - 1} symbols at depth ${depth}, or begins with a START symbol`)
  }
  return context
}

/** Walks the line by hand: this is most of the time that reading a file takes. */
export function readCounts(reader: LineReader, text: string, runCount: number): Map<string, number> {
  const counts = new Map<string, number>()
  if (text === '') return counts
  let previous = ''
  for (let from = 0; from <= text.length; ) {
    const space = text.indexOf(' ', from)
    const end = space < 0 ? text.length : space
    const colon = text.lastIndexOf(':', end - 1)
    const symbol = text.slice(from, Math.max(from, colon))
    if (!reader.isSymbol(symbol)) reader.fail('not SYMBOL:RUNS')
    if (symbol <= previous) reader.ascending(previous, symbol)
    counts.set(symbol, reader.count(text.slice(colon + 1, end), runCount))
    previous = symbol
    from = end + 1
  }
  return counts
}

export function inOrder(reader: LineReader, previous: string | undefined, context: string): void {
  if (previous === undefined || compareContexts(previous, context) < 0) return
  reader.fail(previous === context ? 'a context that stood before' : 'contexts are out of order')
}

/** `known`: all sets of shorter contexts. Gives the set that would stand here if none were listed, where there is one. */
export function checkListed(
  reader: LineReader,
  known: Successors,
  context: string,
  next: NextCounts,
): NextCounts | undefined {
  const suffix = suffixOf(context)
  if (suffix === undefined) {
    if (next.size === 0) reader.fail('an empty set')
    return undefined
  }
  const inherited = nextAfter(known, suffix)
  if (inherited === undefined || !isKnown(known, context)) reader.fail('a context that the shorter ones do not know')
  for (const symbol of next.keys()) if (!inherited.has(symbol)) reader.fail('a symbol that does not follow its end')
  if (next.size === inherited.size) reader.fail('a set that its end has too')
  return inherited
}

function takeSet(reader: LineReader): { context: string; next: string } | undefined {
  const rest = reader.take('after')
  if (rest === undefined) return undefined
  if (rest.endsWith(' ->')) return { context: rest.slice(0, -3), next: '' }
  const arrow = rest.indexOf(' -> ')
  if (arrow < 0) reader.fail('expected "after CONTEXT -> SYMBOL:RUNS ..."')
  return { context: rest.slice(0, arrow), next: rest.slice(arrow + 4) }
}

function sorted(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
