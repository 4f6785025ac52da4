// What the threads that check logs side by side say to each other. Everything is plain: it is copied from thread to thread.

import type { CheckLogsOptions } from '../check-logs.ts'
import type { Miss } from '../match/miss.ts'
import type { Result } from '../match/report.ts'
import type { LogFormatName } from '../source/log/log-reader.ts'
import type { PlainError } from './protocol.ts'

/** The callbacks and what else cannot be copied is left out. */
export type LogTask = Omit<
  CheckLogsOptions,
  'logs' | 'follow' | 'onMiss' | 'onResult' | 'onFailure' | 'onOpen' | 'onBegin' | 'onProgress'
>

/** Files of one or more logs, which are checked in their order. */
export interface LogJob {
  readonly job: number
  readonly paths: readonly string[]
}

/** What is shown of a log that was opened. */
export interface OpenedLog {
  readonly name: string
  readonly format: { readonly name: LogFormatName }
  readonly reason: string
}

export type LogEvent =
  | { readonly type: 'opened'; readonly log: OpenedLog }
  | { readonly type: 'miss'; readonly miss: Miss; readonly log: string }
  | { readonly type: 'result'; readonly result: Result }
  | { readonly type: 'failure'; readonly error: PlainError; readonly log: string }
  | { readonly type: 'progress'; readonly log: string; readonly position: number; readonly size: number | null }
  /** The last one of a job. */
  | { readonly type: 'done' }

export interface LogMessage {
  readonly job: number
  readonly event: LogEvent
}
