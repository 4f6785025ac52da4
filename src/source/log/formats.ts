// The formats of logs, and how the one of a log is found.

import { TracefpError } from '../../errors.ts'
import { CAPTURE_FORMAT } from '../capture/reader.ts'
import type { LogFormat, LogFormatName } from './log-reader.ts'
import { nttraceFormat } from './nttrace-format.ts'
import { numbersFormat } from './numbers-reader.ts'
import { straceFormat } from './strace-format.ts'

export const LOG_FORMATS: readonly LogFormat[] = [straceFormat, nttraceFormat, numbersFormat, CAPTURE_FORMAT]
export const LOG_FORMAT_NAMES: readonly LogFormatName[] = LOG_FORMATS.map(({ name }) => name)

/** Bytes of a log that are looked at. */
export const HEAD_BYTES = 65_536
const SURE_ENOUGH = 0.3
/** No other is surer: of the rest nobody is asked. */
const SUREST = 0.95

export interface FoundFormat {
  readonly format: LogFormat
  readonly reason: string
}

/** @throws TracefpError TFP_ERR_SOURCE_FORMAT: it is in none, or empty. */
export function findFormat(head: Uint8Array, wanted: LogFormatName | 'auto', name: string): FoundFormat {
  const own = LOG_FORMATS.find((format) => format.name === wanted)
  if (own !== undefined) return { format: own, reason: 'as it was asked for' }
  if (head.length === 0) throw new TracefpError('TFP_ERR_SOURCE_FORMAT', `${name}: it is empty: there is no log`)
  let best: (FoundFormat & { sureness: number }) | undefined
  for (const format of LOG_FORMATS) {
    const { sureness, reason } = format.recognise(head)
    if (best === undefined || sureness > best.sureness) best = { format, reason, sureness }
    if (best.sureness >= SUREST) break
  }
  if (best !== undefined && best.sureness >= SURE_ENOUGH) return best
  const known = LOG_FORMAT_NAMES.join(', ')
  throw new TracefpError('TFP_ERR_SOURCE_FORMAT', `${name}: its format is none of ${known}: name it with --format`)
}
