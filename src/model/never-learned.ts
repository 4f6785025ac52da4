// Calls that are not learned unless it is said that they are meant: those that look into other programs, change the kernel or
// work where tracefp does not see it, and every call that is made around the program's own ABI. A program that was attacked
// while it was learned shall not make them authentic.
import { UsageError } from '../errors.ts'
import { baseNameOf, isSpecial } from '../syscall/mapping.ts'
import { UNSEEN_CALLS } from './fingerprint.ts'

/** Stands for all calls of another ABI than the mapping's own. */
export const FOREIGN_ABI = 'foreign-abi'

/** Names, whatever the ABI, and FOREIGN_ABI. */
export const NEVER_LEARNED: readonly string[] = [
  ...UNSEEN_CALLS,
  FOREIGN_ABI,
  ...`bpf delete_module finit_module init_module ioperm iopl kcmp kexec_file_load kexec_load modify_ldt pidfd_getfd
  process_vm_readv process_vm_writev ptrace userfaultfd`.split(/\s+/),
].sort()

/** Whether a symbol is one of `names`. */
export function isAmong(symbol: string, names: ReadonlySet<string>): boolean {
  if (isSpecial(symbol)) return false
  return names.has(baseNameOf(symbol)) || (symbol.includes(':') && names.has(FOREIGN_ABI))
}

/** The list without those that are meant, and with others. @throws UsageError for what is meant and not on it. */
export function neverLearnedBut(meant: readonly string[], more: readonly string[] = []): string[] {
  const unknown = meant.find((name) => !NEVER_LEARNED.includes(name))
  if (unknown !== undefined) {
    throw new UsageError(`${unknown} is learned anyway: what is not are ${NEVER_LEARNED.join(', ')}`)
  }
  return [...new Set([...NEVER_LEARNED, ...more])].filter((name) => !meant.includes(name)).sort()
}

/** The symbols that stand on the list, by the names under which they stand there. */
export function dangersAmong(symbols: Iterable<string>): string[] {
  const found = new Set<string>()
  for (const symbol of symbols) {
    if (isSpecial(symbol)) continue
    if (NEVER_LEARNED.includes(baseNameOf(symbol))) found.add(baseNameOf(symbol))
    if (symbol.includes(':')) found.add(FOREIGN_ABI)
  }
  return [...found].sort()
}

/** What is told of calls that a run made and that were not learned; undefined: there were none. */
export function leftOutText(leftOut: readonly string[]): string | undefined {
  if (leftOut.length === 0) return undefined
  const names = dangersAmong(leftOut)
  const advice = names.length === 0 ? '' : `; if they are meant: --also-learn ${names.join(',')}`
  const shown = leftOut.slice(0, 10).join(', ')
  return `not learned: ${shown}${leftOut.length > 10 ? ` and ${leftOut.length - 10} more` : ''}${advice}`
}
