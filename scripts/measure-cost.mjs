// What watching costs: CPU added per call (total minus bare, start-up apart) by each engine of tracefp and by `strace -f`,
// tracer and tracee of strace on one CPU; and the start-up of `tracefp run -- true` against `node -e 0`. Interleaved, medians
// and minima: on a noisy machine only the ratios of one run mean anything.
//
//   node scripts/measure-cost.mjs [--rounds 7] [--calls 100000] [--json]

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    calls: { type: 'string', default: '100000' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const calls = Number(values.calls)
const folder = mkdtempSync(join(tmpdir(), 'tracefp-cost-'))
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

function compile(source) {
  const file = join(folder, source.replace('.c', ''))
  const { status, stderr } = spawnSync('cc', ['-O1', '-o', file, here(`measure/${source}`)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return file
}

const rusage = compile('rusage.c')
const program = compile('calls.c')
const tracefp = [process.execPath, here('../lib/tracefp.cjs')]
const environment = { ...process.env, TRACEFP_HOME: join(folder, 'home') }

function cost(command) {
  const { stdout } = spawnSync(rusage, command, { encoding: 'utf8', env: environment })
  const [cpu, wall] = stdout.trim().split(' ').map(Number)
  return { cpu, wall }
}

const watchers = {
  bare: [],
  notify: [...tracefp, 'run', '-q', '--engine', 'notify', '--'],
  trace: [...tracefp, 'run', '-q', '--engine', 'trace', '--'],
  'trace --pin never': [...tracefp, 'run', '-q', '--engine', 'trace', '--pin', 'never', '--'],
  'strace -f, one CPU': ['taskset', '-c', '0', 'strace', '-f', '-o', '/dev/null'],
}
const startUps = {
  'node -e 0': [process.execPath, '-e', '0'],
  'tracefp run -- true': [...tracefp, 'run', '-q', '--', 'true'],
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
const minimum = (list) => Math.min(...list)
const collected = new Map()
const keep = (name, value) => collected.set(name, [...(collected.get(name) ?? []), value])

// The program is known: its misses would cost too.
spawnSync(tracefp[0], [tracefp[1], 'learn', '--runs', '1', '--', program, '2'], { env: environment })
spawnSync(tracefp[0], [tracefp[1], 'learn', '--runs', '1', '--', 'true'], { env: environment })
for (let round = 0; round <= rounds; round++) {
  for (const [name, prefix] of Object.entries(watchers)) {
    const none = cost([...prefix, program, '0'])
    const many = cost([...prefix, program, String(calls)])
    if (round > 0) keep(`cpu ${name}`, ((many.cpu - none.cpu) / calls) * 1000)
    if (round > 0) keep(`wall ${name}`, ((many.wall - none.wall) / calls) * 1000)
  }
  for (const [name, command] of Object.entries(startUps)) {
    for (let i = 0; i < 3; i++) {
      const { cpu, wall } = cost(command)
      if (round > 0) keep(`start cpu ${name}`, cpu / 1000)
      if (round > 0) keep(`start wall ${name}`, wall / 1000)
    }
  }
}

const rows = [...collected].map(([name, list]) => ({ name, median: median(list), minimum: minimum(list) }))
const row = (name) => rows.find((each) => each.name === name)
const added = (name, figure) => row(`cpu ${name}`)[figure] - row('cpu bare')[figure]
const ratios = {}
for (const figure of ['median', 'minimum']) {
  for (const engine of ['notify', 'trace']) {
    ratios[`added CPU, ${engine} / strace, ${figure}`] = added(engine, figure) / added('strace -f, one CPU', figure)
  }
  ratios[`start-up wall, tracefp / node, ${figure}`] =
    row('start wall tracefp run -- true')[figure] / row('start wall node -e 0')[figure]
}
if (values.json) {
  console.log(JSON.stringify({ calls, rounds, rows, ratios }, null, 2))
} else {
  console.log(`${calls} calls, ${rounds} rounds; ns per call, start-up in ms`)
  for (const { name, median: m, minimum: least } of rows) {
    console.log(`${name.padEnd(34)} median ${m.toFixed(1).padStart(9)}   minimum ${least.toFixed(1).padStart(9)}`)
  }
  for (const [name, ratio] of Object.entries(ratios)) console.log(`${name.padEnd(46)} ${ratio.toFixed(2)}`)
}
