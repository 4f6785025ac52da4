// Third table: programs that do something else. Ten command line tools with a hostile library in them (payload.c), which in
// all other runs does nothing, and a server whose source was changed. Only what is proven to have run is counted.

import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { drive, send } from '../../examples/server/client.mjs'
import { subvert } from '../../examples/server/subvert.mjs'
import { check, learn } from '../../lib/index.js'
import { compile, environment, freePort, waitForPort } from './place.mjs'
import { makeRandom } from './random.mjs'

/** The learned depth; what is learned at 4 is also checked at 2, the paper's. */
export const DEPTHS = [2, 4]
const RUN_LIMIT_MS = 30_000
const SECRET = 'a made-up secret\n'

export const PAYLOADS = {
  leak: 'reads a secret file and sends it to a socket',
  shell: 'forks; the child runs /bin/sh',
  child: 'forks; the child reads the secret and sends it',
  memory: 'mmap, mprotect to executable, ptrace of the parent; then as `write`',
  write: 'opens a file and writes into it: openat, write, close',
  redirect: 'the first data file that is opened is another one: nothing but an argument changes',
}
const MOMENTS = ['start', 'middle', 'exit']

const files = (random) => random.shuffled(['data/a', 'data/b.txt', 'data/c.log', 'data/d']).slice(0, random.int(1, 3))
const TOOLS = {
  ls: (random) => [...random.pick([[], ['-l'], ['-la'], ['-R'], ['-S', '-l'], ['-1']]), 'data'],
  cat: (random) => [...random.pick([[], ['-n'], ['-A']]), ...files(random)],
  grep: (random) => [random.pick(['-c', '-n', '-i', '-l', '-v']), ...random.words(1), ...files(random)],
  gzip: (random) => [`-${random.int(1, 9)}`, '-kf', ...files(random)],
  tar: (random) => [random.pick(['-cf', '-czf']), 'out.tar', ...files(random)],
  find: (random) => ['data', ...random.pick([[], ['-type', 'f'], ['-name', '*.txt'], ['-size', '+1k'], ['-ls']])],
  sort: (random) => [...random.pick([[], ['-r'], ['-u'], ['-n']]), ...files(random)],
  sed: (random) => [...random.pick([['-n', '2p'], ['s/alpha/x/g'], ['-e', '1d', '-e', '$d']]), ...files(random)],
  cp: (random) => [...random.pick([[], ['-p'], ['-v']]), ...files(random), '.'],
  date: (random) => random.pick([[], ['+%s'], ['-u'], ['-d', 'tomorrow'], ['-r', 'data/a']]),
}

export async function measureSubverted(place, options) {
  const listener = await listen()
  try {
    compile(['-O1', '-shared', '-fPIC', '-o', join(place.root, 'payload.so'), source('payload.c'), '-ldl'])
    writeFileSync(join(place.root, 'secret'), SECRET)
    const tools = []
    for (const [name, draw] of Object.entries(TOOLS)) {
      tools.push(await measureTool(place, listener, name, draw, options))
      options.say(`${name}: ${tools.at(-1).attacks.length} attacks`)
    }
    return { tools, server: await measureServer(place, listener, options) }
  } finally {
    listener.server.close()
  }
}

/** Tools whose attacks are checked without the fault layer and with it. */
const FAULTED = ['cat', 'grep', 'gzip', 'tar', 'cp']

/** What the fault layer costs: attacks that are an alarm before and after `learn --faults`, at depths 2 and 4. */
export async function measureFaulted(place, { seed, say }) {
  const { learnFaults } = await import('../../lib/cli/learn-faults.js')
  const listener = await listen()
  const rows = []
  try {
    compile(['-O1', '-shared', '-fPIC', '-o', join(place.root, 'payload.so'), source('payload.c'), '-ldl'])
    writeFileSync(join(place.root, 'secret'), SECRET)
    for (const name of FAULTED) {
      const file = join(place.root, `${name}.tfp`)
      const before = join(place.root, `${name}-before.tfp`)
      const start = starter(place, listener, name, TOOLS[name], seed)
      const once = async (phase, more, stopping) => {
        const [argv, options] = start(phase, 'none', 'none')
        const signal = stopping?.signal ?? options.signal
        return await learn(argv, { ...options, ...more, signal, file, settings: { depth: 4 } })
      }
      let counts
      for (let i = 0; i < 30; i++) counts = (await once(`learn/${i}`, { countsCalls: true })).callCounts
      writeFileSync(before, readFileSync(file))
      const told = []
      const runs = { argv: [name], counts, usualMs: 200, file, limitMs: 45_000, isStopped: () => false }
      const output = { data: () => {}, message: (text) => told.push(text) }
      await learnFaults({ ...runs, run: (more, stopping) => once('learn/29', more, stopping) }, output)
      const row = { name, faults: told.at(-1).trim(), depths: [] }
      for (const depth of DEPTHS) {
        const found = { depth, proven: 0, before: 0, after: 0 }
        for (const what of Object.keys(PAYLOADS).filter((payload) => payload !== 'redirect')) {
          for (const when of MOMENTS) {
            const alarms = []
            let hasRun = true
            for (const fingerprint of [before, file]) {
              resetProof(place, listener)
              const [argv, options] = start(`attack/${what}/${when}/0`, what, when)
              const report = await check(argv, { ...options, fingerprint, depth }).report
              hasRun &&= await isProven(place, listener, what)
              alarms.push(report.alarmCount > 0 ? 1 : 0)
            }
            if (!hasRun) continue
            found.proven += 1
            found.before += alarms[0]
            found.after += alarms[1]
          }
        }
        row.depths.push(found)
      }
      say(`${name}: ${JSON.stringify(row.depths)}; ${row.faults}`)
      rows.push(row)
    }
  } finally {
    listener.server.close()
  }
  return rows
}

/** Begins a run that is drawn from its phase: argv and options. */
function starter(place, listener, name, draw, seed) {
  return (phase, what, when) => {
    place.renew()
    const random = makeRandom(`${seed}/${name}/${phase}`)
    for (const data of ['a', 'b.txt', 'c.log', 'd'])
      place.write(`work/data/${data}`, random.text(random.int(50, 20_000)))
    const env = { ...environment(place), LD_PRELOAD: join(place.root, 'payload.so'), PAYLOAD_FOLDER: place.root }
    Object.assign(env, { PAYLOAD_WHAT: what, PAYLOAD_WHEN: when, PAYLOAD_PORT: String(listener.port) })
    const signal = AbortSignal.timeout(RUN_LIMIT_MS)
    return [[name, ...draw(random)], { stdio: 'ignore', cwd: place.work, home: place.home, env, signal }]
  }
}

async function measureTool(place, listener, name, draw, { learnCount, checkCount, seed }) {
  const file = join(place.root, `${name}.tfp`)
  const start = starter(place, listener, name, draw, seed)
  for (let i = 0; i < learnCount; i++) {
    const [argv, options] = start(`learn/${i}`, 'none', 'none')
    await learn(argv, { ...options, file, settings: { depth: Math.max(...DEPTHS) } })
  }
  const look = async (phase, what, when, depth) => {
    resetProof(place, listener)
    const [argv, options] = start(phase, what, when)
    const report = await check(argv, { ...options, fingerprint: file, depth }).report
    return { what, when, depth, hasRun: await isProven(place, listener, what), ...findings(report) }
  }
  const row = { name, controlCount: checkCount, falseAlarmCount: {}, attacks: [] }
  for (const depth of DEPTHS) {
    row.falseAlarmCount[depth] = 0
    for (let i = 0; i < checkCount; i++) {
      if ((await look(`control/${i}`, 'none', 'none', depth)).missCount > 0) row.falseAlarmCount[depth] += 1
    }
    for (const what of Object.keys(PAYLOADS)) {
      for (const when of what === 'redirect' ? ['open'] : MOMENTS) {
        for (let i = 0; i < 2; i++) row.attacks.push(await look(`attack/${what}/${when}/${i}`, what, when, depth))
      }
    }
  }
  return row
}

function findings({ missCount, misses }) {
  const first = misses[0]
  return { missCount, first: first === undefined ? null : { kind: first.kind, from: first.from, to: first.to } }
}

function resetProof(place, listener) {
  listener.received = ''
  rmSync(join(place.root, 'mark'), { force: true })
  utimesSync(join(place.root, 'secret'), 0, Date.now() / 1000)
}

async function isProven(place, listener, what) {
  if (what === 'leak' || what === 'child') {
    for (let i = 0; i < 50 && !listener.received.includes(SECRET); i++) await sleep(10)
    return listener.received.includes(SECRET)
  }
  if (what === 'redirect') return statSync(join(place.root, 'secret')).atimeMs > 0
  return existsSync(join(place.root, 'mark'))
}

/** The home to which secrets are sent. */
async function listen() {
  const listener = { received: '', port: 0, server: null }
  listener.server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      listener.received += chunk
    })
  })
  await new Promise((resolve) => listener.server.listen(0, '127.0.0.1', resolve))
  listener.port = listener.server.address().port
  return listener
}

const VARIANTS = ['same', 'rebuilt', 'leak', 'shell']

async function measureServer(place, listener, { learnCount, checkCount, seed, say }) {
  const text = readFileSync(new URL('../../examples/server/server.c', import.meta.url), 'utf8')
  const server = join(place.root, 'server')
  const build = (changed) => {
    place.write('server.c', changed)
    rmSync(server, { force: true })
    compile(['-O1', '-o', server, join(place.root, 'server.c')])
  }
  const file = join(place.root, 'server.tfp')
  place.write('passwd', SECRET)
  const begin = () => {
    place.renew()
    const signal = AbortSignal.timeout(RUN_LIMIT_MS)
    return { stdio: ['ignore', 'pipe', 'ignore'], cwd: place.work, home: place.home, env: environment(place), signal }
  }
  const argv = [server, '--dir', place.work]
  build(text)
  for (let i = 0; i < learnCount; i++) {
    // The library gives no streams of a program that is learned: the port must be known before.
    const port = await freePort()
    let started
    const pid = new Promise((resolve) => {
      started = resolve
    })
    const options = { ...begin(), stdio: 'ignore', file, onStart: started, settings: { depth: Math.max(...DEPTHS) } }
    const learned = learn([...argv, '--port', String(port)], options)
    const number = await pid
    await waitForPort(() => send(port, 'GET / HTTP/1.0\r\n\r\n'))
    await drive(port, makeRandom(`${seed}/server/learn/${i}`).int(1, 1e9))
    process.kill(number, 'SIGTERM')
    await learned
  }
  const rows = []
  for (const variant of VARIANTS) {
    if (variant === 'rebuilt') build(text.replace('Not Found', 'Not found'))
    else if (variant !== 'same') build(subvert(text, variant))
    for (const depth of DEPTHS) {
      const row = { variant, depth, runCount: 0, alarmCount: 0, behaviourAlarmCount: 0, missCount: 0, first: null }
      for (let i = 0; i < Math.min(checkCount, 10); i++) {
        const session = check(argv, { ...begin(), fingerprint: file, depth })
        const port = await portOf(session)
        await drive(port, makeRandom(`${seed}/server/check/${i}`).int(1, 1e9))
        await send(port, `GET /ping-${listener.port} HTTP/1.0\r\n\r\n`)
        await session.kill('SIGTERM')
        const report = await session.report
        const behaviour = report.misses.filter(({ kind }) => kind !== 'image')
        row.runCount += 1
        row.alarmCount += report.missCount > 0 ? 1 : 0
        row.behaviourAlarmCount += behaviour.length > 0 ? 1 : 0
        row.missCount += behaviour.length
        row.first ??= behaviour[0] === undefined ? null : findings({ missCount: 1, misses: behaviour }).first
      }
      rows.push(row)
    }
    say(`server, ${variant}: done`)
  }
  return rows
}

/** The port that the server says. What it prints later is thrown away, so that it can be printed. */
function portOf(session) {
  return new Promise((resolve, reject) => {
    let text = ''
    session.stdout.on('data', (chunk) => {
      text += chunk
      const match = /listening on 127\.0\.0\.1:(\d+)/.exec(text)
      if (match !== null) resolve(Number(match[1]))
    })
    session.stdout.on('close', () => reject(new Error('the server did not start')))
  })
}

function source(name) {
  return fileURLToPath(new URL(name, import.meta.url))
}
