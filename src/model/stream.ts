// The one shape of behaviour: every source (live engine, log, capture) calls a StreamHandler, record by record, in
// order; the checker and the learner are both StreamHandlers. Calls carry numbers, never names: the mapping names them.

/** How a track begins. `join` is a track met mid-stream: its first transition is not judged. */
export type BirthKind = 'exec' | 'thread' | 'fork' | 'join'

/** What runs in a process: the identity of design section 8. Hashes are lower-case hex; null = could not be read. */
export interface Image {
  /** Path of the executable inside the root of its process. */
  readonly path: string
  readonly sha256: string | null
  /** ELF build-id, lower-case hex. */
  readonly buildId: string | null
  /** The script, when `path` is its interpreter. */
  readonly script: { readonly path: string; readonly sha256: string | null } | null
  /** Set for multi-call binaries (busybox) only: base name of argv[0]. */
  readonly argv0: string | null
}

/** Facts of a session that are neither calls nor life. `inconclusive` ones forbid the verdict "authentic". */
export interface StreamNote {
  readonly code: string
  readonly message: string
  readonly inconclusive: boolean
  readonly library?: LibraryChange
}

/** A library of a known program that is not the file that was learned. */
export interface LibraryChange {
  /** Key of the program. */
  readonly program: string
  readonly path: string
  /** Null: it is gone, or cannot be read. */
  readonly sha256: string | null
  /** Empty: the program had no library there. */
  readonly learned: readonly string[]
}

/** What was done about a miss before its call ran. */
export type StreamDecision = 'allow' | 'deny' | 'kill'

/** What calls of a program are judged by, where that is done elsewhere. One object a program. */
export interface LentProgram {
  /** As TransitionTable has it. */
  readonly table: SharedArrayBuffer
  /** Stands as the rows of the table: the bit of each transition that was made is to be set. */
  readonly used: Uint32Array
  /** The symbol of a call; TRANSPARENT_SYMBOL: no part of transitions; -1: it must be told. */
  symbolOf(abi: number, nr: number): number
  /** The same of a call that ends a track or a handler, where that is done elsewhere, too. */
  endingSymbolOf(abi: number, nr: number): number
  /** The symbol of a track's end; -1: none. */
  readonly endSymbol: number
}

export interface LentTrack {
  readonly program: LentProgram
  /** Where it stands: a state of the table. */
  readonly state: number
}

/** What was judged elsewhere of a track. */
export interface JudgedCalls {
  /** Calls that were no misses, and calls that are no part of transitions. */
  readonly callCount: number
  readonly transparentCount: number
  /** Where the track stands, and where it stood before the last of the calls; meaningless where there was none. */
  readonly state: number
  readonly formerState: number
  /** The last calls, in order, as pairs of ABI and number: at least RECENT_COUNT, where there were so many. */
  readonly recent: Int32Array
  readonly recentCount: number
}

/** Tracks of one program that began and ended elsewhere, and what was judged there. */
export interface PassedTracks {
  readonly trackCount: number
  /** How many ended with this program. */
  readonly endCount: number
  readonly callCount: number
  readonly transparentCount: number
}

/** Calls that a history holds; a power of two. */
export const RECENT_COUNT = 16

/** Who is above a process. */
export interface Above {
  readonly ppid: number
  /** Names of the processes above, nearest first. */
  readonly ancestors: readonly string[]
}

/** Calls of a track that were counted, not told. */
export interface FloodCounts {
  readonly callCount: number
  /** Among them. */
  readonly missCount: number
  /** Among them: what came before was not known. */
  readonly unjudgedCount: number
}

export interface StreamHandler {
  /**
   * A new tracee. For `exec` births (the root of a session) `parentTid` is 0 and onExec follows. `image`: what runs in a
   * process that was met by this `join`, where that is known; its other threads have it too. A `fork` has one when its
   * parent was killed before it could tell of it (`parentTid` is 0 then). `above`: who started a process that none of the
   * session did, where it may be anybody.
   */
  onBirth(tid: number, parentTid: number, tgid: number, kind: BirthKind, image?: Image, above?: Above): void
  /** A successful exec. `formerTid` differs from `tid` when a thread that was not the leader called it. */
  onExec(tid: number, formerTid: number, image: Image): void
  /** A system call is entered. `abi` is an ABI_CODES value. `isRestart`: the kernel repeats an interrupted call. */
  onCall(tid: number, abi: number, nr: number, isRestart: boolean): void
  /**
   * Calls of one tracee in a row, numbers[begin, end), none of them a restart. Takes as many from the first on as are nothing
   * special, as if each had been told by onCall, and answers how many: the next one is to be told by onCall.
   */
  onCalls?(tid: number, abi: number, numbers: Int32Array, begin: number, end: number): number
  /** The call told last of this tracee was refused with EPERM: it did not happen. */
  onRefused(tid: number): void
  /**
   * The record told last of this tracee was a miss when it was live, and this was decided about it (guard mode). Only captures
   * tell it: a live session decides by itself.
   */
  onDecided?(tid: number, decision: StreamDecision): void
  /** A handler for `signal` starts on this tracee. */
  onSignal(tid: number, signal: number): void
  /** The tracee is gone: by itself (`signal` 0) or killed. */
  onExit(tid: number, code: number, signal: number): void
  /**
   * `count` calls of this track were judged where they happened and are no misses, nor are `transparentCount` calls that are
   * no part of transitions. The last of the calls follow by onCall, so many that all is as if each had been told. Only a live
   * check under engine ebpf has these.
   */
  onSkipped?(tid: number, count: number, transparentCount: number): void
  /**
   * The track made more misses than are told. The last of its calls follow by onContext. Only a live check under engine ebpf has
   * these.
   */
  onFlood?(tid: number, counts: FloodCounts): void
  /** A call as the one before, which the kernel may be repeating: it does where the call would be a miss. */
  onRepeat?(tid: number, abi: number, nr: number): void
  /** A call that was judged and counted already: it only says where the track stands. */
  onContext?(tid: number, abi: number, nr: number): void
  /**
   * Calls of this track that are no misses may be judged elsewhere, from the state that is answered on, instead of being told. Null: not
   * now. Before anything else is told of the track, and whenever `recall` asks for it, it is given back.
   */
  lend?(tid: number, recall: (tid: number) => void): LentTrack | null
  giveBack?(tid: number, judged: JudgedCalls): void
  /**
   * What a lent track of `program` runs after it executes `image`, if nothing is to be said of that: then it need not be told of a
   * track that ends elsewhere. Null: tell it.
   */
  lendExec?(program: LentProgram, image: Image): LentProgram | null
  /** Tracks that were born by lent ones began and ended elsewhere, and in nothing was a miss. Told once for many, as to `program`. */
  onPassed?(program: LentProgram, passed: PassedTracks): void
  /** `count` records (0 = unknown) are missing here; `tid` 0 = in every track. Nothing is judged across it. */
  onGap(tid: number, count: number): void
  onNote(note: StreamNote): void
}

/** The key under which a program's fingerprint is found: image path, plus script path or multi-call name. */
export function programKeyOf(image: Image): string {
  if (image.script !== null) return `${image.path} ${image.script.path}`
  if (image.argv0 !== null) return `${image.path} [${image.argv0}]`
  return image.path
}

/** Tells calls of one tracee in a row, numbers[begin, end): as many at once as it takes. */
export function tellCalls(
  to: StreamHandler,
  tid: number,
  abi: number,
  numbers: Int32Array,
  begin: number,
  end: number,
): void {
  for (let at = begin; at < end; at += 1) {
    at += to.onCalls?.(tid, abi, numbers, at, end) ?? 0
    if (at < end) to.onCall(tid, abi, numbers[at] as number, false)
  }
}
