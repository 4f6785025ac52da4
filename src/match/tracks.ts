// The tracks of a session that live, by their tid, and what is known of their families: who is below whom, and whose threads a
// process has. What a track does is not known here.

import type { Above, BirthKind, Image } from '../model/stream.ts'
import { Track } from './track.ts'

/** Names of ancestors kept per process. */
const ANCESTOR_LIMIT = 16

export class Tracks<P> {
  /** Whose call was walked last, so that the next one need not look for it. */
  last: Track<P> | null = null
  readonly #byTid = new Map<number, Track<P>>()
  readonly #rootPpid: number
  readonly #rootAncestors: readonly string[]

  /** Who started the root: its parent and the names above it, nearest first. */
  constructor(rootPpid: number, rootAncestors: readonly string[]) {
    this.#rootPpid = rootPpid
    this.#rootAncestors = rootAncestors
  }

  get size(): number {
    return this.#byTid.size
  }

  all(): Iterable<Track<P>> {
    return this.#byTid.values()
  }

  /** It stays lent, if it is. */
  get(tid: number): Track<P> | undefined {
    return this.#byTid.get(tid)
  }

  /** It is here again, if it was lent. */
  take(tid: number): Track<P> | undefined {
    const track = this.#byTid.get(tid)
    track?.recall?.(tid)
    return track
  }

  recallAll(): void {
    for (const [tid, { recall }] of this.#byTid) recall?.(tid)
  }

  add(tid: number, tgid: number, parent: Track<P> | null, kind: BirthKind, above?: Above): Track<P> {
    const track = new Track<P>(tid, tgid, 0, [], `<${kind}>`)
    this.placeBelow(track, parent, kind, above)
    if (this.last?.tid === tid) this.last = null
    this.#byTid.set(tid, track)
    return track
  }

  placeBelow(track: Track<P>, parent: Track<P> | null, kind: BirthKind, above?: Above): void {
    if (parent === null) {
      track.ppid = above?.ppid ?? this.#rootPpid
      track.ancestors = above?.ancestors ?? this.#rootAncestors
    } else if (kind === 'fork') {
      track.ppid = parent.tgid
      track.ancestors = [baseName(parent.image), ...parent.ancestors].slice(0, ANCESTOR_LIMIT)
    } else {
      track.ppid = parent.ppid
      track.ancestors = parent.ancestors
    }
  }

  /** Who a new track gets its program from: the forking parent, or any track of the same process. */
  parentOf(parentTid: number, tgid: number, kind: BirthKind): Track<P> | null {
    if (kind === 'exec') return null
    const parent = kind === 'join' ? undefined : this.#byTid.get(parentTid)
    if (parent !== undefined) return parent
    if (kind === 'fork') return null
    for (const track of this.#byTid.values()) if (track.tgid === tgid) return track
    return null
  }

  /** A process, and those below it. */
  processesBelow(tgid: number): number[] {
    const found = new Set([tgid])
    for (let before = 0; before < found.size; ) {
      before = found.size
      for (const track of this.#byTid.values()) if (found.has(track.ppid)) found.add(track.tgid)
    }
    return [...found]
  }

  /** The track that called execve becomes the leader; all others of its process are gone, without an end of their own. */
  rename(track: Track<P>, tid: number): void {
    for (const other of this.#byTid.values()) {
      if (other.tgid === track.tgid || other.tid === tid) this.forget(other)
    }
    track.tid = tid
    track.isUnborn = false
    this.#byTid.set(tid, track)
  }

  forget(track: Track<P>): void {
    track.recall?.(track.tid)
    this.#byTid.delete(track.tid)
    if (this.last?.tid === track.tid) this.last = null
  }

  clear(): void {
    this.#byTid.clear()
    this.last = null
  }
}

export function baseName(image: Image | null): string {
  return image === null ? '?' : image.path.slice(image.path.lastIndexOf('/') + 1)
}
