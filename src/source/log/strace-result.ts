// How a call in strace's output ended: with a result, not yet (`<unfinished ...>`), or the line is not whole. Strings in it were
// chosen by the program, so the result is looked for from the end, and what does not read as one to the last byte is none.

export interface CallResult {
  /** `none`: the line ends within the call: it was cut off, or something else was glued into it. */
  kind: 'value' | 'unfinished' | 'none'
  /** The number; NaN: `?`. Beyond 2^53 only roughly. */
  value: number
  /** ENOENT, ERESTARTSYS; empty: none. */
  error: string
  /** `2 /* 6402 in strace's PID NS *\/`: the number as strace sees it; 0: not told. */
  outerPid: number
}

export function newResult(): CallResult {
  return { kind: 'none', value: Number.NaN, error: '', outerPid: 0 }
}

const UNFINISHED = / ?<(?:unfinished|detached|pid changed to \d+) \.\.\.>$/
const VALUE =
  /^(\?|-?\d+|0x[\da-f]+)(?:<[^<>]*(?:<[^<>]*>[^<>]*)?>)?(?: \/\* (\d+) in strace's PID NS \*\/)?(?: (?:([A-Z][A-Z\d_]*)(?= |$))?(.*))?$/
const TIMES = / <(?:\d+\.\d+|unavailable)>$/

/** Reads what stands at the end of `text`; `from` is where the arguments begin. */
export function readResult(text: string, from: number, result: CallResult): void {
  result.value = Number.NaN
  result.error = ''
  result.outerPid = 0
  if (text.endsWith('...>') && UNFINISHED.test(text)) {
    result.kind = 'unfinished'
    return
  }
  result.kind = 'none'
  if (readNumber(text, from, result)) return
  for (let at = text.lastIndexOf('= '); at > from; at = text.lastIndexOf('= ', at - 1)) {
    if (!isBehindCall(text, at, from)) continue
    if (readValue(text.slice(at + 2), result)) return
  }
}

/** A number to the last byte, as most results are. */
function readNumber(text: string, from: number, result: CallResult): boolean {
  let at = text.length
  while (at > 0 && isDigit(text.charCodeAt(at - 1))) at -= 1
  if (at === text.length || text.length - at > 15) return false
  if (!text.startsWith('= ', at - 2) || at - 2 <= from || !isBehindCall(text, at - 2, from)) return false
  const value = text.slice(at)
  result.kind = 'value'
  result.value = value.length > 1 && value.startsWith('0') ? numberOf(value) : Number(value)
  return true
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** `) = 0`, with any number of spaces. */
function isBehindCall(text: string, equals: number, from: number): boolean {
  let at = equals - 1
  while (at > from && text.charCodeAt(at) === 32) at -= 1
  return at >= from && at < equals - 1 && text.charCodeAt(at) === 41
}

function readValue(tail: string, result: CallResult): boolean {
  const match = VALUE.exec(tail.replace(TIMES, ''))
  if (match === null || !isBalanced(match[4] ?? '')) return false
  result.kind = 'value'
  const value = match[1] as string
  result.value =
    value === '?' ? Number.NaN : value.length > 1 && value.startsWith('0') ? numberOf(value) : Number(value)
  result.error = match[3] ?? ''
  result.outerPid = Number(match[2] ?? 0)
  return true
}

/** `0x7f..` and, of umask, `022`. */
function numberOf(value: string): number {
  return value.startsWith('0x') ? Number(value) : Number.parseInt(value, 8)
}

/** Paths and names come within `<` and `>`, which strace escapes in them. */
function isBalanced(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 60) depth += 1
    else if (code === 62) depth -= 1
    if (depth < 0) return false
  }
  return depth === 0
}
