// From a file to a report: captures and logs of NtTrace in this process, logs of strace by the command, which has read some before or has
// not; beside `wc -l`, which only counts lines, and a reader of lines with a regular expression, as one would write it.

import { createReadStream, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import readline from 'node:readline'
import { loadAddon } from '../../addon/addon.ts'
import { checkLogs } from '../../check-logs.ts'
import { learnLogs } from '../../learn-logs.ts'
import type { Report } from '../../match/report.ts'
import { encodeFingerprint } from '../../model/codec-fingerprint.ts'
import { TransitionTable } from '../../model/table.ts'
import { OP } from '../../source/capture/layout.ts'
import { captureSizes } from '../capture-size.ts'
import { commandCost, FORMER_LOGS, furtherCost } from '../further.ts'
import { recordStrace, repeatStrace, writeCapture, writeNtTrace } from '../inputs.ts'
import { machineFacts } from '../machine.ts'
import { type Contender, costOf, costOfCommand, cpuOf, inTurns, least, median, type Samples } from '../measure.ts'
import { ABI, learnMix, MAPPING, type Mix, markov } from '../mixes.ts'
import type { Part, PartContext } from '../part.ts'
import { findProgram } from '../peers.ts'
import type { PartResult, Ratio, Sample } from '../result.ts'

const PEER_BYTES = 2e6

const STRACE = 'strace log'
const STRACE_ANYWHERE = 'strace log, on any machine'
const STRACE_COLD = 'strace log, the whole command'
const READLINE = 'readline and a regular expression'

export const REPLAY: Part = { name: 'replay', title: 'From a file to a report', run }

interface Replayed {
  readonly name: string
  readonly bytes: number
  /** Calls in it. */
  readonly records: number
}

async function run(context: PartContext): Promise<PartResult> {
  const { folder, quick } = context
  const strace = findProgram('strace')
  const skipped = strace === undefined ? ['strace: not on this machine, so there is no log of it to read'] : []
  if (findProgram('b3') === undefined)
    skipped.push('b3-strace-parser: not on this machine (npm install -g b3-strace-parser)')
  const contenders: Contender[] = []
  const inputs = new Map<string, Replayed>()
  const add = (name: string, bytes: number, records: number, work: () => Promise<Sample> | Sample): void => {
    inputs.set(name, { name, bytes, records })
    contenders.push({ name, run: work })
  }
  const mix = markov(2 ** 21)
  const recordCount = quick ? 10_000_000 : 100_000_000
  context.tell('replay: files are made')
  for (const depth of [2, 6]) {
    const [capture, fingerprint] = [join(folder, 'replay.tfc'), join(folder, `depth-${depth}.tfp`)]
    if (depth === 2) writeCapture(capture, mix, recordCount)
    writeFileSync(fingerprint, encodeFingerprint(learnMix(mix, depth)))
    const { bytes, report } = await sizeOf(capture, fingerprint, folder, depth)
    add(`capture, depth ${depth}`, bytes, report.recordCount, () => checkCost(capture, fingerprint, folder, depth))
  }
  const walk = walker(mix)
  add('C++, bitset, one by one', mix.codes.length, mix.codes.length, () => costOf(walk))
  if (strace !== undefined) await addStrace(context, strace, add)
  await addNtTrace(context, add)
  const rounds = quick ? { warmUp: 1, kept: 2 } : { warmUp: 1, kept: 5 }
  const samples = await inTurns(contenders, rounds, (round, of) => context.tell(`replay: round ${round} of ${of}`))
  const sizes = strace === undefined || quick ? [] : [captureSizes(context, strace)]
  const result = resultOf(inputs, samples, rounds.kept, skipped)
  return { ...result, tables: [...result.tables, ...sizes] }
}

async function addStrace(
  context: PartContext,
  strace: string,
  add: (name: string, bytes: number, records: number, work: () => Promise<Sample> | Sample) => void,
): Promise<void> {
  const { folder, quick, tell } = context
  const [small, log, fingerprint] = ['small.log', 'strace.log', 'strace.tfp'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  tell('replay: strace records a workload')
  recordStrace(strace, small, quick)
  repeatStrace(small, log, (quick ? 20 : 500) * 1e6)
  await learn(small, fingerprint, folder)
  const { bytes, report } = await sizeOf(log, fingerprint, folder, 2)
  const { recordCount } = report
  add(STRACE, bytes, recordCount, () => furtherCost(context, log, fingerprint))
  // Of x86-64 SSE2 is a part.
  const simd = { TRACEFP_SIMD: process.arch === 'x64' ? 'sse2' : 'portable' }
  add(STRACE_ANYWHERE, bytes, recordCount, () => furtherCost(context, log, fingerprint, simd))
  add(STRACE_COLD, bytes, recordCount, () => commandCost(context, log, fingerprint, 1))
  add('wc -l', bytes, 0, () => costOfCommand(['wc', '-l', log]))
  // Given /dev/null, grep would stop at the first match: its output goes through a pipe.
  add('grep -c execve', bytes, 0, () => costOfCommand(['sh', '-c', 'grep -c execve "$1" | cat', 'sh', log]))
  add(READLINE, bytes, recordCount, () => readLines(log))
  if (findProgram('b3') !== undefined) {
    // A published parser, b3-strace-parser: a thousand times as slow, so it is given the beginning.
    const beginning = join(folder, 'beginning.log')
    const text = readFileSync(log).subarray(0, PEER_BYTES)
    writeFileSync(beginning, text.subarray(0, text.lastIndexOf(10) + 1))
    add('b3-strace-parser', statSync(beginning).size, 0, () =>
      costOfCommand(['sh', '-c', 'b3 < "$1" | cat', 'sh', beginning]),
    )
  }
}

async function addNtTrace(
  { folder, quick }: PartContext,
  add: (name: string, bytes: number, records: number, work: () => Promise<Sample> | Sample) => void,
): Promise<void> {
  const [log, fingerprint] = [join(folder, 'nttrace.log'), join(folder, 'nttrace.tfp')]
  writeNtTrace(log, (quick ? 2 : 50) * 1e6)
  await learn(log, fingerprint, folder)
  const { bytes, report } = await sizeOf(log, fingerprint, folder, 2)
  add('NtTrace log', bytes, report.recordCount, () => checkCost(log, fingerprint, folder, 2))
}

async function learn(log: string, file: string, home: string): Promise<void> {
  const none = (): void => {}
  const given = { logs: [log], format: 'auto', mapping: null, file, name: null, scenario: 'default', home } as const
  await learnLogs({
    ...given,
    settings: {},
    onSession: none,
    onWritten: none,
    onFailure: (error) => {
      throw error
    },
  })
}

async function check(log: string, fingerprint: string, home: string, depth: number): Promise<Report | null> {
  let told: Report | null = null
  await checkLogs({
    logs: [log],
    format: 'auto',
    mapping: null,
    files: [fingerprint],
    home,
    depth,
    follow: null,
    onMiss: () => {},
    onResult: ({ report }) => {
      told = report
    },
    onFailure: (error) => {
      throw error
    },
  })
  return told
}

async function checkCost(log: string, fingerprint: string, home: string, depth: number): Promise<Sample> {
  const before = process.cpuUsage()
  const start = performance.now()
  await check(log, fingerprint, home, depth)
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - start }
}

async function sizeOf(
  log: string,
  fingerprint: string,
  home: string,
  depth: number,
): Promise<{ bytes: number; report: Report }> {
  const report = await check(log, fingerprint, home, depth)
  return { bytes: statSync(log).size, report: report as Report }
}

async function readLines(file: string): Promise<Sample> {
  const before = process.cpuUsage()
  const start = performance.now()
  const numbers = new Map<string, number>()
  const lines = readline.createInterface({ input: createReadStream(file, { encoding: 'latin1' }) })
  lines.on('line', (line) => {
    const match = /^(\d+) +(\d\d:\d\d:\d\d\.\d+) (\w+)\(/.exec(line)
    if (match !== null) numbers.set(match[3] as string, (numbers.get(match[3] as string) ?? 0) + Number(match[1]))
  })
  await new Promise((resolve) => lines.on('close', resolve))
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - start }
}

/** The rate that captures are held against. */
function walker(mix: Mix): () => unknown {
  const [program] = learnMix(mix, 2).programs.values()
  const table = TransitionTable.compile(program as NonNullable<typeof program>, MAPPING, 2)
  const symbols = mix.codes.map((code) => table.symbolOf(ABI, mix.numbers[code - OP.call] as number))
  const bytes = new Uint8Array(table.buffer)
  const { bench } = loadAddon()
  return () => bench.walkTable(bytes, symbols)
}

function hasAvx512(): boolean {
  return machineFacts([]).simd.includes('avx512bw')
}

function resultOf(
  inputs: ReadonlyMap<string, Replayed>,
  samples: Samples,
  rounds: number,
  skipped: readonly string[],
): PartResult {
  const rows = [...inputs.values()].map(({ name, bytes, records }) => {
    const [middle, best] = [median(cpuOf(samples, name)), least(cpuOf(samples, name))]
    const perSecond = (what: number, ms: number): string => (what === 0 ? '' : (what / ms / 1000).toFixed(1))
    const size = name.startsWith('C++') ? '' : (bytes / 1e6).toFixed(0)
    return [
      name,
      size,
      perSecond(size === '' ? 0 : bytes, middle),
      perSecond(records, middle),
      perSecond(records, best),
    ]
  })
  const ratios: Ratio[] = []
  const add = (id: string, over: string, under: string, what: string, target?: Ratio['target'], by = 'bytes'): void => {
    const [a, b] = [inputs.get(over), inputs.get(under)]
    if (a === undefined || b === undefined) return
    const unit = by as 'bytes' | 'records'
    const rate = (input: Replayed, figure: typeof median): number => input[unit] / figure(cpuOf(samples, input.name))
    const value = rate(a, median) / rate(b, median)
    ratios.push({
      id,
      what,
      value,
      least: rate(a, least) / rate(b, least),
      ...(target === undefined ? {} : { target }),
    })
  }
  const one = 'C++, bitset, one by one'
  add(
    'replay.capture',
    'capture, depth 2',
    one,
    'capture to report / C++ one by one, calls',
    { atLeast: 0.25 },
    'records',
  )
  add('replay.capture-6', 'capture, depth 6', one, 'the same at depth 6', undefined, 'records')
  add('replay.strace', STRACE, 'wc -l', 'strace log to report / wc -l, bytes', {
    atLeast: hasAvx512() ? 0.45 : 0.3,
  })
  add('replay.strace-portable', STRACE_ANYWHERE, 'wc -l', 'the same with what every machine has', {
    atLeast: 0.3,
  })
  add('replay.readline', STRACE, READLINE, 'strace log to report / readline, bytes', { atLeast: 8 })
  add('replay.strace-command', STRACE_COLD, 'wc -l', 'the whole command, start-up and all / wc -l', { atLeast: 0.3 })
  add('replay.readline-command', STRACE_COLD, READLINE, 'the whole command / readline', { atLeast: 8 })
  return {
    name: 'replay',
    title: REPLAY.title,
    what: `CPU time from opening the file to the report, start-up of Node apart; ${rounds} rounds in turns after one that was dropped. Logs of strace
are read by \`tracefp check\`: the whole command with its start, and what a further log costs one that has read ${FORMER_LOGS} before.`,
    tables: [{ caption: '', columns: ['', 'MB', 'MB/s', 'million calls/s, median', 'best'], rows }],
    ratios,
    charts: [
      {
        name: 'replay',
        title: 'From a file to a report',
        unit: 'MB a second of CPU',
        isLogarithmic: true,
        bars: [...inputs.values()]
          .filter(({ name }) => name !== one)
          .map(({ name, bytes }) => ({ label: name, value: bytes / least(cpuOf(samples, name)) / 1000 })),
      },
    ],
    skipped,
    samples,
  }
}
