// Names that `learn` is given: words that nothing is called by are told before anything runs.

import { UsageError } from '../errors.ts'
import { FOREIGN_ABI } from '../model/never-learned.ts'
import { storeName } from '../store/fingerprint-store.ts'
import { ABI_NAMES } from '../syscall/abi.ts'
import { linuxMapping } from '../syscall/mapping.ts'
import type { LearnOptions } from './learn.ts'

/** @throws UsageError. */
export function assertNames({ name, output, from, transparent = [], neverLearn = [] }: LearnOptions): void {
  if (name !== undefined && output === undefined) storeName(name)
  // Which calls there are in a log, its mapping says.
  if (from !== undefined) return
  assertCalls('--transparent', transparent)
  assertCalls(
    '--never-learn',
    neverLearn.filter((call) => call !== FOREIGN_ABI),
  )
}

function assertCalls(flag: string, names: readonly string[]): void {
  const { name: mapping, numberOf } = linuxMapping()
  const isCall = (name: string): boolean =>
    [name, ...ABI_NAMES.map((abi) => `${abi}:${name}`)].some((symbol) => numberOf(symbol) !== undefined)
  const unknown = names.find((name) => !isCall(name))
  if (unknown !== undefined) throw new UsageError(`${flag} ${unknown}: there is no such call in ${mapping}`)
}
