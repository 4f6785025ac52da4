// Whose a line of NtTrace is. With -pid and -tid it says so; with one of them half of it is told; with neither all lines are of
// one track, and when there is more than one process or thread the session is marked.
import type { Image, StreamHandler } from '../../model/stream.ts'
import type { NtLine } from './nttrace-line.ts'

export interface NtTrack {
  readonly tid: number
  readonly tgid: number
  /** Calls that were entered (-pre) and whose return was not seen yet, by name. */
  readonly entered: Map<string, number>
}

/** Windows gives ids that are multiples of four: never this one. */
const NOBODY = 1
/** Tracks that are kept; of more the oldest is forgotten, and joined again when it comes back. */
const TRACK_LIMIT = 65536

export class NtTracks {
  /** Who made a process last: the parent of the one that starts next. */
  creator: NtTrack | null = null
  readonly #handler: StreamHandler
  readonly #isOneTrack: boolean
  readonly #tracks = new Map<number, NtTrack>()
  /** Tracks of each process. */
  readonly #processes = new Map<number, Set<number>>()
  /** What the only number in brackets is. Null: not known yet. */
  #single: 'pid' | 'tid' | null = null
  #processCount = 0
  /** The process of lines that name none. */
  #process = 0
  #hasIds = false
  #isMarked = false

  /** `isOneTrack`: all lines are wanted as one sequence, whose they are does not matter. */
  constructor(handler: StreamHandler, isOneTrack: boolean) {
    this.#handler = handler
    this.#isOneTrack = isOneTrack
  }

  /** The track of a call; one that was not born in the log is joined. */
  of(line: NtLine): NtTrack {
    const { tid, tgid } = this.#idsOf(line)
    return this.#tracks.get(tid) ?? this.#join(tid, tgid)
  }

  /** `path`: its image; empty: not told. True: its start was told. */
  beginProcess(line: NtLine, path: string): boolean {
    this.#processCount += 1
    if (line.first > 0 && line.second === 0) this.#single ??= line.first === line.id ? 'pid' : 'tid'
    if (this.#processCount > 1 && !this.#tellsProcesses(line)) {
      this.#mark(
        'processes_mixed',
        'several processes ran, and lines do not say which they are of: use NtTrace -pid -tid',
      )
      return false
    }
    this.#process = line.id
    const tid = line.first === 0 ? line.id : this.#idsOf(line).tid
    if (this.#tracks.has(tid)) this.#forget(tid)
    const image = imageOf(path, line.commandLine)
    const parent = this.creator !== null && this.#tracks.has(this.creator.tid) ? this.creator : null
    this.creator = null
    this.#add(tid, line.id)
    if (image === null) {
      this.#handler.onBirth(tid, 0, line.id, 'join')
      return false
    }
    if (parent === null) this.#handler.onBirth(tid, 0, line.id, 'exec')
    else this.#handler.onBirth(tid, parent.tid, line.id, 'fork')
    this.#handler.onExec(tid, tid, image)
    return true
  }

  beginThread(line: NtLine): void {
    if (line.first > 0 && line.second === 0) this.#single ??= line.first === line.id ? 'tid' : 'pid'
    if (line.first === 0 || (line.second === 0 && this.#single !== 'tid')) {
      this.#mark('threads_mixed', 'several threads ran, and lines do not say which they are of: use NtTrace -pid -tid')
      return
    }
    if (this.#tracks.has(line.id)) return
    const { tgid } = this.#idsOf(line)
    const [sibling] = this.#processes.get(tgid) ?? []
    this.#add(line.id, tgid)
    if (sibling === undefined) this.#handler.onBirth(line.id, 0, tgid, 'join')
    else this.#handler.onBirth(line.id, sibling, tgid, 'thread')
  }

  /** A thread is over, or a process with all of its threads. */
  end(line: NtLine): void {
    const tids = line.kind === 'threadExit' ? [line.id] : [...(this.#processes.get(line.id) ?? [])]
    for (const tid of tids) if (this.#delete(tid)) this.#handler.onExit(tid, line.exitCode, 0)
  }

  finish(): void {
    if (this.#hasIds || this.#isMarked) return
    const message = 'neither processes nor threads stand in the log (NtTrace -pid -tid): it was read as one track'
    this.#handler.onNote({ code: 'one_track', message, inconclusive: false })
  }

  #idsOf({ first, second }: NtLine): { readonly tid: number; readonly tgid: number } {
    if (first > 0) this.#hasIds = true
    if (second > 0) return { tid: second, tgid: first }
    const process = this.#process === 0 ? NOBODY : this.#process
    if (first === 0) return { tid: process, tgid: process }
    return { tid: first, tgid: this.#single === 'tid' && this.#processCount === 1 ? process : first }
  }

  #tellsProcesses({ first, second }: NtLine): boolean {
    return second > 0 || (first > 0 && this.#single === 'pid')
  }

  #join(tid: number, tgid: number): NtTrack {
    const track = this.#add(tid, tgid)
    this.#handler.onBirth(tid, 0, tgid, 'join')
    return track
  }

  #add(tid: number, tgid: number): NtTrack {
    if (this.#tracks.size >= TRACK_LIMIT) this.#forget(this.#tracks.keys().next().value as number)
    const track: NtTrack = { tid, tgid, entered: new Map() }
    this.#tracks.set(tid, track)
    const siblings = this.#processes.get(tgid)
    if (siblings === undefined) this.#processes.set(tgid, new Set([tid]))
    else siblings.add(tid)
    return track
  }

  #delete(tid: number): boolean {
    const track = this.#tracks.get(tid)
    if (track === undefined) return false
    this.#tracks.delete(tid)
    const siblings = this.#processes.get(track.tgid)
    siblings?.delete(tid)
    if (siblings?.size === 0) this.#processes.delete(track.tgid)
    return true
  }

  /** As one that was killed: nothing is judged at its end. */
  #forget(tid: number): void {
    this.#delete(tid)
    this.#handler.onExit(tid, 0, 9)
  }

  #mark(code: string, message: string): void {
    if (this.#isMarked) return
    this.#isMarked = true
    this.#handler.onNote({ code, message, inconclusive: !this.#isOneTrack })
  }
}

/** The image by its path, else by the first word of the command line. Null: neither is told. */
function imageOf(path: string, commandLine: string): Image | null {
  const word = /^"+([^"]+)"|^(\S+)/.exec(commandLine.trim())
  const name = path === '' ? (word?.[1] ?? word?.[2] ?? '') : path
  if (name === '') return null
  return { path: decoded(name).slice(0, 1024), sha256: null, buildId: null, script: null, argv0: null }
}

/** Bytes as UTF-8 where they are that. */
function decoded(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? latin1 : text
}
