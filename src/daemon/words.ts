// What the daemon says in its journal.

import { missLine } from '../match/explain.ts'
import type { Miss } from '../match/miss.ts'

export function frozenWords(miss: Miss, session: string): string {
  const step = missLine(miss).replace(/^tracefp: abnormal: /, '')
  return `frozen at: ${step}: nothing of it goes on until: tracefp release ${session} --allow, or --kill`
}
