// How an NtTrace log is known, and the order of its calls.
import type { LogFormat } from './log-reader.ts'
import { isNativeName, type NtLine, readNtLine } from './nttrace-line.ts'
import { NttraceReader } from './nttrace-reader.ts'
import { encodingOf, Utf16Decoder } from './utf16.ts'

/** Lines of the head that are looked at. */
const LINE_LIMIT = 400

export const nttraceFormat: LogFormat = {
  name: 'nttrace',
  recognise: (head) => {
    const lines = linesOf(head)
    const spoken = lines.filter(({ kind }) => kind !== 'blank')
    const understood = spoken.filter(({ kind }) => kind !== 'other' && kind !== 'frame' && kind !== 'totals')
    const calls = understood.filter(({ kind, name }) => kind !== 'begun' && name !== '')
    const share = understood.length / Math.max(1, spoken.length)
    if (calls.some(({ name }) => isNativeName(name)) || understood.some(({ kind }) => kind === 'process')) {
      const encoding = encodingOf(head) === null ? '' : ', in UTF-16'
      return { sureness: 0.6 + 0.35 * share, reason: `calls of Windows NT with "=> result"${encoding}` }
    }
    if (calls.length > 0 && share > 0.8) return { sureness: 0.5, reason: 'calls with "=> result", without Nt' }
    return { sureness: 0, reason: 'no line is one of NtTrace' }
  },
  order: (head) => (linesOf(head).some(({ kind }) => kind === 'precall') ? 'entry' : 'return'),
  mappingName: () => 'windows-nt',
  open: (options) => new NttraceReader(options),
}

function linesOf(head: Uint8Array): NtLine[] {
  const decoder = new Utf16Decoder()
  const text = Buffer.concat([decoder.decode(head), decoder.end()]).toString('latin1')
  const lines = text.split('\n', LINE_LIMIT + 1)
  // The last one may be cut.
  if (lines.length > 1) lines.pop()
  return lines.map((line) => readNtLine(line.replace(/^\xef\xbb\xbf/, '').trimEnd()))
}
