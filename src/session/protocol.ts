// What a host and its worker say to each other. Plain data: everything here crosses by structured clone.

import type { LaunchOptions } from '../addon/addon.ts'
import type { CheckOptions } from '../check.ts'
import type { ErrorCode } from '../errors.ts'
import type { LearnedRun, LearnOptions } from '../learn.ts'
import type { Miss } from '../match/miss.ts'
import type { Result } from '../match/report.ts'

export type WorkerTask =
  | { readonly kind: 'check'; readonly options: Omit<CheckOptions, 'onStart' | 'onRootExit' | 'onMiss'> }
  | { readonly kind: 'learn'; readonly options: Omit<LearnOptions, 'onStart' | 'onRootExit'> }

/** Only the host speaks first, and only this: kill the program. */
export type HostMessage = 'stop'

export type WorkerMessage =
  | { readonly type: 'started'; readonly pid: number }
  /** The program itself is gone: its pid must not be signalled any more. What it started may live on. */
  | { readonly type: 'rootExited' }
  | { readonly type: 'miss'; readonly miss: Miss }
  | { readonly type: 'checked'; readonly result: Result }
  | { readonly type: 'learned'; readonly run: LearnedRun }
  | { readonly type: 'failed'; readonly error: PlainError }

/** A TracefpError as data; `code` null = any other error, a bug of tracefp's. */
export interface PlainError {
  readonly code: ErrorCode | null
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly errno: number
  readonly hint: string
  readonly file: string
  readonly line: number
}

export type { LaunchOptions, LearnedRun, Miss, Result }
