// The fault layer: what a program was seen to do only while calls were made to fail. A miss that it knows is abnormal, but
// authentic. It is looked at when there is a miss, so it costs nothing else.
import { type FaultLayer, isStartSymbol } from '../model/fingerprint.ts'
import { nextAfter } from '../model/language.ts'
import type { Miss } from './miss.ts'
import { isStrayReturn } from './severity.ts'

/** `context`: the last symbols of the track, `<gap>` and START symbols among them. */
export function isKnownFault(
  faults: FaultLayer | null | undefined,
  { kind, to, severity }: Pick<Miss, 'kind' | 'to' | 'severity'>,
  context: readonly string[],
  depth: number,
): boolean {
  if (faults === null || faults === undefined || kind === 'image') return false
  if (kind === 'exec') return faults.execs.has(to.replace(/^exec:/, ''))
  // A frame that nobody began is forged, whatever fails.
  if (kind === 'call' && isStrayReturn(to, severity)) return false
  const known = knownPart(context).slice(1 - depth)
  return known.length > 0 && nextAfter(faults.successors, known.join(' '))?.has(to) === true
}

/** What the track did since it began, or since something was lost. */
function knownPart(context: readonly string[]): readonly string[] {
  const lost = Math.max(context.lastIndexOf('<gap>'), context.lastIndexOf('<join>'))
  return context.slice(Math.max(context.findLastIndex(isStartSymbol), lost + 1, 0))
}
