// What `tracefp watch` is to follow, as its TOML file says it. A file that says something else than it can is refused as a
// whole, with the line.

import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { type Policy, parseToml, policyOf, readPolicy, readTrusted } from '../alert/policy.ts'
import type { Section } from '../alert/toml-section.ts'
import { TracefpError } from '../errors.ts'
import type { BurstOptions } from '../match/frame.ts'
import type { MissMode } from '../session/policy-mode.ts'
import type { Engine } from '../source/live.ts'
import { LOG_FORMAT_NAMES } from '../source/log/formats.ts'
import type { LogFormatName } from '../source/log/log-reader.ts'
import { type Account, accountOf } from './accounts.ts'

/** What every entry may say of how it is judged. */
interface Judged {
  readonly name: string
  /** Files; none: the fingerprint store. */
  readonly fingerprints: readonly string[]
  readonly requireSignature: readonly string[]
  readonly depth: number | null
  readonly burst: BurstOptions | null
}

export interface ProgramEntry extends Judged {
  readonly kind: 'program'
  readonly command: readonly string[]
  readonly cwd: string | null
  readonly env: Readonly<Record<string, string>>
  readonly account: Account | null
  readonly engine: Engine
  /** Null: as the policy says. */
  readonly onMiss: MissMode | null
  readonly restart: 'always' | 'on-failure' | 'never'
  readonly restartMs: number
  readonly restartMaxMs: number
  /** From SIGTERM to SIGKILL. */
  readonly stopMs: number
}

export interface LogEntry extends Judged {
  readonly kind: 'log'
  readonly file: string
  readonly format: LogFormatName | 'auto'
  readonly mapping: string | null
}

export interface ServiceEntry extends Judged {
  readonly kind: 'service'
  readonly by:
    | { readonly pid: number }
    | { readonly pidFile: string }
    /** Of systemd. */
    | { readonly unit: string }
  /** As of `attach`. */
  readonly engine: 'auto' | 'ebpf' | 'trace'
  readonly onMiss: Exclude<MissMode, 'deny'> | null
}

export type EntryConfig = ProgramEntry | LogEntry | ServiceEntry

export interface Listen {
  readonly address: string
  readonly port: number
}

export interface WatchConfig {
  readonly file: string
  /** Where health and metrics are served; null: nowhere. */
  readonly listen: Listen | null
  readonly policy: Policy
  readonly entries: readonly EntryConfig[]
}

const LISTEN: Listen = { address: '127.0.0.1', port: 7228 }
const NAME = /^[A-Za-z0-9_.@-]{1,64}$/
const UNIT = /^[A-Za-z0-9:_.@\\-]{1,255}$/
const SECOND = 1_000

/**
 * The file is read, and the policy of the home where it brings none of its own.
 * @throws TracefpError TFP_ERR_DAEMON_CONFIG, TFP_ERR_ALERT_POLICY.
 */
export async function readConfig(file: string, home: string): Promise<WatchConfig> {
  const text = readTrusted(file, 'TFP_ERR_DAEMON_CONFIG')
  if (text === null) throw new TracefpError('TFP_ERR_DAEMON_CONFIG', `${file}: there is no such file`)
  return await parseConfig(text, file, home)
}

/** @throws TracefpError TFP_ERR_DAEMON_CONFIG, TFP_ERR_ALERT_POLICY. */
export async function parseConfig(text: string, file: string, home: string): Promise<WatchConfig> {
  const root = await parseToml({ file, text, code: 'TFP_ERR_DAEMON_CONFIG' })
  const watch = root.section('watch')
  const listen = listenOf(watch)
  watch.end()
  let policy: Policy | null = null
  if (root.has('policy')) {
    const section = root.section('policy')
    policy = policyOf(section, file)
    section.end()
  }
  const entries = [
    ...root.sections('program').map(programOf),
    ...root.sections('log').map(logOf),
    ...root.sections('service').map(serviceOf),
  ]
  const names = new Set<string>()
  for (const { name, kind } of entries) {
    if (names.has(name)) throw root.error(kind, `two entries are named ${name}: give them a name each`)
    names.add(name)
  }
  root.end()
  if (entries.length === 0) throw root.error(null, 'it names nothing to watch: add [[program]], [[log]] or [[service]]')
  return { file, listen, policy: policy ?? (await readPolicy(home)), entries }
}

/** The same entry twice is the same text. */
export function identityOf(entry: EntryConfig): string {
  return JSON.stringify(entry)
}

function programOf(section: Section): ProgramEntry {
  const command = section.texts('command') ?? []
  const [user, group] = [section.text('user'), section.text('group')]
  const entry: ProgramEntry = {
    kind: 'program',
    command,
    cwd: pathOf(section, 'cwd'),
    env: section.words('env'),
    account: user === undefined && group === undefined ? null : accountOf(user, group, section),
    engine: section.oneOf('engine', ['auto', 'notify', 'trace', 'ebpf']) ?? 'auto',
    onMiss: section.oneOf<MissMode>('on_miss', ['alert', 'deny', 'kill', 'freeze']) ?? null,
    restart: section.oneOf('restart', ['always', 'on-failure', 'never']) ?? 'always',
    restartMs: (section.number('restart_sec', 0.1, 3_600) ?? 1) * SECOND,
    restartMaxMs: (section.number('restart_max_sec', 0.1, 86_400) ?? 60) * SECOND,
    stopMs: (section.number('stop_sec', 0, 3_600) ?? 10) * SECOND,
    ...judgedOf(section),
  }
  section.end()
  assertNamed(section, entry)
  if (command[0] === undefined || !isAbsolute(command[0])) {
    throw section.error('command', 'expected a list that begins with an absolute path')
  }
  if (entry.engine === 'ebpf' && entry.onMiss === 'deny') {
    throw section.error(
      'on_miss',
      'engine ebpf sees a call when it can no longer be stopped: expected alert, kill, freeze',
    )
  }
  return entry
}

function logOf(section: Section): LogEntry {
  const file = pathOf(section, 'file')
  const entry: LogEntry = {
    kind: 'log',
    file: file ?? '',
    format: section.oneOf('format', ['auto', ...LOG_FORMAT_NAMES]) ?? 'auto',
    mapping: section.text('mapping') ?? null,
    ...judgedOf(section),
  }
  section.end()
  assertNamed(section, entry)
  if (file === null) throw section.error('file', 'expected an absolute path')
  return entry
}

function serviceOf(section: Section): ServiceEntry {
  const pid = section.number('pid', 1, 2 ** 22)
  const pidFile = pathOf(section, 'pid_file')
  const unit = section.text('unit')
  const ways: ServiceEntry['by'][] = []
  if (pid !== undefined) ways.push({ pid: Math.trunc(pid) })
  if (pidFile !== null) ways.push({ pidFile })
  if (unit !== undefined) ways.push({ unit: unit.includes('.') ? unit : `${unit}.service` })
  const [by] = ways
  const engine = section.oneOf<ServiceEntry['engine']>('engine', ['auto', 'ebpf', 'trace']) ?? 'auto'
  const onMiss = section.oneOf<'alert' | 'kill' | 'freeze'>('on_miss', ['alert', 'kill', 'freeze']) ?? null
  const judged = judgedOf(section)
  section.end()
  assertNamed(section, judged)
  if (by === undefined || ways.length > 1) throw section.error(null, 'expected one of pid, pid_file and unit')
  if (unit !== undefined && !UNIT.test(unit)) throw section.error('unit', 'expected the name of a unit')
  return { kind: 'service', by, engine, onMiss, ...judged }
}

/** After the end of the section: a word spelled wrong is told before what it leaves out. */
function assertNamed(section: Section, { name }: Judged): void {
  if (NAME.test(name)) return
  throw section.error(name === '' ? null : 'name', 'expected a name of letters, digits, and any of _ . @ -')
}

function judgedOf(section: Section): Judged {
  const name = section.text('name') ?? ''
  const fingerprints = section.texts('fingerprint') ?? []
  if (!fingerprints.every((file) => isAbsolute(file))) {
    throw section.error('fingerprint', 'expected a list of absolute paths')
  }
  const depth = section.number('depth', 2, 8)
  const frame = section.number('frame', 1, 1_000)
  const threshold = section.number('threshold', 1, 1_000)
  if (frame !== undefined && threshold === undefined) throw section.error('frame', 'it needs a threshold')
  if (threshold !== undefined && threshold > (frame ?? 20)) {
    throw section.error('threshold', `it can never be reached among ${frame ?? 20} transitions`)
  }
  return {
    name,
    fingerprints,
    requireSignature: section.texts('require_signature') ?? [],
    depth: depth === undefined ? null : Math.trunc(depth),
    burst: threshold === undefined ? null : { threshold, ...(frame === undefined ? {} : { frame }) },
  }
}

function pathOf(section: Section, key: string): string | null {
  const path = section.text(key)
  if (path !== undefined && !isAbsolute(path)) throw section.error(key, 'expected an absolute path')
  return path ?? null
}

/** `127.0.0.1:7228`, `[::1]:7228`, `none`. */
function listenOf(section: Section): Listen | null {
  const text = section.text('listen')
  if (text === undefined) return LISTEN
  if (text === 'none') return null
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const [address, port] = [bracketed ?? plain ?? '', Number(digits ?? -1)]
  if (isIP(address) === 0 || port < 0 || port > 65_535) {
    throw section.error('listen', 'expected an address and a port, such as "127.0.0.1:7228", or "none"')
  }
  return { address, port }
}
