// How fast logs of strace are checked: `wc -l`, `grep -c`, `tracefp check`, tracefp's reader alone without its scanner, readline with a
// regular expression, and a published parser (b3-strace-parser, where its program `b3` is installed), in turns on one log of
// `strace -f -tt`. The log is made of a real one, which strace records here, told again and again with other pids; it is checked
// against what is learned from that one. All stands in a folder of its own, which is removed. Prints a Markdown table.
//
//   node scripts/bench-log.mjs [--mb 500] [--rounds 5] [--log SMALL.log] [--folder /dev/shm] [--peer 'NAME: COMMAND'] ...
//
// The log is the standard input of COMMAND, and of b3: its first --peer-mb (2) MB, since they take some hundred times as long.
// Needs lib/ (npm run build). All columns count the start of Node, too.

import { spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isOnPath } from './toolchain.mjs'

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    log: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
    peer: { type: 'string', multiple: true, default: [] },
    'peer-mb': { type: 'string', default: '2' },
  },
})
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const folder = mkdtempSync(path.join(values.folder, 'tracefp-bench-log-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

// What strace records: programs of many calls, of threads that alternate, of children, of signals.
const WORKLOAD = `
find /usr/share -name no-such-file
i=0; while [ $i -lt 40 ]; do (cd /; true); ls / > /dev/null; i=$((i+1)); done
tar cf - /usr/include | gzip -1 > /dev/null
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

const rusage = path.join(folder, 'rusage')
const compiled = spawnSync('cc', ['-O1', '-o', rusage, here('measure/rusage.c')], { encoding: 'utf8' })
if (compiled.status !== 0) throw new Error(compiled.stderr)

const log = path.join(folder, 'strace.log')
const small = values.log ?? record()
const size = makeLog(small, Number(values.mb) * 1e6)
const known = path.join(folder, 'known.tfp')
const tracefp = [process.execPath, here('../lib/tracefp.cjs')]
const learning = spawnSync(tracefp[0], [tracefp[1], 'learn', '-o', known, '--from', small], { encoding: 'utf8' })
if (learning.status !== 0) throw new Error(learning.stderr)
// Given /dev/null, grep stops at the first match; so its output goes through a pipe.
const shell = (command, file = log) => ['sh', '-c', command, 'sh', file]
const beginning = path.join(folder, 'beginning.log')
writeFileSync(beginning, firstLines(Number(values['peer-mb']) * 1e6))
const peers = [...values.peer]
if (isOnPath('b3')) peers.push('b3-strace-parser: b3')
else console.error('skipped: b3-strace-parser, which is not installed (npm install -g b3-strace-parser)')
const rows = [
  { name: 'wc -l', run: () => program(['wc', '-l', log]) },
  { name: 'grep -c execve', run: () => program(shell('grep -c execve "$1" | cat')) },
  { name: 'tracefp check', run: () => program([...tracefp, 'check', '--no-store', '-f', known, log]) },
  { name: 'its reader without scanner', run: () => reader('plain') },
  { name: 'readline and a regex', run: () => reader('readline') },
  ...peers.map((peer) => {
    const [name, command] = peer.split(/: */, 2)
    const bytes = statSync(beginning).size
    return { name, bytes, run: () => program(shell(`${command} < "$1" | cat`, beginning)) }
  }),
].map((row) => ({ ...row, costs: [] }))

for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const row of rows) row.costs.push(row.run())
  process.stderr.write(`round ${round + 1} of ${values.rounds}\n`)
}
print()

function record() {
  const small = path.join(folder, 'small.log')
  const { status, error } = spawnSync('strace', ['-f', '-tt', '-o', small, 'sh', '-c', WORKLOAD], { stdio: 'ignore' })
  if (status !== 0) throw error ?? new Error(`the workload under strace ended with ${status}: give a log with --log`)
  return small
}

/** The small log again and again, each time with pids of its own. Answers the size. */
function makeLog(small, wanted) {
  const text = readFileSync(small, 'latin1')
  const pids = [...new Set(Array.from(text.matchAll(/^(\d+) /gm), ([, pid]) => Number(pid)))]
  const first = Math.min(...pids)
  const span = Math.max(...pids) - first + 1
  const anyPid = new RegExp(`\\b(?:${pids.join('|')})\\b`, 'g')
  const file = openSync(log, 'w')
  let written = 0
  for (let turn = 0; written < wanted; turn += 1) {
    const base = 10_000 + ((turn * span) % 4_000_000)
    written += writeSync(
      file,
      Buffer.from(
        text.replace(anyPid, (pid) => String(Number(pid) - first + base)),
        'latin1',
      ),
    )
  }
  closeSync(file)
  return written
}

function firstLines(bytes) {
  const file = openSync(log, 'r')
  const text = Buffer.alloc(bytes)
  const length = readSync(file, text, 0, bytes, 0)
  closeSync(file)
  return text.subarray(0, text.lastIndexOf(10, length) + 1)
}

function program(command) {
  const { stdout } = spawnSync(rusage, command, { encoding: 'utf8' })
  const [cpu, wall, status, peak] = stdout.trim().split(' ').map(Number)
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`)
  return { cpuMs: cpu / 1000, wallMs: wall / 1000, rssMb: peak / 1024 }
}

function reader(way) {
  const command = [here('measure/read-log.mjs'), way, log]
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

function print() {
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
  const speed = (ms, bytes = size) => (bytes / 1000 / ms).toFixed(bytes === size ? 0 : 2)
  const [wc] = rows
  const least = Math.min(...wc.costs.map(({ cpuMs }) => cpuMs))
  const { lines, calls } = rows[3].costs[0]
  console.log(`${(size / 1e6).toFixed(0)} MB, ${lines} lines, ${calls} calls\n`)
  console.log('| reader | MB/s of CPU, median (best) | of `wc -l` (best by best) | wall ms, median | peak MB |')
  console.log('|---|---|---|---|---|')
  for (const { name, costs, bytes = size } of rows) {
    const of = (key) => costs.map((cost) => cost[key])
    const cpu = of('cpuMs')
    const percent = (100 * least * bytes) / size / Math.min(...cpu)
    const share = `${percent.toFixed(percent < 1 ? 2 : 0)} %`
    const peak = Math.max(...of('rssMb')).toFixed(0)
    console.log(
      `| ${name} | ${speed(median(cpu), bytes)} (${speed(Math.min(...cpu), bytes)}) | ${share} | ${median(of('wallMs')).toFixed(0)} | ${peak} |`,
    )
  }
}
