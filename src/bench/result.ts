// What a benchmark comes to, as data: it is written as JSON, and Markdown and charts are made of it.

import type { Machine } from './machine.ts'

export interface BenchResult {
  readonly schema: 1
  readonly tracefp: string
  /** RFC 3339. */
  readonly at: string
  readonly quick: boolean
  readonly machine: Machine
  readonly parts: readonly PartResult[]
}

export interface PartResult {
  readonly name: string
  readonly title: string
  /** What was measured, how often, on what. */
  readonly what: string
  readonly tables: readonly Table[]
  readonly ratios: readonly Ratio[]
  readonly charts: readonly Chart[]
  /** What was left out, and why; one line each. */
  readonly skipped: readonly string[]
  /** Every measurement, by name. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>
}

export interface Sample {
  readonly cpuMs: number
  readonly wallMs: number
  /** How much was done in it, where that is not always the same. Default: 1. */
  readonly work?: number
}

export interface Table {
  readonly caption: string
  /** The first one is that of the names. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Of two things that were measured in turns: what is left when machine and load are taken out. */
export interface Ratio {
  /** Stable: the check against regress knows it by this. */
  readonly id: string
  readonly what: string
  readonly value: number
  /** From the minima of both. */
  readonly least?: number
  readonly target?: Target
}

export type Target = { readonly atLeast: number } | { readonly atMost: number }

export interface Chart {
  /** Name of the file, without `.svg`. */
  readonly name: string
  readonly title: string
  readonly unit: string
  /** Bars reach over several powers of ten. */
  readonly isLogarithmic: boolean
  readonly bars: readonly { readonly label: string; readonly value: number }[]
}

export function meets(value: number, target: Target): boolean {
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost
}
