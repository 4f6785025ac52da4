// Compares a recorded session with the expectation of its tracee. Pure: events in, sentences about differences out.
import { constants } from 'node:os'
import { basename } from 'node:path'
import type { Image } from '../../src/model/stream.ts'
import type { RecordedRun, StreamEvent } from './events.ts'
import type { CountLine, Expectation, TrackLine } from './expectation.ts'

export type SymbolOf = (abi: number, nr: number) => string

/** What is compared of one track: its records between the marks, restarts folded. */
export interface ComparedTrack {
  readonly tid: number
  readonly kind: TrackLine['kind']
  readonly tokens: string[]
  end: string | null
}

interface LiveTrack extends ComparedTrack {
  readonly tgid: number
  isHelper: boolean
  isOn: boolean
  wasOn: boolean
}

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))
const BEGIN_MARK = /(?:^|:)sys_5001$/
const END_MARK = /(?:^|:)sys_5002$/
const HELPER_MARK = /(?:^|:)sys_5003$/

/** The first name of a number wins in `os.constants`' order, but for the two numbers that carry two. */
export function signalName(signal: number): string {
  if (signal === constants.signals.SIGABRT) return 'SIGABRT'
  if (signal === constants.signals.SIGIO) return 'SIGIO'
  return SIGNAL_NAMES.get(signal) ?? `SIG${signal}`
}

function endOf(code: number | null, signal: number | null): string {
  return signal !== null && signal !== 0 ? `killed(${signalName(signal)})` : `exited(${code ?? 0})`
}

function execToken(image: Image): string {
  const script = image.script === null ? '' : `+${basename(image.script.path)}`
  return `exec:${basename(image.path)}${script}`
}

/** Tracks with anything to compare, and what is wrong with the stream itself, whatever the tracee promised. */
export function readTracks(
  events: readonly StreamEvent[],
  symbolOf: SymbolOf,
): { tracks: ComparedTrack[]; problems: string[] } {
  const all: LiveTrack[] = []
  const alive = new Map<number, LiveTrack>()
  const known = new Set<number>()
  const problems: string[] = []
  const find = (event: { type: string; tid: number }): LiveTrack | undefined => {
    const track = alive.get(event.tid)
    if (track === undefined) problems.push(`${event.type} of tid ${event.tid}, which is not alive`)
    return track
  }
  let wasMet = false
  for (const event of events) {
    if (event.type === 'note') wasMet = event.code === 'unknown_tracee'
    if (event.type === 'birth') {
      if (alive.has(event.tid)) problems.push(`birth of tid ${event.tid}, which is alive`)
      // Who was met without its birth has no parent that is known; a note said so.
      const isOrphan = event.kind === 'fork' && event.parentTid === 0 && wasMet
      if (event.kind !== 'exec' && event.kind !== 'join' && !isOrphan && !known.has(event.parentTid)) {
        problems.push(`birth of tid ${event.tid} by tid ${event.parentTid}, which was never born`)
      }
      if (event.kind !== 'thread' && event.tgid !== event.tid)
        problems.push(`tid ${event.tid} does not lead its process`)
      const parent = alive.get(event.parentTid)
      if (event.kind === 'thread' && parent !== undefined && parent.tgid !== event.tgid) {
        problems.push(`thread ${event.tid} is not of the process of tid ${event.parentTid}`)
      }
      const isOn = event.kind !== 'exec' && parent?.isOn === true
      const kind = event.kind === 'thread' || event.kind === 'fork' ? event.kind : 'main'
      const { tid, tgid } = event
      const track: LiveTrack = { tid, tgid, kind, tokens: [], end: null, isHelper: false, isOn, wasOn: isOn }
      all.push(track)
      alive.set(event.tid, track)
      known.add(event.tid)
    } else if (event.type === 'exec') {
      const track = find({ type: 'exec', tid: event.formerTid })
      if (track === undefined) continue
      // Of the threads of a process only the caller survives, under the leader's tid: the leader's own track is over.
      alive.delete(event.formerTid)
      alive.set(event.tid, track)
      if (track.isOn) track.tokens.push(execToken(event.image))
      track.isOn = false
    } else if (event.type === 'call') {
      const track = find(event)
      if (track === undefined || event.isRestart) continue
      const symbol = symbolOf(event.abi, event.nr)
      if (BEGIN_MARK.test(symbol)) {
        track.isOn = true
        track.wasOn = true
      } else if (END_MARK.test(symbol)) track.isOn = false
      else if (HELPER_MARK.test(symbol)) track.isHelper = true
      else if (track.isOn) track.tokens.push(symbol)
    } else if (event.type === 'signal') {
      const track = find(event)
      if (track?.isOn === true) track.tokens.push(signalName(event.signal))
    } else if (event.type === 'exit') {
      const track = find(event)
      if (track === undefined) continue
      track.end = endOf(event.code, event.signal)
      alive.delete(event.tid)
    } else if (event.type === 'gap') problems.push(`a gap of ${event.count} records in tid ${event.tid}`)
  }
  for (const track of alive.values()) problems.push(`tid ${track.tid} (${track.kind}) never ended`)
  return { tracks: all.filter((track) => track.wasOn && !track.isHelper), problems }
}

function endsWith(tokens: readonly string[], sequence: readonly string[]): boolean {
  const start = tokens.length - sequence.length
  return start >= 0 && sequence.every((token, index) => tokens[start + index] === token)
}

/** Takes out every floating sequence, the inner one of two nested ones first. */
export function withoutFloating(tokens: readonly string[], floating: readonly (readonly string[])[]): string[] {
  const left: string[] = []
  for (const token of tokens) {
    left.push(token)
    for (let found = true; found; ) {
      const sequence = floating.find((candidate) => endsWith(left, candidate))
      found = sequence !== undefined
      if (sequence !== undefined) left.length -= sequence.length
    }
  }
  return left
}

function isToken(expected: string, seen: string | undefined): boolean {
  return seen === expected || (expected === 'exec' && seen?.startsWith('exec:') === true)
}

/** Null when the track is what the line says, else the first difference. */
export function differenceOf(line: TrackLine, track: ComparedTrack): string | null {
  if (line.kind !== track.kind) return `is a ${track.kind} track`
  const tokens = withoutFloating(track.tokens, line.floating)
  let at = 0
  for (const item of line.items) {
    let times = 0
    while (times < item.max && isToken(item.token, tokens[at])) {
      times += 1
      at += 1
    }
    if (times < item.min) {
      const wanted = item.min > 1 ? ` number ${times + 1} of ${item.min}` : ''
      return `record ${at + 1}: expected ${item.token}${wanted}, saw ${tokens[at] ?? 'the end'}`
    }
  }
  if (at < tokens.length) return `record ${at + 1}: expected the end, saw ${tokens.slice(at, at + 5).join(' ')}`
  if (line.end !== null && line.end !== track.end) return `expected ${line.end}, saw ${track.end ?? 'no end'}`
  return null
}

/** Pairs tracks with lines, by augmenting paths: a track that two lines accept never starves the stricter one. */
function matchTracks(lines: readonly TrackLine[], tracks: readonly ComparedTrack[]): string[] {
  const wanted = lines.flatMap((line) => Array.from({ length: line.count }, () => line))
  const differences = new Map(lines.map((line) => [line, tracks.map((track) => differenceOf(line, track))]))
  const takenBy = new Map<number, number>()
  const place = (index: number, tried: Set<number>): boolean => {
    const row = differences.get(wanted[index] as TrackLine) ?? []
    for (const [track, difference] of row.entries()) {
      if (difference !== null || tried.has(track)) continue
      tried.add(track)
      const holder = takenBy.get(track)
      if (holder !== undefined && !place(holder, tried)) continue
      takenBy.set(track, index)
      return true
    }
    return false
  }
  const unplaced = wanted.filter((_, index) => !place(index, new Set()))
  const spare = [...tracks.keys()].filter((track) => !takenBy.has(track))
  const problems = unplaced.map((line) => {
    const near = spare.find((track) => tracks[track]?.kind === line.kind)
    const reason = near === undefined ? 'no such track' : differences.get(line)?.[near]
    return `no track for "${line.text}": ${reason}`
  })
  for (const index of spare) {
    const track = tracks[index]
    if (track === undefined) continue
    const text = track.tokens.length > 12 ? [...track.tokens.slice(0, 12), '...'] : track.tokens
    problems.push(`no line for a ${track.kind} track of ${track.tokens.length} records: ${text.join(' ')} ${track.end}`)
  }
  return problems
}

function countOf(line: CountLine, events: readonly StreamEvent[], symbolOf: SymbolOf): number {
  return events.filter((event) => {
    if (line.what === 'births') return event.type === 'birth' && event.kind === line.name
    if (event.type === 'signal') return signalName(event.signal) === line.name
    return event.type === 'call' && !event.isRestart && symbolOf(event.abi, event.nr) === line.name
  }).length
}

/** Everything in which a run differs from what its tracee promised; empty when it keeps the promise. */
export function compareRun(expectation: Expectation, run: RecordedRun, symbolOf: SymbolOf): string[] {
  const { tracks, problems } = readTracks(run.events, symbolOf)
  problems.push(...matchTracks(expectation.tracks, tracks))
  for (const line of expectation.counts) {
    const count = countOf(line, run.events, symbolOf)
    if (count < line.min || count > line.max)
      problems.push(`${line.what} ${line.name}: expected ${line.min}, saw ${count}`)
  }
  const notes = run.events.filter((event) => event.type === 'note').filter((note) => note.inconclusive)
  for (const note of notes) {
    const isExpected = expectation.notes.some((expected) => expected.code === note.code)
    if (!isExpected) problems.push(`inconclusive: ${note.code}: ${note.message}`)
  }
  for (const expected of expectation.notes) {
    const isSeen = notes.some((note) => note.code === expected.code)
    if (expected.isRequired && !isSeen) problems.push(`no note ${expected.code} makes the session inconclusive`)
  }
  const exit = endOf(run.exit.code, run.exit.signal)
  if (exit !== expectation.exit) problems.push(`the program ${exit}, expected ${expectation.exit}`)
  return problems
}
