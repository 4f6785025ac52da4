// What engine ebpf promises about what already runs, tried on servers under load and on a whole machine. Needs root.
//
//   node scripts/prove-kernel.mjs [--part calls,programs,servers,host,flood] [--rounds 5]
//                                 [--minutes 2] [--learn-minutes 2] [--pause 0] [--servers redis,nginx]
//
//   calls      CPU time of a call (getppid) that is judged and allowed, against one with a null program at sys_enter
//   programs   wall and CPU time of real programs while they are followed, against bare and against a null program at sys_enter, in
//              turns of five runs each; each was learned in 8 runs and ran once before
//   servers    nginx under wrk, redis under redis-benchmark: attached to, learned until `estimate` calls it finished or for
//              --learn-minutes, whichever is longer, checked for --minutes, subverted, killed. --pause: seconds between bursts of load
//   host       20 fingerprints while a build, a package and shells run
//   flood      a program of nothing but misses, with another one beside it
//
// Programs that are not there are left out, and said. The last line is `N held, N did not`.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'calls,programs,servers,host,flood' },
    minutes: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    'learn-minutes': { type: 'string', default: '2' },
    pause: { type: 'string', default: '0' },
    servers: { type: 'string', default: 'redis,nginx' },
  },
})
const minutes = Number(values.minutes)
const rounds = Number(values.rounds)
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tracefp-prove-'))
const environment = { ...process.env, TRACEFP_HOME: join(folder, 'home'), LC_ALL: 'C' }
const tracefp = [process.execPath, here('../lib/tracefp.cjs')]
const started = []
let held = 0
let failed = 0
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
process.on('exit', () => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

const has = (command) => spawnSync('which', [command]).status === 0
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const sh = (script) => spawnSync('sh', ['-c', script], { encoding: 'utf8', env: environment, cwd: folder })

function claim(text, isTrue, facts = '') {
  if (isTrue) held += 1
  else failed += 1
  console.log(`${isTrue ? 'held   ' : 'DID NOT'} ${text}${facts === '' ? '' : `: ${facts}`}`)
}

function run(...args) {
  const [command, ...rest] = [...tracefp, ...args]
  return spawnSync(command, rest, { encoding: 'utf8', env: environment, cwd: folder })
}

function begin([command, ...args], options = {}) {
  const child = spawn(command, args, { env: environment, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], ...options })
  child.lines = []
  child.stderr?.on('data', (chunk) => {
    const at = Date.now()
    for (const text of chunk.toString().split('\n').filter(Boolean)) child.lines.push({ at, text })
  })
  child.stdout?.on('data', () => {})
  child.over = new Promise((resolve) => child.once('exit', resolve))
  started.push(child)
  return child
}

const reportOf = (file) => JSON.parse(readFileSync(join(folder, file), 'utf8'))

/** attach, until it is told to end. */
async function attach(...args) {
  const watch = begin([...tracefp, 'attach', '--no-store', '--engine', 'ebpf', ...args])
  await sleep(1500)
  return watch
}

async function end(watch) {
  watch.kill('SIGTERM')
  await watch.over
}

// --- calls

function calls() {
  const words = [here('measure-kernel.mjs'), '--json', '--rounds', `${rounds}`, '--only', 'bare,null,null task,judged']
  const { stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', env: environment })
  const taken = JSON.parse(stdout)
  for (const of of ['median', 'least']) {
    const bare = taken.bare[of]
    const [nothing, task, judged] = ['null', 'null task', 'judged'].map((way) => taken[way][of] - bare)
    const facts =
      `bare ${bare.toFixed(0)} ns; a program that does nothing adds ${nothing.toFixed(0)}, one that asks which task it is ` +
      `${task.toFixed(0)}, judging ${judged.toFixed(0)}: ${(judged - nothing).toFixed(0)} more than nothing`
    claim(
      `judging adds at most 1.6 of what a program that does nothing adds (${of})`,
      judged <= 1.6 * nothing,
      `${(judged / nothing).toFixed(2)}; ${facts}`,
    )
    claim(`judging adds at most 60 ns more than that (${of})`, judged - nothing <= 60)
    if (nothing > 60) console.log('        +60 ns in all is out of reach here: a program that does nothing adds more')
    else claim(`judging adds at most 60 ns in all (${of})`, judged <= 60)
  }
}

// --- programs

const WORKLOADS = {
  find: "find /usr/share -name '*.conf' > /dev/null",
  'git log': `git -C ${here('..')} log --stat -80 > /dev/null`,
  'make -j2': 'make -B -j2 -C make > /dev/null',
  sqlite3: 'sqlite3 /dev/shm/tracefp-prove.db < inserts.sql > /dev/null; rm -f /dev/shm/tracefp-prove.db',
  node: `${process.execPath} files.js`,
}

function makeInputs() {
  mkdirSync(join(folder, 'make'))
  const units = Array.from({ length: 8 }, (_, i) => `u${i}`)
  for (const unit of units) {
    writeFileSync(join(folder, 'make', `${unit}.c`), `#include <stdio.h>\nint ${unit}(void) { return puts("x"); }\n`)
  }
  const rules = units.map((unit) => `${unit}.o: ${unit}.c\n\tcc -O1 -c -o $@ $<\n`).join('')
  writeFileSync(join(folder, 'make', 'Makefile'), `all: ${units.map((unit) => `${unit}.o`).join(' ')}\n${rules}`)
  const rows = Array.from({ length: 5000 }, (_, i) => `insert into t values (${i});`).join('\n')
  writeFileSync(join(folder, 'inserts.sql'), `create table t (i);\n${rows}\n`)
  writeFileSync(
    join(folder, 'files.js'),
    `const fs = require('fs'); for (let i = 0; i < 2000; i++) for (const name of fs.readdirSync('make')) fs.readFileSync('make/' + name)`,
  )
}

/** Does one line after another, and says what each took: wall and CPU. */
function driver(command) {
  const child = begin(['setsid', command], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.do = (line) =>
    new Promise((resolve) => {
      child.stdout.once('data', (chunk) => resolve(chunk.toString().trim().split(' ').map(Number)))
      child.stdin.write(`${line}\n`)
    })
  return child
}

/** The CPU that a process has taken so far, in ms. */
function cpuOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) * 10
}

const TURNS = 5

/** Each line so often, one after another. */
async function repeat(child, line, taken) {
  for (let i = 0; i < TURNS; i++) taken.push(await child.do(line))
}

async function programs() {
  makeInputs()
  for (const name of ['driver', 'null_program']) sh(`cc -O1 -o ${name} ${here(`measure/${name}.c`)}`)
  const workloads = Object.entries(WORKLOADS).filter(([name]) => has(name.split(' ')[0]))
  const fingerprint = join(folder, 'programs.tfp')
  const learn = ['learn', '--engine', 'ebpf', '-o', fingerprint, '--runs']
  for (const [, line] of workloads) run(...learn, '8', '--', 'sh', '-c', line)
  writeFileSync(join(folder, 'lines'), 'true\ntrue\ntrue; true\n')
  run(...learn, '2', '--', 'sh', '-c', 'exec ./driver < lines')
  const [free, followed] = [driver(join(folder, 'driver')), driver(join(folder, 'driver'))]
  for (const [, line] of workloads) await free.do(line)
  const taken = Object.fromEntries(workloads.map(([name]) => [name, { bare: [], nothing: [], followed: [], own: 0 }]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, line] of workloads) await repeat(free, line, taken[name].bare)
    const nothing = begin([join(folder, 'null_program'), 'sys_enter', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] })
    await sleep(500)
    for (const [name, line] of workloads) await repeat(free, line, taken[name].nothing)
    nothing.stdin.end()
    await nothing.over
    const watch = await attach('-q', '-f', fingerprint, '--report', 'programs.json', '--pid', `${followed.pid}`)
    // What is met for the first time is read and hashed.
    for (const [, line] of workloads) await followed.do(line)
    for (const [name, line] of workloads) {
      const before = cpuOf(watch.pid)
      await repeat(followed, line, taken[name].followed)
      taken[name].own += cpuOf(watch.pid) - before
    }
    await end(watch)
  }
  for (const child of [free, followed]) child.stdin.end()
  for (const [name, { bare, nothing, followed: seen, own }] of Object.entries(taken)) {
    const [wall, cpu] = [0, 1].map((at) => (all) => all.map((one) => one[at]))
    const perRun = own / seen.length
    // Of each round: what the machine did beside changes from one to the next.
    const ratios = (all, of) => {
      const halves = [all, bare].map(of)
      const byRound = Array.from({ length: rounds }, (_, i) =>
        halves.map((half) => median(half.slice(i * TURNS, (i + 1) * TURNS))),
      )
      return byRound.map(([one, other]) => one / other).toSorted((a, b) => a - b)
    }
    const walls = ratios(seen, wall)
    const ratio = median(walls)
    const least = Math.min(...wall(seen)) / Math.min(...wall(bare))
    const whole = median(ratios(seen, cpu)) + perRun / median(cpu(bare))
    claim(
      `${name} takes at most 1.15 times as long`,
      ratio <= 1.15,
      `${ratio.toFixed(2)} (${walls[0].toFixed(2)} to ${walls.at(-1).toFixed(2)}), least ${least.toFixed(2)} of bare ` +
        `(${median(wall(bare)).toFixed(0)} ms); CPU with tracefp's ${perRun.toFixed(1)} ms ${whole.toFixed(2)}; ` +
        `under a program that does nothing ${median(ratios(nothing, wall)).toFixed(2)}`,
    )
  }
  await throughputs()
}

/** Requests a second of a server that is followed, against the same server bare. */
async function throughputs() {
  for (const server of await servers()) {
    const fingerprint = join(folder, `${server.name}-rate.tfp`)
    const load = begin(server.load(20))
    run('learn', '--pid', `${server.pid}`, '--slice', '2s', '--runs', '3', '-o', fingerprint)
    load.kill()
    await load.over
    const rates = { bare: [], followed: [] }
    for (let round = 0; round < rounds; round++) {
      rates.bare.push(server.rate())
      const watch = await attach('-q', '-f', fingerprint, '--pid', `${server.pid}`)
      rates.followed.push(server.rate())
      await end(watch)
    }
    const ratio = median(rates.bare) / median(rates.followed)
    const best = Math.max(...rates.bare) / Math.max(...rates.followed)
    const facts = `median ${ratio.toFixed(2)}, best ${best.toFixed(2)} (bare ${median(rates.bare).toFixed(0)}/s)`
    claim(`${server.name} is at most 1.15 times as slow`, Math.min(ratio, best) <= 1.15, facts)
    server.stop()
  }
}

// --- servers

let library

async function servers() {
  library ??= compileEvil()
  const all = []
  const wanted = values.servers.split(',')
  if (wanted.includes('redis') && has('redis-server') && has('redis-benchmark')) all.push(await redis())
  if (wanted.includes('nginx') && has('nginx') && has('wrk')) all.push(await nginx())
  if (all.length < wanted.length)
    console.log('left out: redis-server and redis-benchmark, or nginx and wrk, are missing')
  return all
}

function compileEvil() {
  const file = join(folder, 'evil.so')
  const { status, stderr } = sh(`cc -O1 -shared -fPIC -o ${file} ${here('measure/evil.c')} -ldl`)
  if (status !== 0) throw new Error(stderr)
  return file
}

/** A command, again and again, twice at a time. */
function again(seconds, words) {
  const loop = `while :; do ${words.join(' ')}; sleep ${values.pause}; done > /dev/null 2>&1`
  return ['timeout', `${seconds}`, 'sh', '-c', `${loop} & ${loop}`]
}

async function redis() {
  const port = '7391'
  const command = ['redis-server', '--port', port, '--save', '', '--enable-module-command', 'yes', '--dir', folder]
  const child = begin(['setsid', ...command], { env: { ...environment, EVIL_TIME: join(folder, 'evil-time') } })
  await sleep(700)
  const bench = (count) => [
    'redis-benchmark',
    '-p',
    port,
    '-c',
    '20',
    '-n',
    `${count}`,
    '-t',
    'set,get,incr,lpush',
    '-q',
  ]
  return {
    name: 'redis',
    pid: child.pid,
    // When its allocator asks for memory and when its threads meet at a lock is chance.
    settings: ['--transparent', 'brk,futex,madvise,mmap,munmap'],
    // Clients come and go, as they do.
    load: (seconds) => again(seconds, [...bench(20_000), '; redis-cli -p', port, 'ping']),
    rate: () => {
      const { stdout } = spawnSync(bench(60_000)[0], [...bench(60_000).slice(1)], { encoding: 'utf8' })
      const rates = [...stdout.matchAll(/([\d.]+) requests per second/g)].map(([, rate]) => Number(rate))
      return median(rates)
    },
    /** Answers that did not come, of so many requests. */
    lost: () => {
      const { stdout, stderr } = spawnSync(bench(200_000)[0], bench(200_000).slice(1), { encoding: 'utf8' })
      return /rror/.test(stdout + stderr) ? 1 : 0
    },
    subvert: () => sh(`redis-cli -p ${port} module load ${library}`),
    stop: () => child.kill('SIGTERM'),
  }
}

async function nginx() {
  const port = '7392'
  const root = join(folder, 'www')
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, 'index.html'), 'x'.repeat(2000))
  const config = join(folder, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; worker_processes 2; pid ${folder}/nginx.pid; error_log ${folder}/error.log; user root; env EVIL_TIME;
     events { worker_connections 256; }
     http { access_log ${folder}/access.log; server { listen 127.0.0.1:${port} reuseport; root ${root}; } }`,
  )
  const env = { ...environment, LD_PRELOAD: library, EVIL_TIME: join(folder, 'evil-time') }
  const child = begin(['setsid', 'nginx', '-c', config], { env })
  await sleep(700)
  const wrk = (seconds) => ['wrk', '-t1', '-c20', `-d${seconds}s`, `http://127.0.0.1:${port}/`]
  const text = (seconds) => spawnSync('wrk', wrk(seconds).slice(1), { encoding: 'utf8' }).stdout
  return {
    name: 'nginx',
    pid: child.pid,
    settings: [],
    load: (seconds) => again(seconds, [...wrk(1), `; curl -s http://127.0.0.1:${port}/`]),
    rate: () => Number(/Requests\/sec:\s+([\d.]+)/.exec(text(2))?.[1]),
    lost: () => (/Socket errors|Non-2xx/.test(text(3)) ? 1 : 0),
    subvert: () => sh(`curl -s -m 2 -H 'X-Evil: 1' http://127.0.0.1:${port}/ > /dev/null`),
    stop: () => child.kill('SIGTERM'),
  }
}

async function proveServers() {
  const all = await servers()
  const loads = all.map((server) => begin(server.load(86_400)))
  // Learned and checked at the same time, as on a machine that is in use.
  await Promise.all(all.map((server) => learnAndCheck(server)))
  for (const load of loads) load.kill()
  for (const server of all) await subvert(server)
  for (const server of all) server.stop()
}

const SLICE_SECONDS = 2

async function learnAndCheck(server) {
  const fingerprint = join(folder, `${server.name}.tfp`)
  const slices = ['learn', '--pid', `${server.pid}`, '--slice', `${SLICE_SECONDS}s`, '-o', fingerprint]
  const before = performance.now()
  for (const how of [
    ['--runs', `${Math.ceil((Number(values['learn-minutes']) * 60) / SLICE_SECONDS)}`],
    ['--until', '0.05', '--max-runs', '1000'],
  ]) {
    const learning = begin([...tracefp, ...slices, ...how, ...server.settings])
    await learning.over
    console.log(
      `        ${server.name}: ${learning.lines
        .slice(-2)
        .map(({ text }) => text)
        .join(' | ')}`,
    )
  }
  console.log(`        ${server.name}: learned in ${((performance.now() - before) / 60_000).toFixed(1)} minutes`)
  const report = `${server.name}.json`
  const watch = await attach(
    '-f',
    fingerprint,
    '--report',
    report,
    '--for',
    `${minutes * 60}s`,
    '--pid',
    `${server.pid}`,
  )
  const lost = server.lost()
  await watch.over
  const { verdict, recordCount, missCount, gapCount, misses } = reportOf(report)
  const facts = `${verdict}, ${recordCount} calls in ${minutes} minutes, ${missCount} misses, ${gapCount} gaps`
  claim(`${server.name} under load is authentic`, verdict === 'authentic', facts)
  for (const { at, context, to } of misses.slice(0, 9))
    console.log(`        ${at} ${context.slice(-4).join(' ')} -> ${to}`)
  claim(`${server.name} loses no request while it is attached to`, lost === 0)
}

async function subvert(server) {
  const fingerprint = join(folder, `${server.name}.tfp`)
  const load = begin(server.load(60))
  const evilTime = join(folder, 'evil-time')
  rmSync(evilTime, { force: true })
  const watch = await attach('-f', fingerprint, '--report', 'evil.json', '--pid', `${server.pid}`)
  await sleep(500)
  server.subvert()
  await sleep(1000)
  const began = existsSync(evilTime) ? Number(readFileSync(evilTime, 'utf8')) * 1000 : Number.NaN
  const first = watch.lines.find(({ at, text }) => at >= began && text.includes('abnormal'))
  await sleep(300)
  await end(watch)
  const took = (first?.at ?? Number.NaN) - began
  claim(`${server.name} subverted is told within 50 ms`, took < 50, `${took.toFixed(1)} ms: ${first?.text ?? 'never'}`)
  const exec = reportOf('evil.json').misses.find(({ kind }) => kind === 'exec')
  claim(
    `${server.name}: who ran the shell is told`,
    exec !== undefined,
    `${exec?.to}, above it ${exec?.ancestors.join(' < ')}`,
  )
  const killer = await attach(
    '-f',
    fingerprint,
    '--on-miss',
    'kill',
    '--report',
    'killed.json',
    '--pid',
    `${server.pid}`,
  )
  await sleep(500)
  server.subvert()
  await Promise.race([killer.over, sleep(5000)])
  const { misses, exit } = reportOf('killed.json')
  claim(`${server.name} is killed at it`, misses[0]?.action === 'late-kill', `${misses[0]?.to}, ${exit.signal}`)
  load.kill()
}

// --- host

const TWENTY = [
  'ls /',
  'cat /etc/passwd',
  'grep root /etc/passwd',
  'sed s/a/b/ /etc/passwd',
  'sort /etc/passwd',
  'head -3 /etc/passwd',
  'tail -3 /etc/passwd',
  'wc /etc/passwd',
  'cut -d: -f1 /etc/passwd',
  'tr a b',
  'uniq /etc/passwd',
  'date',
  'id',
  'uname -a',
  'stat /',
  'du -s /etc/default',
  'df /',
  'basename /a/b',
  'dirname /a/b',
  'find /etc/default',
]

async function host() {
  if (!existsSync(join(folder, 'make'))) makeInputs()
  for (const command of TWENTY) {
    for (let i = 0; i < 2; i++)
      run('learn', '--engine', 'ebpf', '--runs', '1', '--', 'sh', '-c', `exec ${command} < /dev/null`)
    run('learn', '--engine', 'ebpf', '--runs', '2', '--', ...command.split(' '))
  }
  const work =
    'make -B -j2 -C make > /dev/null; for i in $(seq 40); do sh -c "ls / | sort | head -3 | wc -l > /dev/null"; done'
  const apt = has('apt-get') ? 'apt-get install -y --reinstall hostname > /dev/null 2>&1' : 'true'
  const timed = () => {
    const start = performance.now()
    sh(work)
    return performance.now() - start
  }
  const taken = { bare: [], watched: [] }
  timed()
  for (let round = 0; round < rounds; round++) {
    taken.bare.push(timed())
    const watch = await attach('-q', '--report', 'host.json', '--host')
    taken.watched.push(timed())
    if (round === 0) sh(apt)
    await end(watch)
  }
  const { programs, recordCount, gapCount, trackCount } = reportOf('host.json')
  const names = programs.map(({ image }) => image.split('/').at(-1))
  const known = new Set(TWENTY.map((command) => command.split(' ')[0]))
  const judged = programs.filter(({ fingerprint }) => fingerprint !== null).map(({ image }) => image.split('/').at(-1))
  claim(
    'only what has a fingerprint is judged',
    judged.every((name) => known.has(name) || name === 'dash'),
    judged.join(' '),
  )
  console.log(`        ${trackCount} tracks, ${recordCount} calls, ${gapCount} gaps; met: ${names.length}`)
  const ratio = median(taken.watched) / median(taken.bare)
  claim('a build and shells take at most 1.15 times as long', ratio <= 1.15, ratio.toFixed(2))
}

// --- flood

const FLOOD = `#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int count, char** words) {
  for (int i = 0; i < 50; i++) syscall(SYS_getppid);
  for (int i = 0; i < 50; i++) syscall(SYS_getuid);
  if (count > 1) usleep(300000);
  for (long i = count > 1 ? atol(words[1]) : 0; i > 0; i--) { syscall(SYS_getppid); syscall(SYS_getuid); }
  return 0;
}`

async function flood() {
  writeFileSync(join(folder, 'flood.c'), FLOOD)
  sh('cc -O1 -o flood flood.c')
  run('learn', '--runs', '2', '-o', 'flood.tfp', '--', './flood')
  const count = 10_000_000
  const start = performance.now()
  const watch = begin([
    ...tracefp,
    'run',
    '--no-store',
    '-q',
    '-f',
    'flood.tfp',
    '--engine',
    'ebpf',
    '--report',
    'flood.json',
    '--',
    './flood',
    `${count}`,
  ])
  let most = 0
  let isOver = false
  watch.over.then(() => {
    isOver = true
  })
  while (!isOver) {
    await sleep(100)
    const size = /VmRSS:\s+(\d+)/.exec(
      existsSync(`/proc/${watch.pid}/status`) ? readFileSync(`/proc/${watch.pid}/status`, 'utf8') : '',
    )
    most = Math.max(most, Number(size?.[1] ?? 0))
  }
  const seconds = (performance.now() - start) / 1000
  const { missCount, recordCount, gapCount } = reportOf('flood.json')
  const rate = (missCount / seconds / 1e6).toFixed(1)
  claim(
    'every miss of a flood is counted',
    missCount === count && gapCount === 0,
    `${missCount} of ${count}, ${rate} M/s, ${recordCount} calls`,
  )
  claim('it costs bounded memory', most < 300_000, `${(most / 1024).toFixed(0)} MiB`)
  console.log(`        lines told: ${watch.lines.length}`)
}

const PARTS = { calls, programs, servers: proveServers, host, flood }
for (const part of values.part.split(',')) {
  console.log(`${part}:`)
  await PARTS[part]()
}
console.log(`${held} held, ${failed} did not`)
process.exit(failed === 0 ? 0 : 1)
