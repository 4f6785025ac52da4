// One line of NtTrace's output as facts: who, when, and what kind of line it is. Pure and per line; what it means is the reader's
// business. A line is `[stamp ": "] ["[" pid ["/" tid] "] "] body`. Strings in it are not escaped, so a name is read from the
// beginning and a result from the end; text of the program may stand in front without a line break.

export type NtLineKind =
  /** A call that returned. */
  | 'call'
  /** A call that is entered (-pre). */
  | 'precall'
  /** The beginning of a call of either kind: the rest is on later lines, was cut off, or could not be read by NtTrace. */
  | 'begun'
  | 'process'
  | 'processExit'
  | 'thread'
  | 'threadExit'
  /** Understood, and no call: libraries, exceptions, text of OutputDebugString with NtTrace's prefix, messages of NtTrace. */
  | 'aside'
  /** Part of a stack (-stack), when it follows a call. */
  | 'frame'
  | 'totals'
  | 'blank'
  | 'other'

export interface NtLine {
  readonly kind: NtLineKind
  /** As printed, relative ones too; empty: none. */
  readonly time: string
  /** The numbers in brackets; 0: there is none. One alone is `first`: -pid or -tid. */
  readonly first: number
  readonly second: number
  /** Of a call, as printed: with Nt, Zw or neither. */
  readonly name: string
  /** The result as printed; empty: none. */
  readonly value: string
  /** The message of an error goes on on the next line. */
  readonly isTextOpen: boolean
  /** Of `process` and `thread` lines: its id. */
  readonly id: number
  readonly exitCode: number
  readonly commandLine: string
  /** Something stood in front of it. */
  readonly isGlued: boolean
}

const TIME = String.raw`(?:\d\d:\d\d:\d\d\.\d{3})?(?: ?(?:\+\d{1,3}\.\d{0,3}|>999s|<0))? ?`
const PREFIX = String.raw`(?:(${TIME}): )?(?:\[ {0,9}(\d{1,10})(?:\/ {0,9}(\d{1,10}))?\] )?`
const AT_START = new RegExp(`^${PREFIX}`)
/** Bounded: a search may begin anywhere in a line of a megabyte. */
const NATIVE_NAME = String.raw`(?:Nt|Zw)[A-Z]\w{0,120}`
const CALL = /^([A-Z]\w*)\(/
const NATIVE = new RegExp(`^${NATIVE_NAME}$`)
const GLUED_CALL = new RegExp(`${PREFIX}(${NATIVE_NAME})\\(`)
const LIFE = String.raw`(Process|Thread) (\d{1,10}) exit code: (-?\d{1,11})|Created thread: (\d{1,10}) at [0-9A-Fa-fx]+`
const LIFE_LINE = new RegExp(`^(?:${LIFE})$`)
const GLUED_LIFE = new RegExp(`${PREFIX}(?:${LIFE})$`)
const PROCESS = /^Process (\d{1,10}) starting at [0-9A-Fa-fx]+(?: with command line:? ?(.*))?$/s
const VALUE = /^(-?\d|0x[0-9a-fA-F]{1,16})(?: \[(?:-?\d+|0x[0-9a-f]+) '(.*))?$/s
const READ_ERROR = /^[A-Z]\w*\(\s?read error: \d+$/
const CHANCE = String.raw`\((?:first|last) chance\)`

const ASIDES: readonly RegExp[] = [
  /^Loaded DLL at [0-9A-Fa-fx]+ /,
  /^Unload of DLL at [0-9A-Fa-fx]+/,
  /^Initial breakpoint$/,
  new RegExp(`^Breakpoint at [0-9A-Fa-fx]+ ${CHANCE}$`),
  /^WOW64 initialised$/,
  new RegExp(`^Access violation at [0-9A-Fa-fx]+: (?:Read from|Write to) [0-9A-Fa-fx]+ ${CHANCE}$`),
  /^C\+\+ exception at [0-9A-Fa-fx]+(?: rethrow| (?:raw )?type: .*)?$/,
  /^CLR exception, HR: [0-9a-f]+$/,
  /^(?:CLR|MSVC) Notification: [0-9A-Fa-fx]+$/,
  /^SetThreadName ".*"$/,
  new RegExp(`^Exception: [0-9a-f]+ at [0-9A-Fa-fx]+ ${CHANCE}$`),
  /^Exception raised by attempted close of an invalid handle$/,
  /^Ignoring unhandled exception from close of an invalid handle$/,
  /^Setting SHOW_LDR_SNAPS$/,
  // On stderr, and so in the log of somebody who wrote `2>&1`.
  /^Warning: (?:Unable to load|No PDB found|Only \d+ entry points|invalid )/,
  /^Can(?:not|'t) (?:read|write|get|set|clear) /,
  /^unknown module: /,
  /^Detached$/,
]

const FRAMES: readonly RegExp[] = [
  /^\S[^(]{0,260} \+ 0x[0-9a-f]+ *(?: \S|$)/,
  /^(?:0x)?[0-9A-Fa-f]{8,16}(?: \(non executable\))?$/,
  /^\[inline frame\]/,
  /^Null address$/,
  /^Stack frame: [0-9A-Fa-fx]+ out of sequence$/,
]

const TOTALS = /^(?:Total calls|\[[^\]]*\]|\w+: \d+|Grand total: \d+)$/

const NOTHING: Omit<NtLine, 'kind'> = {
  time: '',
  first: 0,
  second: 0,
  name: '',
  value: '',
  isTextOpen: false,
  id: 0,
  exitCode: 0,
  commandLine: '',
  isGlued: false,
}

/** `text` is latin1, without its line break. */
export function readNtLine(text: string): NtLine {
  if (text.trim() === '') return { ...NOTHING, kind: 'blank' }
  const found = AT_START.exec(text)
  const prefix = prefixOf(found, 1)
  const hasPrefix = (found?.[0].length ?? 0) > 0
  const body = text.slice(found?.[0].length ?? 0).trimEnd()
  const line = readBody(body)
  if (line.kind !== 'other') return { ...line, ...prefix }
  const glued = readGlued(text)
  if (glued !== null) return glued
  // Text of OutputDebugString under -nl: only NtTrace writes such a prefix.
  return { ...line, ...prefix, kind: hasPrefix ? 'aside' : 'other' }
}

/** Whether the text ends a call that began on an earlier line; null: it does not. */
export function endOfCall(text: string): Pick<NtLine, 'kind' | 'value' | 'isTextOpen'> | null {
  const trimmed = text.trimEnd()
  const returned = returnIn(trimmed)
  if (returned !== null) return { kind: 'call', ...returned }
  return trimmed.endsWith(') ...') ? { kind: 'precall', value: '', isTextOpen: false } : null
}

export function isNativeName(name: string): boolean {
  return NATIVE.test(name)
}

function readBody(body: string): NtLine {
  const name = CALL.exec(body)?.[1]
  if (name !== undefined) {
    if (READ_ERROR.test(body)) return { ...NOTHING, kind: 'begun', name }
    const end = endOfCall(body)
    if (end !== null) return { ...NOTHING, ...end, name }
    return NATIVE.test(name) ? { ...NOTHING, kind: 'begun', name } : { ...NOTHING, kind: 'other' }
  }
  const process = PROCESS.exec(body)
  if (process !== null) return { ...NOTHING, kind: 'process', id: Number(process[1]), commandLine: process[2] ?? '' }
  const life = LIFE_LINE.exec(body)
  if (life !== null) return lifeLine(life, 1)
  if (ASIDES.some((pattern) => pattern.test(body))) return { ...NOTHING, kind: 'aside' }
  if (TOTALS.test(body)) return { ...NOTHING, kind: 'totals', name: body }
  return { ...NOTHING, kind: FRAMES.some((pattern) => pattern.test(body)) ? 'frame' : 'other' }
}

/** A call, or a birth or end, behind text of the program. */
function readGlued(text: string): NtLine | null {
  const call = GLUED_CALL.exec(text)
  if (call !== null) {
    const name = call[4] as string
    const end = endOfCall(text.slice(call.index))
    if (end !== null) return { ...NOTHING, ...end, ...prefixOf(call, 1), name, isGlued: true }
  }
  const life = GLUED_LIFE.exec(text)
  return life === null ? null : { ...lifeLine(life, 4), ...prefixOf(life, 1), isGlued: true }
}

function lifeLine(found: RegExpExecArray, at: number): NtLine {
  const [what, id, exitCode, created] = found.slice(at)
  if (created !== undefined) return { ...NOTHING, kind: 'thread', id: Number(created) }
  const kind = what === 'Process' ? 'processExit' : 'threadExit'
  return { ...NOTHING, kind, id: Number(id), exitCode: Number(exitCode) }
}

function prefixOf(found: RegExpExecArray | null, at: number): Pick<NtLine, 'time' | 'first' | 'second'> {
  if (found === null) return { time: '', first: 0, second: 0 }
  return { time: (found[at] ?? '').trim(), first: Number(found[at + 1] ?? 0), second: Number(found[at + 2] ?? 0) }
}

/** The last `) => ` that a value follows: strings before it may hold the same, and so may the message of an error. */
function returnIn(text: string): Pick<NtLine, 'value' | 'isTextOpen'> | null {
  let at = text.lastIndexOf(') => ')
  for (let turn = 0; at >= 0 && turn < 16; turn += 1) {
    const found = VALUE.exec(text.slice(at + 5))
    if (found !== null)
      return { value: found[1] as string, isTextOpen: found[2] !== undefined && !found[2].endsWith("']") }
    at = at === 0 ? -1 : text.lastIndexOf(') => ', at - 1)
  }
  return null
}
