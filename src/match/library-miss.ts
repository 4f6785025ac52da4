// A library that is not the one learned: a finding of its own. It stands in the notes of a report and leaves the verdict as it is;
// to who is told of misses it comes as one of kind `image`, which makes nothing abnormal.

import type { LibraryChange, StreamNote } from '../model/stream.ts'
import type { Miss } from './miss.ts'
import { printable } from './printable.ts'
import type { ReportNote } from './report.ts'

const PREFIX = 'image:library:'
const SHORT = 12

export function libraryNote(change: LibraryChange): StreamNote {
  const { program, path, sha256, learned } = change
  const short = (hash: string): string => hash.slice(0, SHORT)
  const now = sha256 === null ? 'gone, or cannot be read' : `sha256 ${short(sha256)}`
  const was = learned.length === 0 ? 'it had no such library' : `learned was ${learned.map(short).join(', ')}`
  const message = `high: library changed: ${printable(path)} of ${printable(program)} is ${now}; ${was}`
  return { code: 'library_changed', message, inconclusive: false, library: change }
}

export function libraryMiss({ program, path, sha256, learned }: LibraryChange, tid: number, at: string): Miss {
  return {
    tid,
    tgid: tid,
    ppid: 0,
    ancestors: [],
    kind: 'image',
    image: program,
    index: 0,
    at,
    context: ['<exec>'],
    from: '<exec>',
    to: `${PREFIX}${path}:sha256:${sha256 ?? 'none'}`,
    depth: 2,
    expected: learned.map((hash) => `${PREFIX}${path}:sha256:${hash}`),
    path: [],
    severity: 'high',
    layer: null,
    burst: 0,
    isAlarm: false,
    action: 'alert',
  }
}

export function isLibraryMiss({ kind, to }: Pick<Miss, 'kind' | 'to'>): boolean {
  return kind === 'image' && to.startsWith(PREFIX)
}

/** Those that a report tells. */
export function libraryMissesOf(notes: readonly ReportNote[], at: string): Miss[] {
  return notes.flatMap(({ library }) => (library === undefined ? [] : [libraryMiss(library, 0, at)]))
}
