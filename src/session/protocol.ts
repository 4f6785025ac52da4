// What a host and its worker say to each other. Plain data: everything here crosses by structured clone.

import type { LaunchOptions } from '../addon/addon.ts'
import type { CheckOptions, LiveResult } from '../check.ts'
import type { ErrorCode } from '../errors.ts'
import type { LearnedRun, LearnOptions } from '../learn.ts'
import type { Decided } from '../match/decider.ts'
import type { Miss } from '../match/miss.ts'
import type { RecordedRun, RecordOptions } from '../record.ts'

export type WorkerTask =
  | { readonly kind: 'check'; readonly options: Omit<CheckOptions, 'onStart' | 'onRootExit' | 'onMiss' | 'ask'> }
  | { readonly kind: 'learn'; readonly options: Omit<LearnOptions, 'onStart' | 'onRootExit'> }
  | { readonly kind: 'record'; readonly options: Omit<RecordOptions, 'onStart' | 'onRootExit'> }

/** `stop`: kill the program. */
export type HostMessage =
  | { readonly type: 'stop' }
  | { readonly type: 'decision'; readonly question: number; readonly decided: Decided }

export type WorkerMessage =
  | { readonly type: 'started'; readonly pid: number }
  /** The program itself is gone: its pid must not be signalled any more. What it started may live on. */
  | { readonly type: 'rootExited' }
  | { readonly type: 'miss'; readonly miss: Miss }
  /** Guard mode: nothing goes on until the host has sent its decision. */
  | { readonly type: 'question'; readonly question: number; readonly miss: Miss }
  /** There is nothing left to decide about: the program was killed. */
  | { readonly type: 'questionOver'; readonly question: number }
  | { readonly type: 'checked'; readonly result: LiveResult }
  | { readonly type: 'learned'; readonly run: LearnedRun }
  | { readonly type: 'recorded'; readonly run: RecordedRun }
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

export type { Decided, LaunchOptions, LearnedRun, LiveResult, Miss, RecordedRun }
