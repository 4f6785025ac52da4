// What a capture costs on disk: bytes per record of captures and of `strace -f -tt` logs of the same programs, as they are and
// through gzip.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { CaptureReader } from '../source/capture/reader.ts'
import { costOfCommand } from './measure.ts'
import type { PartContext } from './part.ts'
import { compileC } from './programs.ts'
import type { Table } from './result.ts'

const LF = 10

export function captureSizes({ folder, tracefp, sources }: PartContext, strace: string): Table {
  const calls = compileC(join(sources, 'calls.c'), join(folder, 'sized'))
  const programs: readonly [name: string, command: readonly string[]][] = [
    ['find /usr/share', ['find', '/usr/share', '-name', 'no-such-file']],
    ['node -e 0', [process.execPath, '-e', '0']],
    ['sh, 300 children', ['sh', '-c', 'i=0; while [ $i -lt 300 ]; do (cd /); i=$((i+1)); done']],
    ...(calls === undefined ? [] : [['8 threads', [calls, '160000', '1', '8']] as [string, string[]]]),
  ]
  const [capture, log] = [join(folder, 'sized.tfc'), join(folder, 'sized.log')]
  const rows = programs.map(([name, command]) => {
    costOfCommand([...tracefp, 'record', '-o', capture, '--', ...command])
    costOfCommand([strace, '-f', '-tt', '-o', log, ...command])
    const [own, other] = [readFileSync(capture), readFileSync(log)]
    const recordCount = recordsIn(own)
    const lineCount = other.reduce((count, byte) => count + (byte === LF ? 1 : 0), 0)
    const [ownSize, otherSize] = [own.length / recordCount, other.length / lineCount]
    const zipped = (bytes: Buffer, count: number): string => (gzipSync(bytes).length / count).toFixed(2)
    const ratio = `1/${Math.round(otherSize / ownSize)}`
    const sizes = [recordCount.toLocaleString('en'), ownSize.toFixed(2), otherSize.toFixed(1), ratio]
    return [name, ...sizes, zipped(own, recordCount), zipped(other, lineCount)]
  })
  const columns = ['', 'records', 'capture', 'strace', 'ratio', 'capture.gz', 'strace.gz']
  return { caption: 'Bytes a record, and a line of `strace -f -tt`', columns, rows }
}

function recordsIn(capture: Uint8Array): number {
  const none = (): void => {}
  const life = { onBirth: none, onExec: none, onCall: none, onSignal: none, onExit: none }
  const reader = new CaptureReader({ ...life, onRefused: none, onGap: none, onNote: none }, 'capture')
  reader.write(capture)
  return reader.counts.lineCount
}
