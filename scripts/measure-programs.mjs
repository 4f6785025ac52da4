// What watching real programs costs, in CPU time: added by each engine of tracefp and by `strace -f`, as a part of what
// `strace -f` on one CPU adds. Added is total minus bare, start-up (the same command on `true`) apart. Interleaved; on a
// noisy machine only the ratios of one run mean anything.
//
//   node scripts/measure-programs.mjs [--rounds 5] [--only NAME] [--json]

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tracefp-cost-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const environment = { ...process.env, TRACEFP_HOME: join(folder, 'home'), LC_ALL: 'C' }

function compile(source) {
  const file = join(folder, source.replace('.c', ''))
  const { status, stderr } = spawnSync('cc', ['-O1', '-o', file, here(`measure/${source}`)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return file
}

const rusage = compile('rusage.c')
const getppid = compile('calls.c')
const tracefp = [process.execPath, here('../lib/tracefp.cjs')]

const sh = (script) => ['sh', '-c', script]
mkdirSync(join(folder, 'tree'))
for (let i = 0; i < 800; i++) {
  const place = join(folder, 'tree', `${i % 40}`)
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, `${i}.txt`), `line ${i}\n`.repeat(50))
}
const make = join(folder, 'make')
mkdirSync(make)
const units = Array.from({ length: 7 }, (_, i) => `u${i}`)
for (const unit of units)
  writeFileSync(join(make, `${unit}.c`), `#include <stdio.h>\nint ${unit}(void) { return puts("x"); }\n`)
writeFileSync(
  join(make, 'Makefile'),
  `all: ${units.map((unit) => `${unit}.o`).join(' ')}\n%.o: %.c\n\t$(CC) -O1 -c $< -o $@\nclean:\n\trm -f *.o\n`,
)
const readAll = `for (const f of require('fs').readdirSync('.', { recursive: true })) try { require('fs').readFileSync(f) } catch {}`
spawnSync(
  'sh',
  [
    '-c',
    'git init -q . && git add . && for i in $(seq 150); do echo $i >> log; git add log; git -c user.name=a -c user.email=a@b commit -qm $i; done',
  ],
  { cwd: join(folder, 'tree'), env: environment },
)

/** name -> command, where it runs, and what is done before each run. */
const programs = {
  getppid: { command: [getppid, '100000'] },
  dd: { command: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=20000'] },
  find: { command: ['find', '/usr/share', '-name', 'nothing*'] },
  'git log': { command: ['git', 'log', '--stat'], cwd: join(folder, 'tree') },
  tar: { command: sh('tar cf - /usr/include/linux /usr/include/c++ | cat > /dev/null') },
  make: { command: sh('make -s clean; make -s -j2'), cwd: make },
  sqlite: {
    command: sh(
      `rm -f db; { echo 'create table t(a);'; for i in $(seq 300); do echo "insert into t values($i);"; done; } | sqlite3 db`,
    ),
    cwd: folder,
  },
  node: { command: [process.execPath, '-e', readAll], cwd: join(folder, 'tree') },
}
const run = (...options) => [...tracefp, 'run', '-q', ...options, '--']
const watchers = {
  bare: [],
  'strace -f, one CPU': ['taskset', '-c', '0', 'strace', '-f', '-o', '/dev/null'],
  notify: run('--engine', 'notify'),
  'notify, one CPU': run('--engine', 'notify', '--pin', 'always'),
  trace: run('--engine', 'trace'),
  'strace -f': ['strace', '-f', '-o', '/dev/null'],
}
/** Costs ten times as much where two CPUs are idle: once is enough. */
const ONCE = 'strace -f'

function cpuOf(command, cwd) {
  const { stdout } = spawnSync(rusage, command, { encoding: 'utf8', env: environment, cwd: cwd ?? folder })
  return Number(stdout.split(' ')[0]) / 1000
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
const minimum = (list) => Math.min(...list)
const wanted = Object.entries(programs).filter(([name]) => values.only === undefined || name === values.only)
const costs = new Map()
const keep = (name, watcher, cpu) => {
  const key = `${name}\0${watcher}`
  costs.set(key, [...(costs.get(key) ?? []), cpu])
}

// Known programs: what is done about misses would cost, too.
spawnSync(tracefp[0], [tracefp[1], 'learn', '--runs', '1', '--', 'true'], { env: environment })
for (const [, { command, cwd }] of wanted) {
  spawnSync(tracefp[0], [tracefp[1], 'learn', '--runs', '12', '--', ...command], {
    env: environment,
    cwd: cwd ?? folder,
    stdio: 'ignore',
  })
}
for (let round = 0; round <= rounds; round++) {
  for (const [name, { command, cwd }] of [['true', { command: ['true'] }], ...wanted]) {
    for (const [watcher, prefix] of Object.entries(watchers)) {
      if (watcher === ONCE && round !== 1) continue
      const cpu = cpuOf([...prefix, ...command], cwd)
      if (round > 0) keep(name, watcher, cpu)
    }
  }
  process.stderr.write(`round ${round} of ${rounds}\n`)
}

const added = (name, watcher, figure) => {
  const of = (what, by) => figure(costs.get(`${what}\0${by}`))
  return of(name, watcher) - of(name, 'bare') - (of('true', watcher) - of('true', 'bare'))
}
const table = wanted.map(([name]) => {
  const row = { name, bare: median(costs.get(`${name}\0bare`)) }
  for (const watcher of Object.keys(watchers).slice(2)) {
    const figure = watcher === ONCE ? minimum : median
    row[watcher] = added(name, watcher, figure) / added(name, 'strace -f, one CPU', figure)
    row[`${watcher}, least`] = added(name, watcher, minimum) / added(name, 'strace -f, one CPU', minimum)
  }
  return row
})
const geometric = (list) => Math.exp(list.reduce((sum, each) => sum + Math.log(Math.max(each, 0.01)), 0) / list.length)
const real = table.filter(({ name }) => name !== 'getppid')
const means = Object.fromEntries(
  Object.keys(watchers)
    .slice(2)
    .flatMap((watcher) => [watcher, `${watcher}, least`])
    .map((key) => [key, geometric(real.map((row) => row[key]))]),
)
if (values.json) {
  console.log(JSON.stringify({ rounds, table, means }, null, 2))
} else {
  const names = Object.keys(watchers).slice(2)
  const line = (name, bare, row) =>
    console.log(
      `| ${name} | ${bare} | ${names.map((each) => `${row[each].toFixed(2)} (${row[`${each}, least`].toFixed(2)})`).join(' | ')} |`,
    )
  console.log(`| added CPU, part of strace -f on one CPU: median (least) | bare, ms | ${names.join(' | ')} |`)
  console.log(`|---|---:|${names.map(() => '---:|').join('')}`)
  for (const row of table) line(row.name, row.bare.toFixed(0), row)
  if (real.length > 1) line('geometric mean, without getppid', '', means)
}
