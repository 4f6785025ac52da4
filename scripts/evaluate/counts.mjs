// Fourth table: is every call seen, and none invented? The same command under tracefp and under `strace -f`, call by call name.

import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Walker } from '../../lib/match/walker.js'
import { mapping, observe } from './observe.mjs'
import { environment } from './place.mjs'
import { makeRandom } from './random.mjs'
import { PERL } from './workloads-runtimes.mjs'
import { FIND, SQLITE, TAR } from './workloads-tools.mjs'

const fixed = (name, ...argv) => ({ name, run: () => ({ argv }) })
const ALL = [
  fixed('true', '/bin/true'),
  fixed('ls -la /usr', '/bin/ls', '-la', '/usr'),
  fixed('find /usr/share/doc', '/usr/bin/find', '/usr/share/doc', '-name', '*.txt'),
  fixed('grep -r', '/bin/grep', '-rc', 'the', '/usr/share/perl5'),
  fixed('dd, 5,000 blocks', '/bin/dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=5000'),
  fixed('a pipe under sh', '/bin/sh', '-c', 'seq 1 5000 | sort -n --parallel=1 | tail -n 1; echo $(date +%Y)'),
  SQLITE,
  PERL,
  TAR,
  FIND,
]

export async function countCalls(place, { seed, say }) {
  if (spawnSync('strace', ['-V']).status !== 0) return null
  const rows = []
  for (const program of ALL) {
    program.prepare?.(place)
    const command = () => {
      place.renew()
      return program.run(place, makeRandom(`${seed}/counts/${program.name}`))
    }
    const own = await countOwn(place, command())
    const strace = countStrace(place, command())
    const names = [...new Set([...own.calls.keys(), ...strace.keys()])].sort()
    const differences = names
      .map((name) => ({ name, own: own.calls.get(name) ?? 0, strace: strace.get(name) ?? 0 }))
      .filter((row) => row.own !== row.strace)
    const straceCount = [...strace.values()].reduce((sum, count) => sum + count, 0)
    say(`${program.name}: ${own.recordCount} and ${straceCount}`)
    rows.push({
      name: program.name,
      ownCount: own.recordCount,
      restartCount: own.restartCount,
      straceCount,
      differences,
    })
  }
  return rows
}

/** A judge that has no opinion, and counts. */
async function countOwn(place, command) {
  const calls = new Map()
  const program = { flags: new Uint8Array(65_536), recordCount: 0 }
  const judge = {
    exec: () => true,
    enter: () => program,
    start: () => 0,
    call: () => 0,
    stray() {},
    end() {},
    note() {},
  }
  const walker = new Walker(judge, { mapping, tracks: 'thread' })
  const counter = {
    onCall(_tid, abi, nr, isRestart) {
      if (!isRestart) add(calls, mapping.symbolOf(abi, nr))
    },
  }
  await observe(place, command, [walker, counter])
  return { calls, recordCount: walker.recordCount, restartCount: walker.restartCount }
}

function countStrace(place, { argv, env }) {
  const log = join(place.root, 'strace.log')
  const variables = { ...environment(place), ...env }
  const output = openSync(join(place.root, 'output'), 'w')
  // The same streams as under tracefp: programs ask what they write to.
  spawnSync('strace', ['-f', '-o', log, ...argv], {
    cwd: place.work,
    env: variables,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const calls = new Map()
  let isFirst = true
  for (const line of readFileSync(log, 'latin1').split('\n')) {
    const name = /^\d+\s+([a-z_0-9]+)\(/.exec(line)?.[1]
    if (name === undefined || /\? ERESTART/.test(line)) continue
    // The first execve is strace's own, not the program's.
    if (!isFirst) add(calls, name)
    isFirst = false
  }
  return calls
}

function add(calls, name) {
  calls.set(name, (calls.get(name) ?? 0) + 1)
}
