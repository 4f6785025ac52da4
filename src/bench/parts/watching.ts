// What watching costs: CPU time added (total minus bare, start-up apart; added.ts) by each engine of tracefp, and by what people would
// use instead, to programs that make many calls and programs that make few.

import { join } from 'node:path'
import { addedCpu, BARE, leastShare, NOTHING, nameOf, shareOf } from '../added.ts'
import { type Contender, costOfCommand, geometricMean, inTurns, median, type Samples, wallOf } from '../measure.ts'
import type { Part, PartContext } from '../part.ts'
import { findProgram } from '../peers.ts'
import { compileC, costOfWorkload, findWorkloads, type Workload } from '../programs.ts'
import type { Chart, PartResult, Ratio, Table } from '../result.ts'

export const WATCHING: Part = { name: 'watching', title: 'Watching', run }

interface Watcher {
  readonly name: string
  readonly prefix: readonly string[]
  /** Dear, and nothing is held against it: once is enough. */
  readonly isOnce?: boolean
  /** For a program of one thread that starts no others. */
  readonly isLeast?: boolean
}

const PEER = 'strace -f, one CPU'
const CALLS = 'getppid'
const CALIBRATION: Workload = { name: NOTHING, command: ['true'], cwd: '/' }

async function run(context: PartContext): Promise<PartResult> {
  const { quick, folder, tracefp, tell } = context
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'home'), LC_ALL: 'C' }
  const { found: workloads, skipped } = findWorkloads(context)
  const { watchers, missing } = findWatchers(context, env)
  tell('watching: programs are learned')
  for (const { command, cwd, client } of [CALIBRATION, ...workloads]) {
    // A server is learned from one session of its client.
    if (client !== undefined)
      await costOfWorkload([...tracefp, 'learn', '--runs', '1', '--'], { name: '', command, cwd, client }, env)
    else costOfCommand([...tracefp, 'learn', '--runs', quick ? '2' : '12', '--', ...command], { env, cwd })
  }
  const contenders = [CALIBRATION, ...workloads].flatMap((workload) =>
    [{ name: BARE, prefix: [] }, ...watchers]
      .filter(({ isLeast }: Watcher) => isLeast !== true || [NOTHING, CALLS].includes(workload.name))
      .map(
        ({ name, prefix, isOnce }: Watcher): Contender => ({
          name: nameOf(workload.name, name),
          isOnce: isOnce === true,
          run: () => costOfWorkload(prefix, workload, env),
        }),
      ),
  )
  const rounds = quick ? { warmUp: 0, kept: 3 } : { warmUp: 1, kept: 9 }
  const samples = await inTurns(contenders, rounds, (round, of) => tell(`watching: round ${round} of ${of}`))
  return resultOf(workloads, watchers, samples, [...skipped, ...missing], rounds.kept)
}

function findWatchers(
  { quick, tracefp, folder, sources }: PartContext,
  env: NodeJS.ProcessEnv,
): { watchers: Watcher[]; missing: string[] } {
  const watchers: Watcher[] = []
  const missing: string[] = []
  const tryOut = (watcher: Watcher, why: string): void => {
    try {
      costOfCommand([...watcher.prefix, 'true'], { env })
      watchers.push(watcher)
    } catch {
      missing.push(`${watcher.name}: ${why}`)
    }
  }
  for (const engine of ['notify', 'trace', 'ebpf']) {
    const prefix = [...tracefp, 'run', '-q', '--engine', engine, '--']
    const why = engine === 'ebpf' ? 'needs root, Linux 5.17 with BTF' : 'does not work here: tracefp doctor'
    try {
      costOfCommand([...tracefp, 'learn', '--runs', '1', '--', 'true'], { env })
    } catch {}
    tryOut({ name: engine, prefix }, why)
  }
  const least = compileC(join(sources, 'least.c'), join(folder, 'least'))
  if (least === undefined) missing.push('the least of notify and trace: no C compiler (cc) on this machine')
  else
    for (const engine of ['notify', 'trace'])
      tryOut({ name: leastOf(engine), prefix: [least, engine], isLeast: true }, 'does not work here')
  const strace = findProgram('strace')
  if (strace === undefined) missing.push('strace: not on this machine')
  else {
    const log = ['-o', '/dev/null']
    if (findProgram('taskset') === undefined) missing.push('strace on one CPU: no taskset on this machine')
    else watchers.push({ name: PEER, prefix: ['taskset', '-c', '0', strace, '-f', ...log] })
    if (!quick) {
      watchers.push({
        name: 'strace -c -f, one CPU',
        prefix: ['taskset', '-c', '0', strace, '-c', '-f', ...log],
        isOnce: true,
      })
      watchers.push({ name: 'strace -f', prefix: [strace, '-f', ...log], isOnce: true })
    }
  }
  const perf = findProgram('perf')
  if (perf === undefined) missing.push('perf trace: not on this machine')
  else if (!quick) {
    tryOut(
      { name: 'perf trace', prefix: [perf, 'trace', '-o', '/dev/null', '--'], isOnce: true },
      'does not work on this kernel, or needs root',
    )
  }
  const bpftrace = findProgram('bpftrace')
  if (bpftrace === undefined) missing.push('bpftrace: not on this machine')
  else if (!quick) {
    const script = join(folder, 'bpftrace.sh')
    const program = 'tracepoint:raw_syscalls:sys_enter { @[args->id] = count() }'
    tryOut(
      { name: 'bpftrace', prefix: ['sh', '-c', `exec ${bpftrace} -q -o /dev/null -e '${program}' -c "$*"`, script] },
      'does not work on this kernel',
    )
  }
  return { watchers, missing }
}

/** native/bench/least.c. */
function leastOf(engine: string): string {
  return `${engine}, the least`
}

function resultOf(
  workloads: readonly Workload[],
  watchers: readonly Watcher[],
  samples: Samples,
  skipped: readonly string[],
  rounds: number,
): PartResult {
  const hasPeer = watchers.some(({ name }) => name === PEER)
  const real = workloads.map(({ name }) => name).filter((name) => name !== CALLS)
  const own = watchers.filter(({ name, isLeast }) => name !== PEER && isLeast !== true)
  const tables: Table[] = []
  const ratios: Ratio[] = []
  const charts: Chart[] = []
  if (hasPeer) {
    const rows = own.map(({ name }) => [
      name,
      ...workloads.map((workload) => shareOf(samples, workload.name, name, PEER).toFixed(2)),
      geometricMean(real.map((workload) => shareOf(samples, workload, name, PEER))).toFixed(2),
    ])
    const columns = ['', ...workloads.map(({ name }) => name), 'mean without getppid']
    tables.push({ caption: `Added CPU, as a part of what ${PEER} adds`, columns, rows })
    for (const [engine, onCalls, onReal] of [
      ['notify', 0.3, 0.4],
      ['trace', 0.44, 0.5],
    ] as const) {
      if (!own.some(({ name }) => name === engine)) continue
      const push = (id: string, what: string, workloadNames: readonly string[], atMost: number): void => {
        const mean = (share: typeof shareOf): number =>
          geometricMean(workloadNames.map((workload) => share(samples, workload, engine, PEER)))
        if (workloadNames.length === 0) return
        ratios.push({
          id: `watching.${engine}-${id}`,
          what,
          value: mean(shareOf),
          least: mean(leastShare),
          target: { atMost },
        })
      }
      const calls = workloads.filter(({ name }) => name === CALLS).map(({ name }) => name)
      push('getppid', `${engine}, CPU added to getppid / that of ${PEER}`, calls, onCalls)
      push('real', `${engine}, the same, geometric mean of the others`, real, onReal)
      if (calls.length === 0 || !watchers.some(({ name }) => name === leastOf(engine))) continue
      const least = (share: typeof shareOf, other: string, than: string): number => share(samples, CALLS, other, than)
      ratios.push({
        id: `watching.${engine}-least`,
        what: `the least that ${engine} can cost, CPU added to getppid / that of ${PEER}`,
        value: least(shareOf, leastOf(engine), PEER),
        least: least(leastShare, leastOf(engine), PEER),
      })
      ratios.push({
        id: `watching.${engine}-over-least`,
        what: `${engine}, CPU added to getppid / the least that it can cost`,
        value: least(shareOf, engine, leastOf(engine)),
        least: least(leastShare, engine, leastOf(engine)),
      })
    }
  }
  const wall = (workload: Workload, watcher: string): number => median(wallOf(samples, nameOf(workload.name, watcher)))
  const slow = [BARE, ...watchers.filter(({ isLeast }) => isLeast !== true).map(({ name }) => name)].map((name) => [
    name,
    ...workloads.map((workload) =>
      name === BARE
        ? `${wall(workload, name).toFixed(0)} ms`
        : `${(wall(workload, name) / wall(workload, BARE)).toFixed(1)} x`,
    ),
  ])
  tables.push({
    caption: 'Wall time, start-up and all',
    columns: ['', ...workloads.map(({ name }) => name)],
    rows: slow,
  })
  if (workloads.some(({ name }) => name === CALLS)) {
    const calls = Number(workloads.find(({ name }) => name === CALLS)?.command.at(-1))
    const bars = [...own, ...watchers.filter(({ name, isLeast }) => name === PEER || isLeast === true)].map(
      ({ name }) => ({
        label: name,
        value: Math.max((median(addedCpu(samples, CALLS, name)) * 1e6) / calls, 1),
      }),
    )
    charts.push({ name: 'watching', title: 'CPU added to a call', unit: 'ns', isLogarithmic: true, bars })
    const rows = bars.map(({ label, value }) => [label, value.toFixed(0)])
    tables.push({ caption: 'CPU added to a call of getppid, ns', columns: ['', 'ns'], rows })
  }
  const what =
    `CPU time of the program and of what watches it, ${rounds} rounds in turns; what the same adds to \`true\` is taken off as start-up, ` +
    'and a ratio is the median of those of each round. ' +
    `Programs are known, and sessions are kept in the store. \`${PEER}\`: strace and its program are held on one CPU, which is best for it. ` +
    'strace -f, strace -c and perf trace, which drops what it cannot follow, were measured once. ' +
    '"The least" is told of every call and does nothing with it: a hundred lines of C (native/bench/least.c), what the kernel takes.'
  return { name: 'watching', title: WATCHING.title, what, tables, ratios, charts, skipped, samples }
}
