// Files to replay: captures and logs of as many calls as are wanted, made of a mix or of what strace records here.

import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { TracefpError } from '../errors.ts'
import { ByteWriter } from '../source/capture/bytes.ts'
import { BLOCK_HEAD_BYTES, BLOCK_KIND, CAPTURE_MAGIC, CAPTURE_VERSION, OP } from '../source/capture/layout.ts'
import { RecordEncoder } from '../source/capture/record-encoder.ts'
import { linuxMapping } from '../syscall/mapping.ts'
import { ABI, begin, type Mix } from './mixes.ts'
import { findProgram } from './peers.ts'

const START = '2026-01-01T00:00:00.000Z'
const BLOCK_BYTES = 32_768
/** As a busy program does it. */
const CALLS_PER_MS = 300

/** A capture of one process that makes the calls of the mix, again and again. */
export function writeCapture(file: string, mix: Mix, count: number): void {
  const bytes = new ByteWriter()
  const descriptor = openSync(file, 'w')
  const line = Buffer.from(`${CAPTURE_MAGIC} ${CAPTURE_VERSION} ${linuxMapping('x86_64').name}\n`)
  writeSync(descriptor, line)
  let crc = crc32(line)
  const block = (kind: number, payload: Uint8Array): void => {
    const whole = Buffer.alloc(BLOCK_HEAD_BYTES + payload.length)
    whole.writeUInt32LE(payload.length, 4)
    whole[8] = kind
    whole.set(payload, BLOCK_HEAD_BYTES)
    crc = crc32(whole.subarray(4), crc)
    whole.writeUInt32LE(crc, 0)
    writeSync(descriptor, whole)
  }
  const json = (kind: number, value: unknown): void => {
    bytes.clear()
    bytes.json(value)
    block(kind, Uint8Array.from(bytes.view))
  }
  const texts = { name: 'bench', engine: 'notify', host: 'bench', machineId: '', bootId: '', kernel: '' }
  const session = { session: '01J00000000000000000000000', uid: 0, rootPpid: 0, rootAncestors: [], argv: ['bench'] }
  json(BLOCK_KIND.header, { ...texts, ...session, startedAt: START })
  bytes.clear()
  const encoder = new RecordEncoder({ bytes, now: () => 0, startMs: 0, onRecord: () => {} })
  begin(encoder)
  // The dictionary, in the order of the codes, before what is judged.
  for (const nr of mix.numbers) encoder.onCall(2, ABI, nr, false)
  encoder.onCall(1, ABI, mix.numbers[(mix.codes[0] as number) - OP.call] as number, false)
  block(BLOCK_KIND.records, Uint8Array.from(bytes.view))
  const records = timedCodes(mix)
  let at = 0
  for (let left = count; left > 0; ) {
    const units = Math.min(Math.floor(BLOCK_BYTES / UNIT), Math.ceil(left / CALLS_PER_MS), (records.length - at) / UNIT)
    block(BLOCK_KIND.records, records.subarray(at, at + units * UNIT))
    left -= units * CALLS_PER_MS
    at = (at + units * UNIT) % records.length
  }
  json(BLOCK_KIND.trailer, { endedAt: START })
  closeSync(descriptor)
}

/** Calls, and two bytes of time behind them. */
const UNIT = CALLS_PER_MS + 2

function timedCodes(mix: Mix): Uint8Array {
  const units = Math.floor(Math.min(mix.codes.length, 2 ** 20) / CALLS_PER_MS)
  const records = new Uint8Array(units * UNIT)
  for (let unit = 0; unit < units; unit += 1) {
    records.set(mix.codes.subarray(unit * CALLS_PER_MS, (unit + 1) * CALLS_PER_MS), unit * UNIT)
    records.set([OP.time, 2], (unit + 1) * UNIT - 2)
  }
  return records
}

/** What strace records: programs of many calls, of threads that alternate, of children, of signals. */
const WORKLOAD = `
find /usr/share -name no-such-file
i=0; while [ $i -lt 40 ]; do (cd /; true); ls / > /dev/null; i=$((i+1)); done
tar cf - /usr/include /usr/lib/python3 2>/dev/null | gzip -1 > /dev/null
'${process.execPath}' -e '
  const net = require("net"), fs = require("fs")
  const server = net.createServer((peer) => peer.pipe(peer)).listen(0, () => {
    let open = 8
    for (let i = 0; i < 8; i++) {
      const client = net.connect(server.address().port)
      let rounds = 300
      client.on("data", () => (rounds-- > 0 ? client.write("x".repeat(100)) : client.end()))
      client.on("close", () => --open === 0 && server.close())
      client.write("x")
    }
  })
  for (const name of fs.readdirSync("/usr/bin").slice(0, 200)) fs.readFile("/usr/bin/" + name, () => {})
'`

const QUICK_WORKLOAD =
  'find /usr/share/doc -name no-such-file; i=0; while [ $i -lt 9 ]; do (cd /; ls); i=$((i+1)); done'

/** @throws TracefpError TFP_ERR_BENCH. */
export function recordStrace(strace: string, file: string, quick: boolean): void {
  // On one CPU strace costs a tenth of what it may cost on two.
  const pin = findProgram('taskset') === undefined ? [] : ['taskset', '-c', '0']
  const [program, ...rest] = [...pin, strace, '-f', '-tt', '-o', file, 'sh', '-c', quick ? QUICK_WORKLOAD : WORKLOAD]
  const { status, error } = spawnSync(program as string, rest, { stdio: 'ignore', timeout: 60_000 })
  if (status !== 0) throw new TracefpError('TFP_ERR_BENCH', `strace of a workload: ${error?.message ?? status}`)
}

/** The log again and again, each time with pids of its own, until it has so many bytes. Answers how many. */
export function repeatStrace(small: string, file: string, wanted: number): number {
  const text = readFileSync(small, 'latin1')
  const pids = [...new Set(Array.from(text.matchAll(/^(\d+) /gm), ([, pid]) => Number(pid)))]
  const first = Math.min(...pids)
  const span = Math.max(...pids) - first + 1
  const anyPid = new RegExp(`\\b(?:${pids.join('|')})\\b`, 'g')
  return repeat(file, wanted, (turn) => {
    const base = 10_000 + ((turn * span) % 4_000_000)
    return text.replace(anyPid, (pid) => String(Number(pid) - first + base))
  })
}

const NT_NAMES = [
  'AllocateVirtualMemory',
  'ProtectVirtualMemory',
  'Close',
  'ReadFile',
  'WriteFile',
  'QueryInformationFile',
  'OpenKey',
  'QueryValueKey',
  'WaitForSingleObject',
]

/** What NtTrace writes of a process with two threads. */
export function writeNtTrace(file: string, wanted: number): number {
  return repeat(file, wanted, (turn) => {
    const lines =
      turn === 0 ? ['[ 104/ 208] Process 104 starting at 00007FF7F3DE1267 with command line: bench.exe'] : []
    if (turn === 0) lines.push('[ 104/ 212] Created thread: 212 at 00007FFB155E5F40')
    for (let i = 0; i < 2000; i += 1) {
      const name = NT_NAMES[(i * 5 + (i >>> 3)) % NT_NAMES.length]
      lines.push(
        `[ 104/ ${i % 9 < 7 ? 208 : 212}] Nt${name}( FileHandle=0x${(64 + (i % 50) * 4).toString(16)}, Length=0x1000 ) => 0`,
      )
    }
    return `${lines.join('\r\n')}\r\n`
  })
}

function repeat(file: string, wanted: number, textOf: (turn: number) => string): number {
  const descriptor = openSync(file, 'w')
  let written = 0
  for (let turn = 0; written < wanted; turn += 1) written += writeSync(descriptor, Buffer.from(textOf(turn), 'latin1'))
  closeSync(descriptor)
  return written
}
