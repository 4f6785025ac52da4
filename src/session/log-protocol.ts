// What threads that read logs side by side are told, and what they say. Everything is plain: it is copied from thread to thread.

import type { CheckLogsOptions, LogResult } from '../check-logs.ts'
import type { LearnedRun, LearnedSession, ReadLogsOptions } from '../learn-logs.ts'
import type { Miss } from '../match/miss.ts'
import type { Fingerprint } from '../model/fingerprint.ts'
import type { LogFormatName } from '../source/log/log-reader.ts'
import type { PlainError } from './protocol.ts'

/** The callbacks and what else cannot be copied is left out. */
export type CheckTask = Omit<
  CheckLogsOptions,
  'logs' | 'follow' | 'onMiss' | 'onResult' | 'onFailure' | 'onOpen' | 'onProgress'
> & { readonly kind: 'check' }

export type LearnTask = ReadLogsOptions & { readonly kind: 'learn' }

export type LogTask = CheckTask | LearnTask

/** Files of one or more logs, which are read in their order. */
export interface LogJob {
  readonly paths: readonly string[]
  /** Learning: files that were written since it began, as they were before. */
  readonly known?: ReadonlyMap<string, Fingerprint | null>
}

/** As a thread gets it. */
export type NumberedJob = LogJob & { readonly job: number }

/** What is shown of a log that was opened. */
export interface OpenedLog {
  readonly name: string
  readonly format: { readonly name: LogFormatName }
  readonly reason: string
}

export type LogEvent =
  | { readonly type: 'opened'; readonly log: OpenedLog }
  | { readonly type: 'miss'; readonly miss: Miss; readonly log: string }
  | { readonly type: 'result'; readonly result: LogResult }
  | { readonly type: 'run'; readonly run: LearnedRun }
  | { readonly type: 'session'; readonly session: LearnedSession }
  | { readonly type: 'failure'; readonly error: PlainError; readonly log: string }
  | { readonly type: 'progress'; readonly log: string; readonly position: number; readonly size: number | null }
  /** The last one of a job. */
  | { readonly type: 'done' }

export interface LogMessage {
  readonly job: number
  readonly event: LogEvent
}
