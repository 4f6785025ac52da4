// Endurance, as a command of its own: many short sessions in one host must leave nothing behind (descriptors, threads,
// memory), and tracefp killed at any moment must leave no tracee alive and no file half-written; under guard, no call that
// was to be denied may have happened either.
//
//   node scripts/soak.mjs [--sessions 1000] [--kills 50] [--guarded-kills 200]

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { check, learn, openFingerprint } from '../lib/index.js'

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '50' },
    'guarded-kills': { type: 'string', default: '200' },
  },
})
const MAIN = fileURLToPath(new URL('../lib/tracefp.cjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tracefp-soak-'))
const home = join(folder, 'home')
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const failures = []
const expect = (what, isSo) => {
  if (!isSo) failures.push(what)
}

const descriptorCount = () => readdirSync('/proc/self/fd').length
const threadCount = () => readdirSync('/proc/self/task').length
const residentKiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])

async function manySessions(count) {
  const file = join(folder, 'many.tfp')
  const command = ['sh', '-c', 'cat /etc/hostname | wc -c']
  for (let i = 0; i < 5; i++) await learn(command, { file, home, stdio: 'ignore' })
  const one = async () => {
    const session = check(command, { fingerprint: file, home, stdio: 'ignore' })
    return await session.outcome
  }
  const warmUp = Math.min(100, count)
  for (let i = 0; i < warmUp; i++) await one()
  global.gc?.()
  const before = { descriptors: descriptorCount(), threads: threadCount(), resident: residentKiB() }
  const outcomes = new Map()
  for (let i = 0; i < count; i++) {
    const outcome = await one()
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  await sleep(500)
  global.gc?.()
  const after = { descriptors: descriptorCount(), threads: threadCount(), resident: residentKiB() }
  console.log(`${count} sessions: ${[...outcomes].map(([name, n]) => `${n} ${name}`).join(', ')}`)
  for (const name of Object.keys(before)) console.log(`  ${name}: ${before[name]} before, ${after[name]} after`)
  expect('every session is authentic or says why', (outcomes.get('inconclusive') ?? 0) === 0)
  expect('no descriptor is left open', after.descriptors <= before.descriptors)
  expect('no thread is left running', after.threads <= before.threads)
  // A heap of V8 breathes; a leak of one ring a session (1 MiB) would be 1 GiB.
  expect('memory does not grow by more than 64 MiB', after.resident - before.resident < 64 * 1024)
}

function survivors(mark) {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(mark)
    } catch {
      return false
    }
  })
}

async function manyKills(count) {
  const file = join(folder, 'killed.tfp')
  const mark = `soak-${process.pid}`
  const script = `for i in 1 2 3; do (sleep 0.01; ls / >/dev/null) & done; wait # ${mark}`
  const args = [MAIN, 'learn', '-o', file, '--runs', '1000', '--', 'sh', '-c', script, mark]
  let readableCount = 0
  for (let i = 0; i < count; i++) {
    const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, TRACEFP_HOME: home } })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    await sleep(50 + Math.random() * 1500)
    child.kill('SIGKILL')
    await ended
    await sleep(50)
    const alive = survivors(mark)
    expect(`no tracee survives kill ${i} (alive: ${alive.join(' ')})`, alive.length === 0)
    try {
      await openFingerprint(file)
      readableCount++
    } catch (error) {
      if (error.code !== 'TFP_ERR_FILE') failures.push(`after kill ${i}: ${error.message}`)
    }
  }
  const last = await learn(['true'], { file: join(folder, 'other.tfp'), home, stdio: 'ignore' })
  expect('learning goes on after kills', last.isLearned)
  const leftovers = readdirSync(folder).filter((name) => name.endsWith('.tmp'))
  console.log(
    `${count} kills: fingerprint readable after ${readableCount}, ${leftovers.length} temporary files lie about`,
  )
}

/** Processes and threads that try what is denied, over and over, while their tracer is killed. */
async function manyGuardedKills(count) {
  const file = join(folder, 'guarded.tfp')
  const target = join(folder, `target-${process.pid}`)
  const program = join(folder, 'guarded_call')
  const source = fileURLToPath(new URL('../test/tracees/guarded_call.c', import.meta.url))
  const cc = spawnSync('cc', ['-O1', '-pthread', '-D_GNU_SOURCE', '-static', '-o', program, source], {
    stdio: 'inherit',
  })
  if (cc.status !== 0) return failures.push('guarded_call.c cannot be compiled')
  const script = 'for i in 1 2 3; do "$1" "$2" "$3" "$4" & done; wait'
  const command = (...args) => ['sh', '-c', script, 'sh', program, ...args]
  for (let i = 0; i < 10; i++) await learn(command('none', target, '0'), { file, home, stdio: 'ignore' })
  const tallies = new Map()
  for (let i = 0; i < count; i++) {
    const engine = ['notify', 'trace'][i % 2]
    const policy = ['deny', 'freeze', 'deny', 'kill'][(i >> 1) % 4]
    const report = join(folder, 'report.json')
    const options = ['-f', file, '--engine', engine, '--on-miss', policy, '--report', report]
    const args = [MAIN, 'run', ...options, '--', ...command('mkdir', target, '200000')]
    const child = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, TRACEFP_HOME: home } })
    const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)))
    await sleep(50 + Math.random() * 1000)
    child.kill('SIGKILL')
    const moment = (await ended) === 'SIGKILL' ? 'alive' : 'over'
    tallies.set(`${policy}, ${moment}`, (tallies.get(`${policy}, ${moment}`) ?? 0) + 1)
    for (let wait = 0; wait < 100 && survivors(target).length > 0; wait++) await sleep(20)
    const alive = survivors(target)
    expect(`no tracee survives guarded kill ${i} (alive: ${alive.join(' ')})`, alive.length === 0)
    expect(`nothing that was denied happened before guarded kill ${i}`, !existsSync(target))
    if (existsSync(report)) JSON.parse(readFileSync(report, 'utf8'))
    rmSync(target, { recursive: true, force: true })
    rmSync(report, { force: true })
  }
  const frozen = spawnSync(process.execPath, [MAIN, 'release'], { env: { ...process.env, TRACEFP_HOME: home } })
  expect('no session is said to be frozen after kills', frozen.status === 0 && frozen.stdout.length === 0)
  console.log(`${count} kills under guard: ${[...tallies].map(([what, n]) => `${n} ${what}`).join('; ')}`)
}

if (Number(values.sessions) > 0) await manySessions(Number(values.sessions))
if (Number(values.kills) > 0) await manyKills(Number(values.kills))
await manyGuardedKills(Number(values['guarded-kills']))
for (const failure of failures) console.log(`failed: ${failure}`)
console.log(failures.length === 0 ? 'nothing was left behind' : `${failures.length} failures`)
process.exitCode = failures.length === 0 ? 0 : 1
