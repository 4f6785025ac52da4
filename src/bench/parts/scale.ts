// Whether the price of a record stays the same: with processes, threads, fingerprints and records; and what the start of
// `tracefp run -- true` is made of.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeFingerprint } from '../../model/codec-fingerprint.ts'
import { costOfChild } from '../child.ts'
import { writeCapture } from '../inputs.ts'
import { type Contender, costOfCommand, cpuOf, inTurns, least, median, type Samples, wallOf } from '../measure.ts'
import { learnMix, markov } from '../mixes.ts'
import type { Part, PartContext } from '../part.ts'
import { compileC } from '../programs.ts'
import type { PartResult, Ratio, Table } from '../result.ts'

export const SCALE: Part = { name: 'scale', title: 'Scale', run }

async function run(context: PartContext): Promise<PartResult> {
  const parts = [await startUp(context), await crowds(context), await fingerprints(context), await lengths(context)]
  const merged: Samples = Object.assign({}, ...parts.map(({ samples }) => samples ?? {}))
  return {
    name: 'scale',
    title: SCALE.title,
    what: 'CPU and wall time in turns, medians; memory is the most that the process had.',
    tables: parts.flatMap(({ tables }) => tables),
    ratios: parts.flatMap(({ ratios }) => ratios),
    charts: [],
    skipped: parts.flatMap(({ skipped }) => skipped ?? []),
    samples: merged,
  }
}

interface Piece {
  readonly tables: readonly Table[]
  readonly ratios: readonly Ratio[]
  readonly skipped?: readonly string[]
  readonly samples?: Samples
}

/** Each row has what the one before it has, and a part more. */
async function startUp({ quick, folder, tracefp, tell }: PartContext): Promise<Piece> {
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'start-home') }
  const node = process.execPath
  costOfCommand([...tracefp, 'learn', '--runs', '1', '--', 'true'], { env })
  const rows: readonly [name: string, command: readonly string[]][] = [
    ['true', ['true']],
    ['node -e 0', [node, '-e', '0']],
    ['node, and a worker thread', [node, '-e', "new (require('worker_threads').Worker)('0', { eval: true })"]],
    ['tracefp --version: the bundle, the command line', [...tracefp, '--version']],
    ['tracefp run --no-store: addon, worker, launch, check', [...tracefp, 'run', '-q', '--no-store', '--', 'true']],
    ['tracefp run: and the session is kept', [...tracefp, 'run', '-q', '--', 'true']],
  ]
  const contenders = rows.map(([name, command]): Contender => ({ name, run: () => costOfCommand(command, { env }) }))
  const rounds = { warmUp: 2, kept: quick ? 7 : 31 }
  tell('scale: start-up')
  const samples = await inTurns(contenders, rounds)
  const table: Table = {
    caption: 'Start of `tracefp run -- true`, ms',
    columns: ['', 'wall, median', 'least', 'CPU, median'],
    rows: rows.map(([name]) => [
      name,
      median(wallOf(samples, name)).toFixed(1),
      least(wallOf(samples, name)).toFixed(1),
      median(cpuOf(samples, name)).toFixed(1),
    ]),
  }
  const [whole, idle] = [rows.at(-1)?.[0] as string, 'node -e 0']
  const value = median(wallOf(samples, whole)) / median(wallOf(samples, idle))
  const ratio: Ratio = {
    id: 'scale.start',
    what: 'start of run -- true / node -e 0, wall',
    value,
    least: least(wallOf(samples, whole)) / least(wallOf(samples, idle)),
    target: { atMost: 2 },
  }
  return { tables: [table], ratios: [ratio], samples }
}

/** The same calls by more processes, or by more threads. */
async function crowds({ quick, folder, tracefp, sources, tell }: PartContext): Promise<Piece> {
  const calls = compileC(join(sources, 'calls.c'), join(folder, 'crowd'))
  if (calls === undefined)
    return { tables: [], ratios: [], skipped: ['processes and threads: no C compiler (cc) on this machine'] }
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'crowd-home') }
  const count = quick ? 10_000 : 200_000
  const shapes: readonly (readonly [processes: number, threads: number])[] = quick
    ? [
        [1, 1],
        [100, 1],
        [1, 64],
      ]
    : [
        [1, 1],
        [10, 1],
        [100, 1],
        [1000, 1],
        [1, 4],
        [1, 16],
        [1, 64],
        [1, 256],
      ]
  for (const shape of [
    ['0', '1', '1'],
    ['9', '1', '1'],
    ['9', '3', '1'],
    ['9', '1', '3'],
  ]) {
    costOfCommand([...tracefp, 'learn', '--runs', '2', '--', calls, ...shape], { env })
  }
  const contenders = shapes.flatMap(([processes, threads]) =>
    [0, count].map((made): Contender => {
      const command = [calls, String(made), String(processes), String(threads)]
      return {
        name: `${processes} x ${threads}: ${made}`,
        // Of many threads some may do what few never did: a handful of misses is no matter here.
        run: () => costOfCommand([...tracefp, 'run', '-q', '--no-store', '--', ...command], { env }, [0, 100]),
      }
    }),
  )
  tell('scale: processes and threads')
  const samples = await inTurns(contenders, quick ? { warmUp: 0, kept: 2 } : { warmUp: 1, kept: 5 })
  const perCall = ([processes, threads]: readonly [number, number], figure: typeof median): number => {
    const of = (made: number): number => figure(cpuOf(samples, `${processes} x ${threads}: ${made}`))
    return ((of(count) - of(0)) * 1000) / count
  }
  const first = shapes[0] as readonly [number, number]
  const rows = shapes.map((shape) => [
    `${shape[0]} x ${shape[1]}`,
    perCall(shape, median).toFixed(2),
    (perCall(shape, median) / perCall(first, median)).toFixed(2),
  ])
  const biggest = (of: 0 | 1): readonly [number, number] =>
    [...shapes].sort((a, b) => b[of] - a[of])[0] as [number, number]
  const ratios = ([0, 1] as const).map((of): Ratio => {
    const shape = biggest(of)
    const value = perCall(shape, median) / perCall(first, median)
    const what = `CPU per call, ${shape[0]} processes x ${shape[1]} threads / one`
    return {
      id: `scale.${of === 0 ? 'processes' : 'threads'}`,
      what,
      value,
      least: perCall(shape, least) / perCall(first, least),
    }
  })
  const columns = ['processes x threads', 'us of CPU', 'to one']
  return { tables: [{ caption: 'A call that is watched (engine auto)', columns, rows }], ratios, samples }
}

/** A store that holds many: those of others are not to be read. */
async function fingerprints({ quick, folder, tracefp, tell }: PartContext): Promise<Piece> {
  const counts = quick ? [1, 100] : [1, 10, 100, 1000]
  const contenders: Contender[] = []
  tell('scale: fingerprints')
  for (const count of counts) {
    const home = join(folder, `prints-${count}`)
    const env = { ...process.env, TRACEFP_HOME: home }
    costOfCommand([...tracefp, 'learn', '--runs', '1', '--', 'true'], { env })
    const place = join(home, 'fingerprints')
    mkdirSync(place, { recursive: true })
    const text = encodeFingerprint(learnMix(markov(2 ** 17), 6))
    for (let i = 1; i < count; i += 1) writeFileSync(join(place, `other-${i}.tfp`), text)
    contenders.push({ name: `${count}`, run: () => costOfCommand([...tracefp, 'run', '-q', '--', 'true'], { env }) })
  }
  const samples = await inTurns(contenders, quick ? { warmUp: 1, kept: 3 } : { warmUp: 1, kept: 9 })
  const wall = (count: number, figure: typeof median): number => figure(wallOf(samples, `${count}`))
  const rows = counts.map((count) => [
    `${count}`,
    wall(count, median).toFixed(0),
    (wall(count, median) / wall(1, median)).toFixed(2),
  ])
  const most = counts.at(-1) as number
  const ratio: Ratio = {
    id: 'scale.fingerprints',
    what: `start with ${most} fingerprints in the store / with one, wall`,
    value: wall(most, median) / wall(1, median),
    least: wall(most, least) / wall(1, least),
  }
  const columns = ['fingerprints', 'ms of wall', 'to one']
  return { tables: [{ caption: '`tracefp run -- true` with a store of', columns, rows }], ratios: [ratio], samples }
}

/** Captures of any length: the time of a record, and the memory. */
async function lengths({ quick, folder, tracefp, tell }: PartContext): Promise<Piece> {
  const mix = markov(2 ** 21)
  const fingerprint = join(folder, 'length.tfp')
  writeFileSync(fingerprint, encodeFingerprint(learnMix(mix, 2)))
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'length-home') }
  const rows: string[][] = []
  const peaks: number[] = []
  let idle = 0
  for (const count of quick ? [1e3, 1e5, 1e7] : [1e3, 1e4, 1e5, 1e6, 1e7, 1e8]) {
    tell(`scale: ${count} records`)
    const [file, report] = [join(folder, 'length.tfc'), join(folder, 'length.json')]
    writeCapture(file, mix, count)
    const command = [...tracefp, 'check', '-q', '--no-store', '-f', fingerprint, '--report', report, file]
    const { cpuMs, peakMb } = await costOfChild(command, env, [0, 1])
    if (idle === 0) idle = cpuMs
    const { recordCount } = JSON.parse(readFileSync(report, 'utf8')) as { recordCount: number }
    const perRecord = count < 1e6 ? '' : (((cpuMs - idle) * 1e6) / recordCount).toFixed(2)
    rows.push([recordCount.toLocaleString('en'), cpuMs.toFixed(0), perRecord, peakMb.toFixed(0)])
    peaks.push(peakMb)
  }
  const value = (peaks.at(-1) as number) / (peaks[0] as number)
  const ratios: Ratio[] = [
    { id: 'scale.memory', what: 'memory of the longest replay / of the shortest', value },
    {
      id: 'scale.memory-mb',
      what: 'memory of the longest replay, MB',
      value: peaks.at(-1) as number,
      target: { atMost: 200 },
    },
  ]
  const columns = ['records', 'ms of CPU, start-up and all', 'ns a record', 'peak MB']
  return { tables: [{ caption: 'A capture that is checked', columns, rows }], ratios }
}
