// Records matched per second: by tracefp in TypeScript and in C++, one track and a thousand in turns, at depth 2, 3 and 6; by what
// one would write without thinking of speed; and how fast the same bytes can be read at all.

import { loadAddon } from '../../addon/addon.ts'
import { Checker } from '../../match/checker.ts'
import { Walker } from '../../match/walker.ts'
import type { Fingerprint } from '../../model/fingerprint.ts'
import { TransitionTable } from '../../model/table.ts'
import { ByteReader, ByteWriter } from '../../source/capture/bytes.ts'
import { OP } from '../../source/capture/layout.ts'
import { RecordDecoder } from '../../source/capture/record-decoder.ts'
import { RecordEncoder } from '../../source/capture/record-encoder.ts'
import { Tape } from '../../source/capture/tape.ts'
import { type Contender, costOf, cpuOf, inTurns, least, median, type Samples } from '../measure.ts'
import { ABI, begin, learnMix, MAPPING, type Mix, markov, uniform } from '../mixes.ts'
import { mapOfSets, setOfStrings, stide, walkTracks } from '../naive.ts'
import type { Part, PartContext } from '../part.ts'
import type { Chart, PartResult, Ratio, Table } from '../result.ts'

const TRACKS = 1000
const MEMORY_BYTES = 2 ** 27
/** Of a mix where anything may come, stide could learn without end. */
const STIDE_LEARNS = 2 ** 17

interface Size {
  readonly count: number
  readonly rounds: number
}

/** What is measured, and how many records it has each time. */
type Matcher = Contender & { readonly count: number }

export const MATCHING: Part = { name: 'matching', title: 'Matching', run }

async function run(context: PartContext): Promise<PartResult> {
  const size: Size = context.quick ? { count: 2 ** 21, rounds: 3 } : { count: 2 ** 25, rounds: 7 }
  const forms = formsHere()
  const skipped = forms.includes('vbmi') ? [] : ['AVX-512 VBMI: this CPU has none']
  const mixes = [markov(size.count), uniform(60, size.count), uniform(200, size.count)]
  const tables: Table[] = []
  const ratios: Ratio[] = []
  const charts: Chart[] = []
  const all: Samples = {}
  for (const mix of mixes) {
    const matchers = matchersOf(mix, forms, size)
    const samples = await inTurns(matchers, { warmUp: context.quick ? 1 : 2, kept: size.rounds }, (round, of) =>
      context.tell(`matching, ${mix.name}: round ${round} of ${of}`),
    )
    for (const [name, list] of Object.entries(samples)) all[`${mix.name}: ${name}`] = list
    const rates = new Map(matchers.map((matcher) => [matcher.name, rateOf(matcher, samples)]))
    tables.push(tableOf(mix, rates))
    ratios.push(...ratiosOf(mix, rates))
    charts.push(chartOf(mix, rates))
  }
  const what =
    `${(size.count / 1e6).toFixed(0)} million calls of a byte each, ${size.rounds} rounds in turns after those that were dropped; CPU ` +
    `time. All find the same. What may follow what was learned from the first of them. A thousand tracks: who makes the next ` +
    'call is drawn anew each time, and stands in the stream; times are those of a capture.'
  return { name: 'matching', title: 'Matching', what, tables, ratios, charts, skipped, samples: all }
}

function formsHere(): string[] {
  const { head, slots, places } = new Tape(0, () => {})
  return ['plain', 'vbmi'].filter((form) => {
    try {
      return new (loadAddon().TapePlayer)(head, slots, places, form) !== undefined
    } catch {
      return false
    }
  })
}

function matchersOf(mix: Mix, forms: readonly string[], { count }: Size): Matcher[] {
  const { codes, learned } = mix
  const { bench } = loadAddon()
  const few = learned.subarray(0, STIDE_LEARNS)
  const isMarkov = mix.name.startsWith('Markov')
  const depths = isMarkov ? [2, 3, 6] : [2]
  const fingerprints = new Map(depths.map((depth) => [depth, learnMix(mix, depth)]))
  const bytes = encodedCalls(mix, 1)
  const matchers: Matcher[] = []
  const add = (name: string, work: () => unknown, part = 1): void => {
    matchers.push({ name, count: count / part, run: () => costOf(work) })
  }
  // More than caches hold; and written to, since pages that never were are all the same one.
  const memory = new Uint8Array(MEMORY_BYTES).fill(1)
  add('memory, a byte a call', () => bench.readAll(memory), count / MEMORY_BYTES)
  add('memory, two bytes a call', () => bench.readAll(memory), (2 * count) / MEMORY_BYTES)
  const walk = tableWalk(mix, fingerprints.get(2) as Fingerprint)
  add('C++, bitset, one by one', walk)
  for (const [depth, fingerprint] of fingerprints) {
    for (const form of forms) {
      if (form === 'vbmi' && depth > 2) continue
      add(nameOf(form, depth), player(mix, fingerprint, depth, form, bytes))
    }
    add(nameOf('none', depth), player(mix, fingerprint, depth, 'none', bytes))
  }
  if (isMarkov) {
    const fingerprint = fingerprints.get(2) as Fingerprint
    const mixed = encodedCalls(mix, TRACKS, count / 4)
    for (const [name, form] of [
      ['C++, 1,000 tracks', ''],
      ['TypeScript, 1,000 tracks', 'none'],
    ] as const) {
      // The stream says whose calls follow by where it was: it can be played from its beginning only.
      const prepare = (): (() => void) => player(mix, fingerprint, 2, form, mixed)
      matchers.push({ name, count: count / 4, run: () => costOf(prepare()) })
    }
  }
  if (isMarkov) {
    const { records, memo } = decodedCalls(mix)
    const last = new Uint8Array(TRACKS + 1)
    add('C++, 1,000 tracks, decoded', () => bench.walkTracks(memo, last, records), count / records.length)
    add('TypeScript, 1,000 tracks, decoded', () => walkTracks(memo, last, records), count / records.length)
  }
  const naive: readonly [name: string, count: (codes: Uint8Array) => number, part: number][] = [
    ['C++, unordered_set of pairs', bench.pairSet(learned), 8],
    ['C++, stide of 6, unordered_set', bench.stide(few), 16],
    ['TypeScript, Map of Sets', mapOfSets(learned), 16],
    ['TypeScript, Set of strings', setOfStrings(learned), 32],
    ['TypeScript, stide of 6, Set of strings', stide(few), 256],
  ]
  for (const [name, misses, part] of naive) {
    const own = codes.subarray(0, count / part)
    add(name, () => misses(own), part)
  }
  return matchers
}

function nameOf(form: string, depth: number): string {
  const what = { none: 'TypeScript', plain: 'C++, plain', vbmi: 'C++, AVX-512 VBMI' }[form] ?? form
  return depth === 2 ? what : `${what}, depth ${depth}`
}

/** The records of a capture that hold the calls, behind those that begin it. */
interface Encoded {
  readonly beginning: Uint8Array
  readonly calls: Uint8Array
}

function encodedCalls(mix: Mix, tracks: number, count: number = mix.codes.length): Encoded {
  const bytes = new ByteWriter()
  const encoder = new RecordEncoder({ bytes, now: () => 0, startMs: 0, onRecord: () => {} })
  begin(encoder)
  for (let tid = 2; tid <= tracks; tid += 1) encoder.onBirth(tid, 1, 1, 'join')
  // The dictionary, in the order of the codes.
  for (const nr of mix.numbers) encoder.onCall(1, ABI, nr, false)
  const beginning = Uint8Array.from(bytes.view)
  if (tracks === 1) return { beginning, calls: mix.codes }
  bytes.clear()
  drawTracks(mix, tracks, count, (tid, code) => encoder.onCall(tid, ABI, mix.numbers[code - OP.call] as number, false))
  return { beginning, calls: Uint8Array.from(bytes.view) }
}

/** The same, where the calls of all tracks stand in an array; and the pairs that all of them make. */
function decodedCalls(mix: Mix): { records: Uint32Array; memo: Uint8Array } {
  const records = new Uint32Array(mix.codes.length / 4)
  const memo = new Uint8Array(2 ** 16)
  for (let i = 1; i < mix.codes.length; i += 1) memo[(mix.codes[i - 1] as number) | ((mix.codes[i] as number) << 8)] = 1
  drawTracks(mix, TRACKS, records.length, (tid, code, i) => {
    records[i] = (tid << 16) | (code << 8)
  })
  return { records, memo }
}

/** Who makes the next call is drawn; each track makes the calls of the mix, from a place of its own on. */
function drawTracks(
  mix: Mix,
  tracks: number,
  count: number,
  call: (tid: number, code: number, i: number) => void,
): void {
  const places = new Uint32Array(tracks + 1).map((_, tid) => tid * 997)
  let state = 1
  for (let i = 0; i < count; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const tid = 1 + ((state >>> 8) % tracks)
    call(tid, mix.codes[(places[tid] as number) % mix.codes.length] as number, i)
    places[tid] = (places[tid] as number) + 1
  }
}

/** Plays the calls; what came before is played by now. */
function player(mix: Mix, fingerprint: Fingerprint, depth: number, form: string, encoded: Encoded): () => void {
  const checker = new Checker({ fingerprints: [fingerprint], mapping: MAPPING, depth })
  const walker = new Walker(checker, { mapping: MAPPING, tracks: 'thread' })
  const decoder = new RecordDecoder(walker, 0, form)
  decoder.decode(new ByteReader(encoded.beginning, mix.name, 0))
  return () => decoder.decode(new ByteReader(encoded.calls, mix.name, 0))
}

function tableWalk(mix: Mix, fingerprint: Fingerprint): () => unknown {
  const [program] = fingerprint.programs.values()
  const table = TransitionTable.compile(program as NonNullable<typeof program>, MAPPING, 2)
  const symbols = mix.codes.map((code) => table.symbolOf(ABI, mix.numbers[code - OP.call] as number))
  const bytes = new Uint8Array(table.buffer)
  const { bench } = loadAddon()
  return () => bench.walkTable(bytes, symbols)
}

interface Rate {
  /** Records a second of CPU, in millions. */
  readonly median: number
  readonly best: number
}

function rateOf({ name, count }: Matcher, samples: Samples): Rate {
  const times = cpuOf(samples, name)
  return { median: count / median(times) / 1000, best: count / least(times) / 1000 }
}

function tableOf(mix: Mix, rates: ReadonlyMap<string, Rate>): Table {
  const limit = rates.get('memory, two bytes a call') as Rate
  const rows = [...rates].map(([name, { median: middle, best }]) => [
    name,
    figure(middle),
    figure(best),
    (best / limit.best).toFixed(3),
  ])
  return {
    caption: mix.name,
    columns: ['', 'million calls/s, median', 'best', 'of reading two bytes a call'],
    rows,
  }
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

function ratiosOf(mix: Mix, rates: ReadonlyMap<string, Rate>): Ratio[] {
  const id = mix.name.startsWith('Markov') ? 'markov' : `uniform-${mix.numbers.length}`
  const ratios: Ratio[] = []
  const add = (name: string, over: string, under: string, target?: Ratio['target']): void => {
    const [a, b] = [rates.get(over), rates.get(under)]
    if (a === undefined || b === undefined) return
    const what = `${over} / ${under} (${mix.name})`
    ratios.push({
      id: `matching.${id}.${name}`,
      what,
      value: a.median / b.median,
      least: a.best / b.best,
      ...(target === undefined ? {} : { target }),
    })
  }
  add('ts-strings', 'TypeScript', 'TypeScript, Set of strings', { atLeast: id === 'markov' ? 25 : 40 })
  add('ts-bitset', 'TypeScript', 'C++, bitset, one by one', { atLeast: 0.45 })
  add('plain-memory', 'C++, plain', 'memory, two bytes a call', { atLeast: 0.3 })
  if (id !== 'uniform-200') add('vbmi-memory', 'C++, AVX-512 VBMI', 'memory, two bytes a call', { atLeast: 0.7 })
  // Nearly all of it is reading whose call it is, which is not matching: no target.
  add('ts-tracks', 'TypeScript, 1,000 tracks', 'TypeScript')
  add('native-tracks', 'C++, 1,000 tracks', 'C++, bitset, one by one')
  add('ts-tracks-decoded', 'TypeScript, 1,000 tracks, decoded', 'TypeScript', { atLeast: 0.4 })
  add('native-tracks-decoded', 'C++, 1,000 tracks, decoded', 'C++, bitset, one by one', { atLeast: 0.75 })
  add('native-depth', 'C++, plain, depth 6', 'C++, plain', { atLeast: 0.5 })
  add('ts-depth', 'TypeScript, depth 6', 'TypeScript', { atLeast: 0.5 })
  return ratios
}

function chartOf(mix: Mix, rates: ReadonlyMap<string, Rate>): Chart {
  const bars = [...rates].map(([label, { best }]) => ({ label, value: best })).sort((a, b) => b.value - a.value)
  const name = `matching-${mix.name.replace(/[^a-zA-Z0-9]+/g, '-').toLowerCase()}`
  return { name, title: `Calls matched, ${mix.name}`, unit: 'million calls a second', isLogarithmic: true, bars }
}
