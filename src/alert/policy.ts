// The policy of the administrator: what is told to whom, what is done at a miss, how long things are kept. One TOML file,
// `policy.toml` in tracefp's home; none = the defaults below, which tell nobody but the store.

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { type ErrorCode, TracefpError } from '../errors.ts'
import type { Severity } from '../match/severity.ts'
import { whyNotOwn } from '../model/ownership.ts'
import type { AlertEvent, AlertMode } from './event.ts'
import { DEFAULT_THRESHOLDS, type Thresholds } from './score.ts'
import { type SinkConfig, sinkOf } from './sink-config.ts'
import { Section, type TomlSource } from './toml-section.ts'

export interface Policy {
  /** The file; null: there is none. */
  readonly file: string | null
  readonly thresholds: Thresholds
  /** The lowest severity that sinks are told of. */
  readonly tellFrom: Severity
  /** By key of a program; `default` for all others. */
  readonly modes: ReadonlyMap<string, AlertMode>
  readonly defaultMode: AlertMode
  /** Minutes of the local day, from and to; sinks are then told of critical alerts only. */
  readonly quiet: readonly (readonly [number, number])[]
  readonly sinks: readonly SinkConfig[]
  readonly keepDays: number
  readonly keepMiB: number
}

export const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical']
export const MODES: readonly AlertMode[] = ['observe', 'alert', 'deny', 'kill', 'freeze']

export const DEFAULT_POLICY: Policy = {
  file: null,
  thresholds: DEFAULT_THRESHOLDS,
  tellFrom: 'medium',
  modes: new Map(),
  defaultMode: 'alert',
  quiet: [],
  sinks: [],
  keepDays: 90,
  keepMiB: 512,
}

const MAX_BYTES = 1 << 20

export function policyFile(home: string): string {
  return join(home, 'policy.toml')
}

/**
 * The policy of a home. TOML is loaded only where there is a file.
 * @throws TracefpError TFP_ERR_ALERT_POLICY: others could have written it, or it says what cannot be.
 */
export async function readPolicy(home: string): Promise<Policy> {
  const file = policyFile(home)
  const text = readTrusted(file)
  return text === null ? DEFAULT_POLICY : await parsePolicy(text, file)
}

/** @throws TracefpError TFP_ERR_ALERT_POLICY. */
export async function parsePolicy(text: string, file: string): Promise<Policy> {
  const root = await parseToml({ file, text, code: 'TFP_ERR_ALERT_POLICY' })
  const policy = policyOf(root, file)
  root.end()
  return policy
}

/** @throws TracefpError with the code of the source: it is no TOML. */
export async function parseToml(source: TomlSource): Promise<Section> {
  const { parse } = await import('smol-toml')
  const { file, text, code } = source
  let values: unknown
  try {
    values = parse(text)
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0]
    const line = (cause as { readonly line?: number }).line
    const at = line === undefined ? '' : `:${line}`
    throw new TracefpError(code, `${file}${at}: ${why}`, { cause })
  }
  return new Section(values, [], source)
}

/** What `exec` sinks and modes are read from must not be anybody's to write. Null: there is no such file. */
export function readTrusted(file: string, code: ErrorCode = 'TFP_ERR_ALERT_POLICY'): string | null {
  const fail = (why: string, cause?: unknown): never => {
    throw new TracefpError(code, `${file}: ${why}`, { cause })
  }
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    return fail((cause as Error).message, cause)
  }
  try {
    const stats: Stats = fstatSync(fd)
    if (!stats.isFile()) fail('not a regular file')
    if (stats.size > MAX_BYTES) fail('larger than 1 MiB')
    const why = whyNotOwn(file, stats)
    if (why !== null) fail(why)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** `root`: a document, or its part that is a policy. That nothing else is in it is the caller's to look. */
export function policyOf(root: Section, file: string): Policy {
  const severity = root.section('severity')
  const thresholds = {
    medium: severity.number('medium', 0, 1000) ?? DEFAULT_THRESHOLDS.medium,
    high: severity.number('high', 0, 1000) ?? DEFAULT_THRESHOLDS.high,
    critical: severity.number('critical', 0, 1000) ?? DEFAULT_THRESHOLDS.critical,
  }
  if (!(thresholds.medium <= thresholds.high && thresholds.high <= thresholds.critical)) {
    throw severity.error(null, 'expected medium <= high <= critical')
  }
  severity.end()
  const alert = root.section('alert')
  const tellFrom = alert.oneOf('from', SEVERITIES) ?? DEFAULT_POLICY.tellFrom
  const defaultMode = alert.oneOf('mode', MODES) ?? DEFAULT_POLICY.defaultMode
  const quiet = (alert.texts('quiet') ?? []).map((text) => hoursOf(text, alert))
  alert.end()
  const programs = root.section('program')
  const modes = new Map<string, AlertMode>()
  for (const key of programs.keys()) {
    const program = programs.section(key)
    modes.set(key, program.oneOf('mode', MODES) ?? defaultMode)
    program.end()
  }
  const store = root.section('store')
  const keepDays = store.number('keep_days', 1, 36_500) ?? DEFAULT_POLICY.keepDays
  const keepMiB = store.number('keep_mib', 1, 1 << 20) ?? DEFAULT_POLICY.keepMiB
  store.end()
  const sinks = root.sections('sink').map((section) => sinkOf(section))
  const twice = sinks.find(({ name }, index) => sinks.findIndex((other) => other.name === name) !== index)
  if (twice !== undefined) throw root.error('sink', `two are named ${twice.name}: give them a name each`)
  return { file, thresholds, tellFrom, modes, defaultMode, quiet, sinks, keepDays, keepMiB }
}

export function modeOf({ modes, defaultMode }: Policy, program: string): AlertMode {
  return modes.get(program) ?? defaultMode
}

/** Whether sinks are told: never of what is observed, of critical alerts always, of others not in the quiet hours. */
export function isToTell(policy: Policy, event: Pick<AlertEvent, 'severity' | 'mode'>, now: Date): boolean {
  if (event.mode === 'observe') return false
  if (event.severity === 'critical') return true
  if (SEVERITIES.indexOf(event.severity) < SEVERITIES.indexOf(policy.tellFrom)) return false
  const minute = now.getHours() * 60 + now.getMinutes()
  return !policy.quiet.some(([from, to]) =>
    from <= to ? minute >= from && minute < to : minute >= from || minute < to,
  )
}

function hoursOf(text: string, section: Section): readonly [number, number] {
  const [, ...digits] = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  const [fromHour, from, toHour, to] = digits.map(Number) as [number, number, number, number]
  if (digits.length !== 4) throw section.error('quiet', `${JSON.stringify(text)}: expected hours such as "22:00-06:00"`)
  return [fromHour * 60 + from, toHour * 60 + to]
}
