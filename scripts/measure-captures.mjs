// What a capture costs on disk: bytes per record of captures and of `strace -f -tt` logs of the same programs, as they are
// and through gzip. Prints a Markdown table.
//
//   node scripts/measure-captures.mjs

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tracefp-captures-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const threads = join(folder, 'threads')
const compiled = spawnSync('cc', ['-O1', '-pthread', '-o', threads, here('measure/threads.c')], { encoding: 'utf8' })
if (compiled.status !== 0) throw new Error(compiled.stderr)

const PROGRAMS = {
  'git log': ['git', '-C', here('..'), 'log', '--stat', '-30'],
  'find /usr': ['find', '/usr', '-name', 'no-such-file'],
  'node -e 0': [process.execPath, '-e', '0'],
  'sh, 300 children': ['sh', '-c', 'i=0; while [ $i -lt 300 ]; do (cd /); i=$((i+1)); done'],
  '8 threads': [threads],
}

function run(command) {
  const { status, stderr } = spawnSync(command[0], command.slice(1), {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TRACEFP_HOME: join(folder, 'home') },
  })
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
  return stderr
}

const capture = join(folder, 'capture.tfc')
const log = join(folder, 'strace.log')
const perZipped = (bytes, count) => (gzipSync(bytes).length / count).toFixed(2)

console.log('| | records | capture | strace | ratio | capture.gz | strace.gz |')
console.log('|---|---:|---:|---:|---:|---:|---:|')
for (const [name, command] of Object.entries(PROGRAMS)) {
  const told = run([process.execPath, here('../lib/tracefp.cjs'), 'record', '-o', capture, '--', ...command])
  const recordCount = Number(/: (\d+) records in/.exec(told)[1])
  run(['strace', '-f', '-tt', '-o', log, ...command])
  const [own, other] = [readFileSync(capture), readFileSync(log)]
  const lineCount = other.reduce((count, byte) => count + (byte === 10), 0)
  const [ownSize, otherSize] = [own.length / recordCount, other.length / lineCount]
  const cells = [
    name,
    recordCount.toLocaleString('en'),
    ownSize.toFixed(2),
    otherSize.toFixed(1),
    `1/${Math.round(otherSize / ownSize)}`,
    perZipped(own, recordCount),
    perZipped(other, lineCount),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
