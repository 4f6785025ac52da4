// The story of tracefp in one minute, with a real program: learn a file server, check it, subvert it, see the alarm.
// Everything happens in a temporary directory, which is removed at the end. Exit code 0 = every verdict was the expected one.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drive, send } from './server/client.mjs'
import { subvert } from './server/subvert.mjs'

const RUN_COUNT = 15
const START_LIMIT_MS = 20_000
const MAIN = fileURLToPath(new URL('../lib/tracefp.cjs', import.meta.url))
const SOURCE = fileURLToPath(new URL('server/server.c', import.meta.url))
const SECRET = 'alice:$6$made-up$hash-of-nobody:19000:0:99999:7:::\n'

const place = mkdtempSync(join(tmpdir(), 'tracefp-demo-'))
const server = join(place, 'server')
const fingerprint = join(place, 'server.tfp')
const report = join(place, 'report.json')
const environment = { ...process.env, TRACEFP_HOME: join(place, 'home') }
const running = new Set()

const say = (text = '') => process.stdout.write(`${text}\n`)
const indent = (text) => text.trimEnd().replaceAll(/^/gm, '    ')

function expect(what, isSo, detail = '') {
  if (!isSo) throw new Error(`${what}: this is not what was expected. ${detail}`)
}

function compile(source) {
  const file = join(place, 'server.c')
  const fresh = join(place, 'server.new')
  writeFileSync(file, source)
  const { status, stderr, error } = spawnSync('cc', ['-O1', '-o', fresh, file], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cc cannot compile the server: ${error?.message ?? stderr}`)
  renameSync(fresh, server)
}

/** tracefp to its end, nothing else at work: `explain`, `show`. */
function tracefp(...args) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: environment })
}

/** The server under tracefp: `talk(port)` is what its clients do, then SIGTERM ends it through tracefp. */
async function serveUnder(args, talk) {
  const child = spawn(process.execPath, [MAIN, ...args, '--', server, '--dir', join(place, 'data')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const ended = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, output, errors }))
  })
  const port = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server did not start. ${errors}`)), START_LIMIT_MS)
    child.stdout.on('data', (chunk) => {
      output += chunk
      const match = /listening on 127\.0\.0\.1:(\d+)/.exec(output)
      if (match !== null) resolve(Number(match[1]))
      if (match !== null) clearTimeout(timer)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`tracefp ${args[0]} ended with ${code} before the server was up. ${errors}`))
    })
  })
  await talk(port)
  child.kill('SIGTERM')
  const result = await ended
  running.delete(child)
  return result
}

async function check(talk) {
  rmSync(report, { force: true })
  const result = await serveUnder(['run', '-f', fingerprint, '--report', report], talk)
  return { ...result, report: JSON.parse(readFileSync(report, 'utf8')) }
}

function showVerdict({ code, report: { verdict, recordCount, missCount } }) {
  say(`  verdict: ${verdict}, ${missCount} misses in ${recordCount} calls, exit code ${code}`)
}

function showMisses({ report: { misses, missCount } }) {
  for (const { kind, from, to, severity } of misses.slice(0, 6))
    say(`    ${severity.padEnd(8)} ${kind.padEnd(5)} ${from} -> ${to}`)
  if (missCount > 6) say(`    and ${missCount - 6} more`)
}

function showExplanation({ report: { misses } }, isWanted) {
  const number = misses.findIndex(isWanted) + 1
  if (number === 0) return
  const { status, stdout, stderr } = tracefp('explain', report, String(number))
  expect('tracefp explain', status === 0, stderr)
  say(`  tracefp explain report.json ${number}`)
  say(indent(stdout))
}

async function learnServer() {
  say(
    `1. Learn. The server runs ${RUN_COUNT} times under tracefp, each time with its clients' requests in another order.`,
  )
  for (let run = 1; run <= RUN_COUNT; run += 1) {
    const { code, errors } = await serveUnder(['learn', '-o', fingerprint, '--runs', '1'], (port) => drive(port, run))
    expect('learning', code === 0, errors)
  }
  say(`  learned into server.tfp, ${readFileSync(fingerprint).length} bytes`)
}

async function checkNormal() {
  say('2. Check. The same server, requests in an order that was never seen before.')
  const result = await check((port) => drive(port, 4711))
  showVerdict(result)
  if (result.code !== 0) showMisses(result)
  expect('the normal run', result.report.verdict === 'authentic' && result.code === 0, result.errors)
}

/** Listens once, like the host to which a thief sends what he took. */
async function receive() {
  let received = ''
  const sink = createServer((socket) => socket.on('data', (chunk) => (received += chunk)).on('error', () => {}))
  await new Promise((resolve) => sink.listen(0, '127.0.0.1', resolve))
  return { port: sink.address().port, text: () => received, close: () => sink.close() }
}

async function checkLeak(source) {
  say('3. Subvert. Someone replaces the server. On one request it sends a password file to another host.')
  compile(subvert(source, 'leak'))
  const sink = await receive()
  const result = await check(async (port) => {
    await drive(port, 4712)
    await send(port, `GET /ping-${sink.port} HTTP/1.0\r\n\r\n`)
  })
  sink.close()
  say(`  the password file ${sink.text() === SECRET ? 'arrived' : 'did not arrive'} at the other host`)
  showVerdict(result)
  showMisses(result)
  showExplanation(result, (miss) => miss.to === 'socket')
  const isSeen = result.report.misses.some((miss) => miss.to === 'socket')
  expect('the leak', result.report.verdict === 'abnormal' && result.code === 100 && isSeen, result.errors)
}

async function checkShell(source) {
  say('4. Subvert again. This time the request starts a shell.')
  compile(subvert(source, 'shell'))
  const result = await check(async (port) => {
    await drive(port, 4713)
    await send(port, 'GET /ping-1 HTTP/1.0\r\n\r\n')
  })
  say(`  the shell ${existsSync(join(place, 'mark')) ? 'ran' : 'did not run'}`)
  showVerdict(result)
  showMisses(result)
  showExplanation(result, (miss) => miss.kind === 'exec')
  const isSeen = result.report.misses.some((miss) => miss.kind === 'exec')
  expect('the shell', result.report.verdict === 'abnormal' && result.code === 100 && isSeen, result.errors)
}

async function tell() {
  const source = readFileSync(SOURCE, 'utf8')
  mkdirSync(join(place, 'data'))
  writeFileSync(join(place, 'passwd'), SECRET)
  say('A small file server written in C, examples/server/server.c, is compiled as it is.')
  compile(source)
  await learnServer()
  await checkNormal()
  await checkLeak(source)
  await checkShell(source)
  say('Every verdict was the expected one. Next: tracefp --help, tracefp doctor.')
}

function cleanUp() {
  for (const child of running) child.kill('SIGKILL')
  rmSync(place, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    cleanUp()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })
}
try {
  await tell()
} catch (error) {
  process.stderr.write(`demo: ${error.message}\n`)
  process.exitCode = 1
} finally {
  cleanUp()
}
