// What is the fault layer worth? Ten programs are learned, first as they usually run, then with `learn --faults`; real trouble (a
// full disk, missing files, closed ports, a low limit of open files) is then checked against both.

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { learnFaults } from '../../lib/cli/learn-faults.js'
import { decodeFingerprint } from '../../lib/model/codec-fingerprint.js'
import { faultTransitionCount, transitionCountOf } from '../../lib/model/views.js'
import { CheckSession } from '../../lib/session/check-session.js'
import { learnProgram } from '../../lib/session/learn-program.js'
import { readFingerprintText } from '../../lib/store/fingerprint-file.js'
import { environment } from './place.mjs'

const USUAL_RUNS = 20
const REPEATS = 3
/** Enough for every program here; a shell sets it in both cases. */
const FILES = { usual: 256, low: 4 }
const wrapped = (argv) => ['/bin/sh', '-c', 'ulimit -n "$FILES"; exec "$@"', 'sh', ...argv]

/** argv: run in `work`; `in/` holds its input, `out/` takes what it writes, PORT is a server's. */
const PROGRAMS = [
  { name: 'cp', argv: ['cp', '-r', 'in/a', 'in/b', 'out'] },
  { name: 'tar', argv: ['tar', 'cf', 'out/in.tar', 'in/a', 'in/b'] },
  { name: 'gzip', argv: ['gzip', '-kf', 'out/data'] },
  { name: 'sort', argv: ['sort', '-S', '64k', '-T', 'out', '-o', 'out/sorted', 'in/a', 'in/b'] },
  { name: 'sed', argv: ['sed', '-i', 's/1/one/', 'out/data'] },
  { name: 'git', argv: ['git', 'hash-object', '-w', 'in/a', 'in/b'] },
  { name: 'sqlite3', argv: ['sqlite3', 'out/db', '.read in/sql'] },
  {
    name: 'python3',
    hasPort: true,
    argv: [
      'python3',
      '-c',
      `import os, socket
try:
    with open('in/a') as source, open('out/copy', 'w') as target: target.write(source.read())
    os.rename('out/copy', 'out/done')
except OSError as error: print('no copy', error)
try:
    with socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 2) as s: s.sendall(b'x'); print(s.recv(10))
except OSError as error: print('no server', error)`,
    ],
  },
  {
    name: 'perl',
    hasPort: true,
    argv: [
      'perl',
      '-MIO::Socket::INET',
      '-e',
      `if (open(my $in, '<', 'in/a') and open(my $out, '>', 'out/copy')) { while (<$in>) { print $out $_ or warn $!; last if $! } close $out or warn $!; }
else { warn $! }
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ENV{PORT}", Timeout => 2) or warn $!;
if ($s) { print $s "x"; print <$s> }`,
    ],
  },
  {
    name: 'bash',
    hasPort: true,
    argv: [
      'bash',
      '-c',
      'cat in/a > out/copy || echo no copy; while read -r line; do echo "$line"; done < in/b > out/lines; ' +
        'if exec 3<> /dev/tcp/127.0.0.1/$PORT; then echo x >&3; read -r answer <&3; echo $answer; fi',
    ],
  },
]

const TROUBLES = ['full disk', 'missing file', 'closed port', 'low ulimit']

export async function measureFaults(place, { only, say }) {
  const server = createServer((socket) => socket.on('data', () => socket.end('hello\n')).on('error', () => {}))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const rows = []
  try {
    for (const program of PROGRAMS) {
      if (only !== undefined && program.name !== only) continue
      try {
        rows.push(await measureProgram(place, program, server.address().port, say))
      } catch (error) {
        process.exitCode = 1
        say(`${program.name}: ${error.stack}`)
      }
    }
  } finally {
    server.close()
  }
  return rows
}

async function measureProgram(place, program, port, say) {
  const file = join(place.root, `${program.name}.tfp`)
  const options = { file, cwd: place.work, home: place.home, stdio: 'ignore', thread: 'this' }
  const once = async (more, stopping) => {
    prepare(place, {})
    const env = environmentOf(place, port)
    return await learnProgram(wrapped(program.argv), {
      ...options,
      env,
      ...more,
      ...(stopping && { signal: stopping.signal }),
    })
  }
  let last
  const startedAt = Date.now()
  for (let run = 0; run < USUAL_RUNS; run++) last = await once({ countsCalls: true })
  const usualMs = (Date.now() - startedAt) / USUAL_RUNS
  const before = Buffer.from(readFingerprintText(file), 'latin1')
  const beforeFile = join(place.root, `${program.name}-before.tfp`)
  writeFileSync(beforeFile, before)
  const { callCounts: counts } = last
  const told = []
  const output = { data: () => {}, message: (text) => told.push(text), hasColor: false }
  const faultsAt = Date.now()
  const { argv } = program
  await learnFaults({ argv, counts, usualMs, file, limitMs: 150_000, run: once, isStopped: () => false }, output)
  const seconds = Math.round((Date.now() - faultsAt) / 1000)
  const summary = told.at(-1)
  const count = (pattern) => Number(pattern.exec(summary)?.[1] ?? 0)
  const fingerprint = decodeFingerprint(readFingerprintText(file), file)
  const sum = (of) => [...fingerprint.programs.values()].reduce((all, section) => all + of(section), 0)
  const troubles = []
  for (const trouble of TROUBLES) {
    if (trouble === 'closed port' && program.hasPort !== true) continue
    const alarms = { before: 0, after: 0 }
    const missed = new Set()
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      for (const [name, against] of [
        ['before', beforeFile],
        ['after', file],
      ]) {
        prepare(place, { trouble })
        try {
          const env = environmentOf(place, trouble === 'closed port' ? await closedPort() : port, trouble)
          const checked = {
            cwd: place.work,
            home: place.home,
            stdio: 'ignore',
            thread: 'this',
            fingerprint: against,
            env,
          }
          const report = await new CheckSession(wrapped(program.argv), checked).report
          if (report.verdict === 'abnormal') alarms[name]++
          if (name === 'after')
            for (const { from, to, isAlarm } of report.misses) if (isAlarm) missed.add(`${from} -> ${to}`)
        } finally {
          release(place)
        }
      }
    }
    troubles.push({ trouble, runCount: REPEATS, ...alarms, missed: [...missed] })
  }
  say(
    `${program.name} (${seconds} s): ${summary.trim()}; ${troubles.map((t) => `${t.trouble} ${t.before} -> ${t.after}`).join(', ')}`,
  )
  return {
    name: program.name,
    usual: sum(transitionCountOf),
    gained: sum(faultTransitionCount),
    tried: count(/(\d+) faults? tried/),
    learned: count(/(\d+) learned/),
    crashed: count(/(\d+) only crashed/),
    hung: count(/(\d+) did not end/),
    unreached: count(/(\d+) not reached/),
    seconds,
    troubles,
  }
}

function environmentOf(place, port, trouble) {
  return {
    ...environment(place),
    PORT: String(port),
    FILES: String(trouble === 'low ulimit' ? FILES.low : FILES.usual),
    GIT_DIR: join(place.work, 'out/.git'),
    GIT_CONFIG_NOSYSTEM: '1',
  }
}

/** The same files for every run; trouble takes something away. */
function prepare(place, { trouble }) {
  place.renew()
  const at = (name) => join(place.work, name)
  mkdirSync(at('in'))
  mkdirSync(at('out'))
  const lines = (count) => Array.from({ length: count }, (_, i) => `${(i * 7919) % 10007} line ${i}\n`).join('')
  writeFileSync(at('in/a'), lines(4000))
  writeFileSync(at('in/b'), lines(400))
  writeFileSync(
    at('in/sql'),
    `create table t(a, b);\nbegin;\n${lines(300).replace(/^(\d+) line (\d+)$/gm, "insert into t values ($1, 'x$2');")}commit;\nselect count(*) from t;\n`,
  )
  if (trouble === 'full disk') mount(at('out'))
  spawnSync('git', ['init', '-q', '--bare', at('out/.git')], { env: { ...environment(place), GIT_TEMPLATE_DIR: '' } })
  writeFileSync(at('out/data'), lines(2000))
  if (trouble === 'full disk') fill(at('out'))
  if (trouble === 'missing file') for (const name of ['in/a', 'in/sql', 'out/data']) rmSync(at(name))
}

function mount(folder) {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', folder], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`a tmpfs could not be mounted: ${stderr}`)
}

/** Leaves one page. */
function fill(folder) {
  const { stdout } = spawnSync('df', ['--output=avail', '-k', folder], { encoding: 'utf8' })
  const free = Number(stdout.trim().split('\n').at(-1))
  writeFileSync(join(folder, 'filler'), Buffer.alloc(Math.max(0, free - 4) * 1024, 'x'))
}

function release(place) {
  spawnSync('umount', ['-q', join(place.work, 'out')])
}

function closedPort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
