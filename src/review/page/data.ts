// What the page is given, as JSON in itself. Written by html.ts, which checks that the two agree.

export interface PageData {
  readonly title: string
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly groups: readonly { readonly text: string; readonly isTarget: boolean }[]
  readonly programs: readonly PageProgram[]
}

export interface PageProgram {
  readonly key: string
  readonly runCount: number
  readonly faultRunCount: number
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly symbols: readonly { readonly text: string /** Index of `groups`. */; readonly group: number }[]
  /** Indexes of symbols, the runs that had it, and 1 where all of them had calls that were made to fail. */
  readonly pairs: readonly (readonly [from: number, to: number, runs: number, isFaultOnly: 0 | 1])[]
  /** Contexts of full length; the same as `pairs` at depth 2. */
  readonly rows: readonly (readonly [context: string, next: number, runs: number, isFaultOnly: 0 | 1])[]
  /** Runs, and the distinct transitions that so many of them have on average. */
  readonly curve: readonly (readonly [runs: number, transitions: number])[]
  readonly budgets: readonly {
    readonly depth: number
    /** Of all calls, those that can be reached: `read 100 %, recvfrom 80 %`. */
    readonly shares: string
    readonly calls: readonly {
      readonly call: string
      readonly distance: number | null
      readonly path: string
      readonly byInput: string
    }[]
  }[]
}
