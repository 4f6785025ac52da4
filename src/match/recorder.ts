// The judge that learns: every transition the walker brings goes into the observation of one run. Nothing is right or
// wrong here; what the chain does not reach (a gap, a joined track) is not learned.
import type { ProgramObservation, RunDelta, RunInfo, RunObservation } from '../model/learner.ts'
import { type Image, programKeyOf, type StreamNote } from '../model/stream.ts'
import type { Mapping } from '../syscall/mapping.ts'
import { CALL_COUNT, callFlags, callIndex } from './flags.ts'
import type { Judge, WalkedProgram } from './judge.ts'
import { Notes } from './notes.ts'
import type { Track } from './track.ts'

/** What a track did last, up to depth-1 symbols, and where it can go from there. Its index is the track's state. */
interface Context {
  readonly symbols: readonly number[]
  readonly next: Map<number, number>
}

export class RecordedProgram implements WalkedProgram {
  readonly flags: Uint8Array
  readonly observation: ProgramObservation
  recordCount = 0
  readonly #mapping: Mapping
  readonly #contextLength: number
  readonly #symbols = new Int32Array(CALL_COUNT).fill(-1)
  readonly #contexts: Context[] = []
  readonly #contextOf = new Map<string, number>()

  constructor(observation: ProgramObservation, mapping: Mapping, flags: Uint8Array, depth: number) {
    this.observation = observation
    this.flags = flags
    this.#mapping = mapping
    this.#contextLength = depth - 1
  }

  symbolOf(abi: number, nr: number): number {
    const index = callIndex(abi, nr)
    if (index < 0) return this.observation.symbol(this.#mapping.symbolOf(abi, nr))
    let symbol = this.#symbols[index] as number
    if (symbol < 0) {
      symbol = this.observation.symbol(this.#mapping.symbolOf(abi, nr))
      this.#symbols[index] = symbol
    }
    return symbol
  }

  /** The state of a flow that begins with this symbol, or of which only it is known. */
  begin(symbol: number): number {
    return this.#contextLength === 1 ? symbol : this.#stateOf([symbol])
  }

  /** Learns the transition and answers the next state. */
  step(state: number, symbol: number): number {
    if (this.#contextLength === 1) {
      this.observation.observePair(state, symbol)
      return symbol
    }
    const context = this.#contexts[state] as Context
    let next = context.next.get(symbol)
    if (next === undefined) {
      this.observation.observe(context.symbols, symbol)
      next = this.#stateOf([...context.symbols, symbol].slice(-this.#contextLength))
      context.next.set(symbol, next)
    }
    return next
  }

  /** Transitions are learned again, as if none had been seen. */
  forget(): void {
    for (const { next } of this.#contexts) next.clear()
  }

  #stateOf(symbols: readonly number[]): number {
    const key = symbols.join(' ')
    let state = this.#contextOf.get(key)
    if (state === undefined) {
      state = this.#contexts.length
      this.#contexts.push({ symbols, next: new Map() })
      this.#contextOf.set(key, state)
    }
    return state
  }
}

export class Recorder implements Judge<RecordedProgram> {
  readonly notes: Notes = new Notes()
  /** Transitions made, not distinct ones. */
  transitionCount = 0
  readonly #run: RunObservation
  readonly #mapping: Mapping
  readonly #flags: Uint8Array
  readonly #programs = new Map<ProgramObservation, RecordedProgram>()

  constructor(run: RunObservation, mapping: Mapping) {
    this.#run = run
    this.#mapping = mapping
    this.#flags = callFlags(mapping, run.settings.transparent)
  }

  /** The run ends here; the next one goes on with the same tracks. */
  cut(next: RunInfo): RunDelta {
    const delta = this.#run.cut(next)
    for (const program of this.#programs.values()) program.forget()
    return delta
  }

  call(track: Track<RecordedProgram>, program: RecordedProgram, abi: number, nr: number): number {
    const symbol = program.symbolOf(abi, nr)
    if (track.state < 0) return program.begin(symbol)
    this.transitionCount += 1
    return program.step(track.state, symbol)
  }

  /** A frame that was never begun is nothing to learn from. */
  stray(): void {}

  end(track: Track<RecordedProgram>, program: RecordedProgram): void {
    if (track.state < 0) return
    this.transitionCount += 1
    program.step(track.state, program.observation.symbol('<end>'))
  }

  exec(_track: Track<RecordedProgram>, former: RecordedProgram, image: Image): boolean {
    former.observation.observeExec(programKeyOf(image))
    return true
  }

  enter(_track: Track<RecordedProgram>, image: Image, isRoot: boolean): RecordedProgram {
    const observation = this.#run.enterProgram(image, isRoot)
    let program = this.#programs.get(observation)
    if (program === undefined) {
      program = new RecordedProgram(observation, this.#mapping, this.#flags, this.#run.settings.depth)
      this.#programs.set(observation, program)
    }
    return program
  }

  start(program: RecordedProgram, symbol: string): number {
    return program.begin(program.observation.symbol(symbol))
  }

  note(note: StreamNote): void {
    this.notes.add(note)
  }
}
