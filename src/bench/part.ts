// What a part of the suite is given, and gives.

import type { PartResult } from './result.ts'

export interface PartContext {
  readonly quick: boolean
  /** A folder of its own for the time of the suite, which is removed then. */
  readonly folder: string
  /** How tracefp is started. */
  readonly tracefp: readonly string[]
  /** C sources of helpers. */
  readonly sources: string
  /** How far it is; one line. */
  readonly tell: (text: string) => void
}

export interface Part {
  readonly name: string
  readonly title: string
  run(context: PartContext): Promise<PartResult>
}
