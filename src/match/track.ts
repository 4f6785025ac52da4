// A track: one tracee's place in the stream, with the frames of the signal handlers it is in. Data only; the walker
// decides what happens to it, a judge gives meaning to its state.
import type { Image } from '../model/stream.ts'
import type { LocalityFrame } from './frame.ts'
import { History } from './history.ts'

/** The chain is broken: the next transition is neither judged nor learned. */
export const NO_STATE = -1
/** The track began in a way this program was never seen to begin: whatever comes first is a miss. */
export const UNSEEN_START = -2
/** A track met mid-stream: its next call is not judged at all. */
export const JOINED = -3

/** Handlers may nest deep (SA_NODEFER); frames that siglongjmp left behind must not pile up for ever. */
const FRAME_LIMIT = 4096

/** What a signal interrupted. */
interface Frame {
  readonly state: number
  readonly history: History
}

export class Track<P> {
  tid: number
  tgid: number
  ppid: number
  /** Names of the processes above, nearest first, as they were when the process was born. */
  ancestors: readonly string[]
  image: Image | null = null
  program: P | null = null
  /** What the judge last answered, or one of the constants above. */
  state: number = NO_STATE
  /** What it was before the last call. */
  formerState: number = NO_STATE
  history: History
  /** Records so far; the index of the next one. */
  recordCount = 0
  /** Calls among them that are no part of transitions. */
  transparentCount = 0
  /** Null: it had no miss. */
  frame: LocalityFrame | null = null
  /** Flags of the last call. */
  lastFlags = 0
  /** Ends of frames that began before the track was seen, or in a gap: so many are no miss. */
  strayAllowance = 0
  /** Asks for it while its calls are judged elsewhere; null: they are not. */
  recall: ((tid: number) => void) | null = null
  /** Known by its calls only: no birth was seen. */
  isUnborn = false
  #frames: Frame[] = []
  /** That of the last handler, for the next one. */
  #spare: History | null = null

  constructor(tid: number, tgid: number, ppid: number, ancestors: readonly string[], mark: string) {
    this.tid = tid
    this.tgid = tgid
    this.ppid = ppid
    this.ancestors = ancestors
    this.history = new History(mark)
  }

  /** Begins a flow in this frame: after a birth, an exec or a gap. */
  begin(state: number, mark: string): void {
    this.state = state
    this.history.restart(mark)
  }

  /** A handler starts: what it interrupted is kept. */
  pushFrame(state: number, mark: string): void {
    if (this.#frames.length === FRAME_LIMIT) this.#frames.shift()
    this.#frames.push({ state: this.state, history: this.history })
    this.state = state
    const spare = this.#spare
    this.#spare = null
    if (spare === null) {
      this.history = new History(mark)
    } else {
      spare.restart(mark)
      this.history = spare
    }
  }

  /** The handler is over: the flow goes on as if it had not been. False: there is no handler. */
  popFrame(): boolean {
    const frame = this.#frames.pop()
    if (frame === undefined) return false
    this.#spare = this.history
    this.state = frame.state
    this.history = frame.history
    return true
  }

  get hasFrame(): boolean {
    return this.#frames.length > 0
  }

  /** The last call was refused: it did not happen. */
  undo(): void {
    this.state = this.formerState
    this.lastFlags = 0
    this.history.undo()
  }

  /** A forked child is in the same handlers as its parent. */
  copyFramesOf(parent: Track<P>): void {
    this.#frames = parent.#frames.map((frame) => ({ state: frame.state, history: frame.history.copy() }))
    this.strayAllowance = parent.strayAllowance
  }

  dropFrames(): void {
    this.#frames = []
    this.strayAllowance = 0
  }

  /** Records are missing: which handlers are running is unknown, one more may have begun. */
  breakChain(): void {
    this.strayAllowance += this.#frames.length + 1
    this.#frames = []
    this.begin(this.state === JOINED ? JOINED : NO_STATE, '<gap>')
  }
}
