// What a line means for the tracee it is of: a call that is entered, resumed or ends, also where something else was glued into its
// line; a signal, another mode, an end.

import { signalNumberOf } from './strace-args.ts'
import { isSpecialCall } from './strace-calls.ts'
import type { CurrentLine } from './strace-current.ts'
import type { StraceSession } from './strace-session.ts'
import type { OpenCall, Tracee } from './strace-tracee.ts'

const ATTACHED = /strace: Process (\d+) attached(?: with \d+ threads)?$/

export interface DeedsHooks {
  /** strace says so in the line of another tracee. */
  readonly onAttached: (tid: number) => void
  /** What matters of the line is missing. */
  readonly onUnparsed: (text: string, tracee: Tracee) => void
}

export class LineDeeds {
  /** Lines that entered a call. */
  callCount = 0
  /** Something was glued into its line: what is left of it stands at the beginning of a later one. */
  glued: Tracee | null = null
  readonly #line: CurrentLine
  readonly #session: StraceSession
  readonly #hooks: DeedsHooks

  constructor(line: CurrentLine, session: StraceSession, hooks: DeedsHooks) {
    this.#line = line
    this.#session = session
    this.#hooks = hooks
  }

  call(tracee: Tracee): void {
    const { calls } = this.#session
    const { facts, result, isCut, isJudged } = this.#line
    const { name, rest, nr } = facts
    const isWanted = calls.isWanted(tracee, name)
    this.callCount += 1
    if (this.glued === tracee) this.glued = null
    if (result.kind !== 'none') {
      const args = isWanted ? this.#line.textFrom(rest) : ''
      if (result.kind === 'unfinished' && tracee.process.doom !== null) calls.doubt(tracee, name, args, nr)
      else calls.entry(tracee, name, args, nr, isJudged)
      tracee.open = result.kind === 'unfinished' ? { name, args } : null
      if (result.kind === 'value') calls.returned(tracee, { name, args }, result)
      return
    }
    const text = this.#line.textFrom(0)
    const attached = ATTACHED.exec(text)
    const args = isWanted ? text.slice(rest, attached?.index ?? text.length) : ''
    calls.entry(tracee, name, args, nr)
    if (isCut && isSpecialCall(name)) this.#hooks.onUnparsed(text, tracee)
    tracee.open = { name, args }
    if (!isCut) this.glued = tracee
    if (attached !== null) this.#hooks.onAttached(Number(attached[1]))
  }

  resume(tracee: Tracee): void {
    const { name, rest } = this.#line.facts
    let resumed = tracee
    // An exec ends under the tid of the leader, whoever called it.
    if (name.startsWith('exec') && tracee.open?.name !== name) {
      const { life } = this.#session
      const caller = life.execInside(tracee.process)
      if (caller !== undefined && caller !== tracee) {
        life.supersede(tracee.tid, caller.tid)
        resumed = caller
      }
    }
    const open = resumed.open
    const call = name.includes('?') && open !== null ? open : { name, args: open?.args ?? '' }
    this.#line.readResult(rest)
    const isWanted = this.#session.calls.isWanted(resumed, call.name)
    this.#finish(resumed, { name: call.name, args: isWanted ? call.args + this.#line.textFrom(rest) : '' })
  }

  /** Whether the line is the rest of a call into which something was glued. */
  finishGlued(): boolean {
    const { glued } = this
    if (glued?.open == null) return false
    this.#line.readResult(0)
    if (this.#line.result.kind === 'none') return false
    this.glued = null
    this.#finish(glued, { name: glued.open.name, args: glued.open.args + this.#line.textFrom(0) })
    return true
  }

  /** The rest of a call, wherever it stood. */
  #finish(tracee: Tracee, call: OpenCall): void {
    const { result } = this.#line
    if (result.kind === 'none') {
      this.glued = tracee
    } else if (result.kind === 'value') {
      const isDeath = Number.isNaN(result.value) && result.error === ''
      if (isDeath) this.#session.calls.endedByDeath(tracee)
      else this.#session.calls.settle(tracee)
      tracee.open = null
      this.#session.calls.returned(tracee, call, result)
    }
  }

  /** False: it has ended. */
  other(tracee: Tracee): boolean {
    const { abi, life, calls, signs } = this.#session
    const line = this.#line.facts
    if (line.kind === 'signal') {
      calls.signal(tracee, line.name)
    } else if (line.kind === 'mode') {
      calls.settle(tracee)
      calls.settleMode(tracee, '')
      tracee.mode = abi.modeOf(line.name)
    } else if (line.kind === 'superseded') {
      calls.supersede(tracee, line.value)
    } else if (line.kind === 'exited') {
      calls.settleMode(tracee, '')
      signs.end(tracee)
      life.end(tracee, line.value, 0)
    } else if (line.kind === 'killed') {
      calls.settleMode(tracee, '')
      life.end(tracee, 0, signalNumberOf(line.name) ?? 0)
    }
    return line.kind !== 'exited' && line.kind !== 'killed'
  }
}
