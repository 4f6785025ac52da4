// The seam between walking and judging. The walker knows tracks, frames, births and gaps; a judge knows programs and what
// may follow what. The checker and the recorder are the two judges, so checking and learning can never walk differently.
import type { FloodCounts, Image, LentProgram, PassedTracks, StreamDecision, StreamNote } from '../model/stream.ts'
import type { Track } from './track.ts'

/** What the walker needs of a judge's program. */
export interface WalkedProgram {
  /** By callIndex: see flags.ts. */
  readonly flags: Uint8Array
  /** The walker counts every record here, transparent calls too. */
  recordCount: number
}

export interface Judge<P extends WalkedProgram> {
  /** `former` calls for `image` to run instead of it. False: not known to be right, so no more will be asked of it. */
  exec(track: Track<P>, former: P, image: Image): boolean
  /** `count` calls were found to be no misses elsewhere; of those that follow the first will be asked about without a state. */
  skipped?(count: number): void
  /** Calls that were judged elsewhere and are not told. */
  flood?(program: P, counts: FloodCounts): void
  /** Whether a call would be a miss in this state. */
  isMiss?(state: number, program: P, abi: number, nr: number): boolean
  /** The state after a call that was judged elsewhere. */
  goOn?(state: number, program: P, abi: number, nr: number): number
  /** What calls of the program are judged by, where that is done elsewhere; null or left out: they are not. */
  lent?(program: P): LentProgram | null
  /** `count` calls in a row of one track were judged elsewhere. */
  judged?(count: number): void
  /** What a track of a lent program runs after it executes `image`; null or left out: it must be told. */
  lentExec?(program: LentProgram, image: Image): LentProgram | null
  /** Tracks that nothing was told of; the walker has counted them, but not for the program. */
  passed?(program: LentProgram, passed: PassedTracks): void
  /** The track now runs `image`. `isExpected`: no one objected to it. */
  enter(track: Track<P>, image: Image, isRoot: boolean, isExpected: boolean): P
  /** The state after a START symbol: a state of the program or UNSEEN_START. */
  start(program: P, symbol: string): number
  /** One call in the track's state. Answers the next state. Called for every record: allocates nothing on a known one. */
  call(track: Track<P>, program: P, abi: number, nr: number): number
  /**
   * Calls of one track in a row, numbers[begin, end): judges as many from the first on as are no misses and have no flags, and answers
   * how many. The track's states are then those after them. Left out: none.
   */
  calls?(track: Track<P>, program: P, abi: number, numbers: Int32Array, begin: number, end: number): number
  /** The end of a signal frame where there is none. */
  stray(track: Track<P>, program: P, abi: number, nr: number): void
  /** The track ended by its own exit or exit_group. */
  end(track: Track<P>, program: P): void
  note(note: StreamNote): void
  /** What was decided, when the session was live, about the record told last of this track. */
  decided?(track: Track<P>, decision: StreamDecision): void
}
