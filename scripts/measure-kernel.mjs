// What engine ebpf costs: CPU time of a call that does nothing (getppid), in ns, the least of 20 loops each, in turns with the
// bare program, with programs that do nothing at the same tracepoints (`null task`: that ask which task it is), with other engines
// and with strace on one CPU.
//
//   node scripts/measure-kernel.mjs [--rounds 5] [--only bare,null,judged] [--json]

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'tracefp-kernel-'))
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const environment = { ...process.env, TRACEFP_HOME: join(folder, 'home') }
const tracefp = [process.execPath, here('../lib/tracefp.cjs')]
const fingerprint = join(folder, 'loop.tfp')

function compile(name) {
  const file = join(folder, name)
  run(['cc', '-O1', '-o', file, here(`measure/${name}.c`)])
  return file
}

function run([command, ...args]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: environment })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status}: ${stderr}`)
  return stdout
}

const loop = compile('loop')
const nulls = compile('null_program')
run([...tracefp, 'learn', '--engine', 'notify', '--runs', '1', '-o', fingerprint, '--', loop])
const check = (engine) => [...tracefp, 'run', '--no-store', '-q', '-f', fingerprint, '--engine', engine, '--', loop]

/** A process that somebody follows, beside one that is not. */
async function unwatched() {
  const watch = [...tracefp, 'run', '--no-store', '-q', '-f', fingerprint, '--engine', 'ebpf', '--', 'sleep', '60']
  const watcher = spawn(watch[0], watch.slice(1), { env: environment, stdio: 'ignore' })
  await sleep(1500)
  const taken = Number(run([loop]))
  watcher.kill('SIGTERM')
  await new Promise((resolve) => watcher.once('exit', resolve))
  return taken
}

const WAYS = {
  bare: () => Number(run([loop])),
  null: () => Number(run([nulls, 'sys_enter', loop])),
  'null task': () => Number(run([nulls, 'sys_enter:task', loop])),
  'null both': () => Number(run([nulls, 'sys_enter,sys_exit', loop])),
  judged: () => Number(run(check('ebpf'))),
  told: () => Number(run([...tracefp, 'record', '--engine', 'ebpf', '-o', join(folder, 'c.tfc'), '--', loop])),
  unwatched,
  notify: () => Number(run(check('notify'))),
}
const wanted = values.only?.split(',') ?? Object.keys(WAYS)
const taken = Object.fromEntries(wanted.map((way) => [way, []]))
for (let round = 0; round < Number(values.rounds); round++) {
  for (const way of wanted) taken[way].push(await WAYS[way]())
}
const result = Object.fromEntries(
  Object.entries(taken).map(([way, all]) => {
    const sorted = all.toSorted((a, b) => a - b)
    return [way, { median: sorted[sorted.length >> 1], least: sorted[0] }]
  }),
)
if (values.json) console.log(JSON.stringify(result))
else {
  const added = (way, of) => result[way][of] - result.bare[of]
  for (const [way, { median, least }] of Object.entries(result)) {
    const more =
      result.bare === undefined || way === 'bare'
        ? ''
        : `  added ${added(way, 'median').toFixed(0)} (${added(way, 'least').toFixed(0)})` +
          (result.null === undefined
            ? ''
            : `  of null's ${(added(way, 'median') / added('null', 'median')).toFixed(2)}`)
    console.log(
      `${way.padEnd(10)} median ${median.toFixed(0).padStart(6)}  least ${least.toFixed(0).padStart(6)}${more}`,
    )
  }
}
