// Logs under tracefp's own readers, learner and checker: each log is read once into a tape, which is then learned and checked
// as often as a table needs.

import { Checker } from '../../lib/match/checker.js'
import { Recorder } from '../../lib/match/recorder.js'
import { Walker } from '../../lib/match/walker.js'
import { makeSettings } from '../../lib/model/fingerprint.js'
import { RunObservation } from '../../lib/model/learner.js'
import { Ledger } from '../../lib/model/ledger.js'
import { newUlid } from '../../lib/model/ulid.js'
import { namingMapping } from '../../lib/syscall/naming.js'

/** What runs in a trace that does not say it. */
const UNNAMED = { path: 'trace', sha256: null, buildId: null, script: null, argv0: null }

/** What a reader told of one session, to be told again. */
export class Tape {
  /** Calls are missing in it, or what it holds cannot be judged. */
  isInconclusive = false
  #told = []

  constructor(name) {
    this.name = name
    for (const method of ['onBirth', 'onExec', 'onCall', 'onRefused', 'onSignal', 'onExit', 'onGap', 'onNote']) {
      this[method] = (...values) => {
        if (method === 'onGap' || (method === 'onNote' && values[0].inconclusive)) this.isInconclusive = true
        this.#told.push([method, values])
      }
    }
  }

  /** Everything that was told, but for the track: equal texts are equal traces. */
  text() {
    return this.#told.flatMap(([method, [, ...values]]) => (method === 'onCall' ? [values.join(' ')] : [])).join('\n')
  }

  play(handler) {
    for (const [method, values] of this.#told) handler[method](...values)
  }
}

/** Reads a log. Resolves to its sessions and what was not understood. */
export function readLog(format, mapping, bytes, name) {
  const whole = new Tape(name)
  const tapes = []
  const reader = format.open({
    handler: whole,
    mapping,
    name,
    nextSession: (session) => {
      const tape = new Tape(session)
      tapes.push(tape)
      return tape
    },
  })
  reader.write(bytes)
  reader.end()
  return { tapes: tapes.length > 0 ? tapes : [whole], counts: reader.counts }
}

/** One way of learning and checking. Settings are those of `tracefp learn`. */
export class Method {
  #deltas = new Map()

  constructor(format, mapping, settings) {
    this.mapping = namingMapping(mapping)
    /** Depth 1 is no sequence: only a call that the program was never seen to make is a miss. */
    this.isSingle = settings.depth === 1
    this.settings = makeSettings(mapping, { ...settings, depth: Math.max(2, settings.depth) })
    this.tellsSignals = format.tellsSignals ?? true
  }

  /** The fingerprint of these sessions. */
  learn(tapes) {
    const ledger = Ledger.empty(this.settings)
    for (const tape of tapes) ledger.addRun(this.#deltaOf(tape))
    return ledger.fingerprint(this.mapping)
  }

  /** A table is compiled once: one checker judges many sessions, each on tracks of its own. */
  checking(fingerprint) {
    let misses = []
    const isUnknown = ({ image, to }) =>
      !(fingerprint.programs.get(image) ?? fingerprint.programs.get('*'))?.alphabet.includes(to)
    const checker = new Checker({
      fingerprints: [fingerprint],
      mapping: this.mapping,
      depth: this.settings.depth,
      source: 'log',
      tellsAll: true,
      onMiss: (miss) => misses.push(miss),
    })
    return (tape) => {
      misses = []
      const walker = this.#walker(checker)
      tape.play(walker)
      walker.finish()
      return { misses: this.isSingle ? misses.filter(isUnknown) : misses, isInconclusive: tape.isInconclusive }
    }
  }

  /** What a session brings does not depend on which others are learned. */
  #deltaOf(tape) {
    let delta = this.#deltas.get(tape)
    if (delta === undefined) {
      const info = { id: newUlid(), at: '', scenario: 'default', host: '', kernel: '', tool: 'evaluation', command: [] }
      const run = new RunObservation(this.settings, info)
      const walker = this.#walker(new Recorder(run, this.mapping))
      tape.play(walker)
      walker.finish()
      delta = run.finish()
      this.#deltas.set(tape, delta)
    }
    return delta
  }

  #walker(judge) {
    return new Walker(judge, {
      mapping: this.mapping,
      tracks: this.settings.tracks,
      joinImage: UNNAMED,
      tellsSignals: this.tellsSignals,
    })
  }
}
