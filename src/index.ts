// The public API: everything else of the package may change without notice.

import { readFingerprintFile } from './model/files.ts'
import type { Fingerprint } from './model/fingerprint.ts'
import { CheckSession, type CheckSessionOptions, type Watched } from './session/check-session.ts'
import { linuxMapping } from './syscall/mapping.ts'

/**
 * Starts a program and checks it, call by call, while it runs. `argv[0]` is searched for in PATH.
 * The work is done in a worker thread of tracefp's own: the event loop of the host is not used and not blocked.
 *
 * @throws EngineError TFP_ERR_ENGINE_NOT_FOUND, TFP_ERR_ENGINE_NOT_EXECUTABLE at once; what goes wrong later rejects
 * `report`, `outcome` and `pid`.
 * @example
 * const child = check(['./server', '--port', '0'], { fingerprint: 'server.tfp', stdio: 'pipe' })
 * child.stdout?.pipe(process.stdout)
 * for await (const miss of child.misses()) console.error(miss.from, '->', miss.to)
 * const report = await child.report
 */
export function check(argv: readonly string[], options: CheckSessionOptions = {}): CheckSession {
  return new CheckSession(argv, options)
}

/** Options of `attach`: what is said about starting a program does not apply. */
export type AttachSessionOptions = Omit<
  CheckSessionOptions,
  'cwd' | 'env' | 'stdio' | 'uid' | 'gid' | 'engine' | 'pin' | 'bytes' | 'stopsWithProgram'
> & {
  /** `trace` (default for a pid): two stops a call. `ebpf`: nothing waits; cgroups and hosts need it. */
  readonly engine?: 'trace' | 'ebpf'
}

/**
 * Joins what already runs, and checks it: a process with its threads and all below it; a cgroup (v2) with what begins there;
 * or, on the whole host, every program that there is a fingerprint for. Tracks begin in the middle: the first transition of each
 * is not judged. Under engine `trace` every call costs two stops. `stop()`, an aborted signal and the end of the host let it go on
 * as before.
 *
 * @throws UsageError; what goes wrong later (EngineError TFP_ERR_ENGINE_PTRACE, TFP_ERR_ENGINE_FAILED) rejects `report`.
 * @example
 * await using watch = attach(1234, { fingerprint: 'server.tfp' })
 * for await (const miss of watch.misses()) console.error(miss.from, '->', miss.to)
 */
export function attach(what: Watched, options: AttachSessionOptions = {}): CheckSession {
  return new CheckSession(what, options)
}

/**
 * Reads a fingerprint file and makes sure that this tracefp numbers calls as it does.
 *
 * @throws FormatError TFP_ERR_MODEL_FORMAT, TFP_ERR_MODEL_CHECKSUM, TFP_ERR_MODEL_VERSION; TracefpError
 * TFP_ERR_MODEL_MAPPING, TFP_ERR_FILE.
 * @example
 * const fingerprint = await openFingerprint('server.tfp')
 * console.log(fingerprint.runCount, [...fingerprint.programs.keys()])
 */
export async function openFingerprint(path: string): Promise<Fingerprint> {
  return await readFingerprintFile(path, linuxMapping())
}

export { EngineError, ERRORS, type ErrorCode, FormatError, TracefpError, UsageError } from './errors.ts'
export type { LearnedFault, LearnedRun, Slices } from './learn.ts'
export type { BurstOptions } from './match/frame.ts'
export type { Miss, MissAction, MissKind } from './match/miss.ts'
export type { Report, ReportExit, ReportNote, ReportProgram, ReportSource } from './match/report.ts'
export type { Severity } from './match/severity.ts'
export type { Outcome, Verdict } from './match/verdict.ts'
export type { Fingerprint, ProgramFingerprint, Settings, Tally } from './model/fingerprint.ts'
export type { Image } from './model/stream.ts'
export type { RecordedRun } from './record.ts'
export {
  CheckSession,
  type CheckSessionOptions,
  type OnMiss,
  type ProgramOptions,
  type Watched,
} from './session/check-session.ts'
export type { MissHandler } from './session/decide.ts'
export { type LearnProgramOptions, learnProgram as learn } from './session/learn-program.ts'
export { type RecordProgramOptions, recordProgram as record } from './session/record-program.ts'
export type { Stdio } from './session/stdio.ts'
export type { Engine } from './source/live.ts'
