// One line of strace's output as facts: who, when, and what kind of line it is. Pure and per line; what it means for a tracee
// is the tracees' business. Prefix order (strace.c, printleader): pid, security context, absolute time, relative time,
// syscall number, instruction pointer, then the body.

export type LineKind =
  | 'call'
  | 'resumed'
  | 'signal'
  | 'exited'
  | 'killed'
  | 'superseded'
  | 'mode'
  | 'attached'
  | 'detached'
  /** Understood, and nothing that a tracee did: stack frames, dumps, messages of strace, blank lines. */
  | 'aside'
  /** Part of the summary table of -c and -C. */
  | 'summary'
  /** What is left of a line that something else was glued into, or nothing known: who reads it knows. */
  | 'other'

export interface StraceLine {
  kind: LineKind
  /** 0: the line has none. */
  tid: number
  /** The time as printed, relative ones too; empty: none. */
  time: string
  /** The number that -n prints; -1: none. */
  nr: number
  /** The call, the signal, or the mode (`32 bit`). */
  name: string
  /** Exit code, the thread that superseded or the pid that was attached. */
  value: number
  /** Where the body begins. */
  body: number
  /** Where the arguments, or what was resumed, begin. */
  rest: number
}

/** Bigger than any pid that Linux gives; a number at the beginning of a line beyond it is a time. */
const MAX_PID = 4_194_304

const SPACE = 32
const DOT = 46
const COLON = 58
const ZERO = 48
const NINE = 57

export function newLine(): StraceLine {
  return { kind: 'other', tid: 0, time: '', nr: -1, name: '', value: 0, body: 0, rest: 0 }
}

/** Reads `text` (latin1, without colours) into `line`. */
export function readLine(text: string, line: StraceLine): void {
  line.tid = 0
  line.time = ''
  line.nr = -1
  line.name = ''
  line.value = 0
  if (isAside(text)) {
    line.kind = 'aside'
    return
  }
  let at = readPid(text, line)
  if (at < text.length) at = readPrefix(text, at, line)
  line.body = at
  readBody(text, at, line)
}

/** Strips what strace 7 colours with. */
export function withoutColours(text: string): string {
  return text.includes('\u001b[') ? text.replace(/\u001b\[[\d;]*[mK]/g, '') : text
}

/** Frames of -k, dumps of -e read and -e write, blank lines: all begin at the line's first column, without a pid. */
function isAside(text: string): boolean {
  if (text.charCodeAt(0) !== SPACE) return text === ''
  const second = text.charCodeAt(1)
  return (second === 62 || second === 124) && text.charCodeAt(2) === SPACE ? true : text.trim() === ''
}

/** `5860  `, `6324<comm> `, `[pid  5868] `, `[pid 6324<comm>] `. Answers where the rest begins. */
function readPid(text: string, line: StraceLine): number {
  const first = text.charCodeAt(0)
  if (first === 91) {
    const match = /^\[pid +(\d+)(?:<[^<>]*>)?\] ?/.exec(text)
    if (match === null) return 0
    line.tid = Number(match[1])
    return match[0].length
  }
  if (first < ZERO || first > NINE) return 0
  let at = 0
  let number = 0
  let code = first
  while (code >= ZERO && code <= NINE) {
    number = number * 10 + code - ZERO
    at += 1
    code = text.charCodeAt(at)
  }
  if (number > MAX_PID) return 0
  if (code === 60) {
    const close = text.indexOf('>', at)
    if (close < 0 || text.charCodeAt(close + 1) !== SPACE) return 0
    at = close + 1
  } else if (code !== SPACE) {
    return 0
  }
  line.tid = number
  while (text.charCodeAt(at) === SPACE) at += 1
  return at
}

/** Times, security context, syscall number, instruction pointer; any of them may be missing. */
function readPrefix(text: string, from: number, line: StraceLine): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    let match: RegExpExecArray | null = null
    if ((code >= ZERO && code <= NINE) || code === SPACE || code === 40) {
      const end = line.time === '' ? clockEnd(text, at) : -1
      if (end > 0) {
        line.time = text.slice(at, end)
        at = end + 1
        continue
      }
      match = matchAt(TIME, text, at)
      if (match === null) return at
      line.time = line.time === '' ? match[0].trim() : `${line.time} ${match[0].trim()}`
    } else if (code === 91) {
      match = matchAt(NUMBER, text, at)
      if (match !== null) line.nr = Number(match[1])
      else match = matchAt(POINTER, text, at) ?? matchAt(CONTEXT, text, at)
      if (match === null) return at
    } else {
      return at
    }
    at += match[0].length
  }
}

/** Where `12:34:56 ` or `12:34:56.789012 ` ends, before its space; -1: it is another time. */
function clockEnd(text: string, at: number): number {
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return -1
  for (let i = at; i < at + 8; i += 1) if (i !== at + 2 && i !== at + 5 && !isDigit(text.charCodeAt(i))) return -1
  let end = at + 8
  if (text.charCodeAt(end) === DOT) {
    end += 1
    if (!isDigit(text.charCodeAt(end))) return -1
    while (isDigit(text.charCodeAt(end))) end += 1
  }
  return text.charCodeAt(end) === SPACE ? end : -1
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

const TIME = /(?: *\d+(?:\.\d+)?|\d\d:\d\d:\d\d(?:\.\d+)?|\(\+ *\d+(?:\.\d+)?\)) /y
// A pointer has 8 or 16 digits; a number at most 7, of x32 10, and as -1 of 64 bits 20.
const NUMBER = /\[ *(\d{1,7}|\d{10}|1844674407\d{10})\] /y
const POINTER = /\[(?:[0-9a-f]{8}|[0-9a-f]{16}|\?{8}|\?{16})\] /y
const CONTEXT = /\[[\w.-]+:[^\]\s]*\] /y

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function readBody(text: string, at: number, line: StraceLine): void {
  const code = text.charCodeAt(at)
  if ((code >= 97 && code <= 122) || code === 95 || code === 63 || (code >= 65 && code <= 90)) {
    const end = nameEnd(text, at)
    if (text.charCodeAt(end) === 40 && end > at) {
      line.kind = 'call'
      line.name = text.slice(at, end)
      line.rest = end + 1
      return
    }
  } else if (code === 60) {
    const match = matchAt(RESUMED, text, at)
    if (match !== null) {
      line.kind = 'resumed'
      line.name = match[1] as string
      line.rest = at + match[0].length
      return
    }
  }
  readRareBody(text, at, line)
}

/** Behind a name: letters, digits, `_`, and the `?` of `???`. */
function nameEnd(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    const isPart =
      (code >= 97 && code <= 122) ||
      code === 95 ||
      (code >= ZERO && code <= NINE) ||
      (code >= 65 && code <= 90) ||
      code === 63
    if (!isPart) return at
    at += 1
  }
}

const RESUMED = /<\.\.\. ([\w?]+) resumed>/y
const SIGNAL = /--- (?:stopped by )?(SIG\w+)(?: \{.*\})?(?: \([^)]*\) @ \S+ \([^)]*\))? ---$/y
const EXITED = /\+\+\+ exited with (\d+) \+\+\+$/y
const KILLED = /\+\+\+ killed by (SIG\w+) (?:\(core dumped\) )?\+\+\+$/y
const SUPERSEDED = /\+\+\+ superseded by execve in pid (\d+) \+\+\+$/y
const MODE = /\[ Process PID=\d+ runs in (.+) mode\. \]$/y
const ATTACHED = /(?:strace: )?Process (\d+) attached(?: with \d+ threads)?$/y
const DETACHED = /(?:strace: )?Process (\d+) detached$/y
const MESSAGE = /strace: |Process \d+ (?:resumed|suspended)/y
const SUMMARY =
  /(?:\s*% time\b.*|-{4,}(?: -{4,})*|System call usage summary for .* mode:|\s*\d+\.\d\d +\d+\.\d+ .*|.*\bsyscall$)$/y

function readRareBody(text: string, at: number, line: StraceLine): void {
  line.rest = at
  const begin = text.charAt(at)
  for (const [kind, pattern, begins] of RARE) {
    if (!begins.includes(begin)) continue
    const match = matchAt(pattern, text, at)
    if (match === null) continue
    line.kind = kind
    const word = match[1] ?? ''
    if (kind === 'signal' || kind === 'killed' || kind === 'mode') line.name = word
    else if (word !== '') line.value = Number(word)
    if (kind === 'signal' && text.startsWith('--- stopped', at)) line.kind = 'aside'
    return
  }
  line.kind = matchAt(SUMMARY, text, 0) === null ? 'other' : 'summary'
}

/** And with which characters they begin. */
const RARE: readonly (readonly [LineKind, RegExp, string])[] = [
  ['signal', SIGNAL, '-'],
  ['exited', EXITED, '+'],
  ['killed', KILLED, '+'],
  ['superseded', SUPERSEDED, '+'],
  ['mode', MODE, '['],
  ['attached', ATTACHED, 'sP'],
  ['detached', DETACHED, 'sP'],
  ['aside', MESSAGE, 'sP'],
]

const ANY_CALL = /([a-z_]\w*)\((?=.*(?:\) += |<unfinished \.\.\.>$))/g
const ANY_PID = /\[pid +\d+(?:<[^<>]*>)?\] /

/** Where a line of strace begins behind something else; -1: nowhere. */
export function lineBehind(text: string, isCall: (name: string) => boolean): number {
  const pid = text.search(ANY_PID)
  if (pid > 0) return pid
  for (const match of text.matchAll(ANY_CALL)) {
    const name = match[1] as string
    for (let at = 0; at < name.length; at += 1)
      if (isCall(name.slice(at)) && match.index + at > 0) return match.index + at
  }
  return -1
}
