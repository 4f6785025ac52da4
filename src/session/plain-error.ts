// Errors across the worker boundary: structured clone would lose their class and their code.

import { EngineError, FormatError, TracefpError, UsageError } from '../errors.ts'
import type { PlainError } from './protocol.ts'

export function toPlainError(error: unknown): PlainError {
  const known = error instanceof Error ? error : new Error(String(error))
  return {
    code: known instanceof TracefpError ? known.code : null,
    name: known.name,
    message: known.message,
    stack: known.stack,
    errno: known instanceof EngineError ? known.errno : 0,
    hint: known instanceof EngineError ? known.hint : '',
    file: known instanceof FormatError ? known.file : '',
    line: known instanceof FormatError ? known.line : 0,
  }
}

export function fromPlainError(plain: PlainError): Error {
  const error = rebuild(plain)
  error.message = plain.message
  if (plain.stack !== undefined) error.stack = plain.stack
  return error
}

function rebuild(plain: PlainError): Error {
  if (plain.code === null) return new Error(plain.message)
  if (plain.name === 'EngineError') return new EngineError(plain.code, plain.message, plain.errno, plain.hint)
  if (plain.name === 'FormatError') return new FormatError(plain.code, plain.message, plain.file, plain.line)
  if (plain.name === 'UsageError') return new UsageError(plain.message)
  return new TracefpError(plain.code, plain.message)
}
