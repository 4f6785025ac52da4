// What a fingerprint knows so far, as tables for engine ebpf: while learning goes on, the kernel tells what is not yet in them, and
// of the rest each transition once. So a run that brings nothing new costs no more than a check.

import type { Fingerprint, ProgramFingerprint, Settings } from '../model/fingerprint.ts'
import { TransitionTable } from '../model/table.ts'
import type { Mapping } from '../syscall/mapping.ts'

export class LearnedTables {
  readonly #settings: Settings
  readonly #mapping: Mapping
  #fingerprint: Fingerprint | null
  readonly #tables = new Map<string, SharedArrayBuffer>()

  /** `fingerprint`: null = nothing is known yet. */
  constructor(fingerprint: Fingerprint | null, settings: Settings, mapping: Mapping) {
    this.#fingerprint = fingerprint
    this.#settings = settings
    this.#mapping = mapping
  }

  /** The table of a program; of one that is not known yet it allows nothing. */
  tableOf(key: string): SharedArrayBuffer {
    let table = this.#tables.get(key)
    if (table === undefined) {
      table = this.#compile(key)
      this.#tables.set(key, table)
    }
    return table
  }

  /** All tables that were asked for. */
  all(): SharedArrayBuffer[] {
    return [...this.#tables.values()]
  }

  /** Something was learned: for each table the one that takes its place. `replace` says whether it did. */
  renew(fingerprint: Fingerprint, replace: (old: SharedArrayBuffer, now: SharedArrayBuffer) => boolean): void {
    this.#fingerprint = fingerprint
    for (const [key, old] of this.#tables) {
      const now = this.#compile(key)
      if (replace(old, now)) this.#tables.set(key, now)
    }
  }

  #compile(key: string): SharedArrayBuffer {
    const { depth, transparent } = this.#settings
    const program = this.#fingerprint?.programs.get(key) ?? nothingOf(key)
    return TransitionTable.compile(program, this.#mapping, depth, transparent).buffer
  }
}

function nothingOf(key: string): ProgramFingerprint {
  return {
    key,
    image: { path: key, sha256: null, buildId: null, script: null, argv0: null },
    alphabet: ['<exec>'],
    successors: new Map([['<exec>', new Map()]]),
    execs: new Map(),
    faults: null,
  }
}
