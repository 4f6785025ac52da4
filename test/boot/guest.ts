// What runs inside the guest of scripts/boot-kernel.mjs: what `auto` comes to there, the command line, and the tracees. Bundled
// into one file; vitest is not there. Each line `ok`, `not ok` or `skip` is one test; the last line is `done`.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { release } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../../src/index.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { compareRun } from '../live/comparison.ts'
import { parseExpectation } from '../live/expectation.ts'
import { recordRun } from '../live/record.ts'

interface Plan {
  /** The engine that `auto` must come to. */
  readonly auto: string
  readonly engines: readonly ('notify' | 'trace' | 'ebpf')[]
  /** How many times slower than the machine a tracee's own time-out was made for. */
  readonly slowness: number
}

const ROOT = '/tracefp'
/** Their timers fire before an emulated listener has received the call, each time: it is withdrawn and repeated for ever. */
const TOO_FAST = /^timer_handler_/
const plan = JSON.parse(readFileSync(join(ROOT, 'plan.json'), 'utf8')) as Plan
const mapping = linuxMapping()
const symbolOf = (abi: number, nr: number): string => mapping.symbolOf(abi, nr)

async function test(title: string, body: () => readonly string[] | Promise<readonly string[]>): Promise<void> {
  const start = Date.now()
  let problems: readonly string[]
  try {
    problems = await body()
  } catch (error) {
    problems = [error instanceof Error ? error.message : String(error)]
  }
  const seconds = ((Date.now() - start) / 1000).toFixed(1)
  console.log(`${problems.length === 0 ? 'ok' : 'not ok'} ${title} (${seconds} s)`)
  for (const problem of problems) console.log(`  ${problem}`)
}

const env = { PATH: '/bin', TRACEFP_HOME: '/tmp/home', TRACEFP_ADDON: process.env['TRACEFP_ADDON'] }

function tracefp(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(ROOT, 'lib/tracefp.cjs'), ...args], { encoding: 'utf8', env })
}

function engineOf(report: string): string {
  return (JSON.parse(report) as { source: { engine: string } }).source.engine
}

/** Nothing, or what it was instead. */
function differs(what: string, expected: unknown, seen: unknown): string[] {
  return expected === seen ? [] : [`${what}: expected ${expected}, saw ${seen}`]
}

async function commandLine(): Promise<void> {
  await test(`auto comes to ${plan.auto}`, () => {
    const { stdout, stderr } = tracefp('run', '--report', '-', '--', 'true')
    return stdout === '' ? [stderr.trim()] : differs('engine', plan.auto, engineOf(stdout))
  })
  if (plan.auto === 'trace') {
    await test('notify by name says what it needs', () => {
      const { status, stderr } = tracefp('run', '--engine', 'notify', '--', 'true')
      const isTold = stderr.includes('engine notify needs Linux 6.6')
      return [...differs('exit code', 125, status), ...(isTold ? [] : [stderr.trim()])]
    })
  }
  await test('a learned pipeline is authentic, and one that does more is abnormal', () => {
    const pipeline = 'ls / | wc -l; echo $0 | tr a-z A-Z'
    const file = '/tmp/pipeline.tfp'
    const learned = tracefp('learn', '-o', file, '--runs', '5', '--', 'sh', '-c', pipeline)
    const same = tracefp('run', '-f', file, '--', 'sh', '-c', pipeline)
    const more = tracefp('run', '-f', file, '--', 'sh', '-c', `${pipeline}; mkdir /tmp/more`)
    return [
      ...differs('learn', 0, learned.status),
      ...differs(`run (${same.stderr.trim()})`, 0, same.status),
      ...differs('a run that does more', 100, more.status),
    ]
  })
}

/** Does something known at each line of its stdin, and something else at an `e`. Says which it was. */
const SERVICE = 'while read word; do case $word in g) read line < /etc/passwd;; e) cd /tmp;; esac; echo $word; done'

async function ask(service: ChildProcess, word: string): Promise<void> {
  const answered = once(service.stdout as NodeJS.ReadableStream, 'data')
  service.stdin?.write(`${word}\n`)
  await answered
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(100)
}

async function pinned(): Promise<void> {
  const [file, input, pins] = ['/tmp/service.tfp', '/tmp/service.in', '/sys/fs/bpf/tracefp']
  writeFileSync(input, 'g\n'.repeat(9))
  await test('ebpf: a session that is pinned goes on when tracefp is killed', async () => {
    const learned = tracefp('learn', '-o', file, '--runs', '3', '--', 'sh', '-c', `exec < ${input}; ${SERVICE}`)
    const service = spawn('/bin/sh', ['-c', SERVICE], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const watch = ['attach', '-f', file, '--pid', `${service.pid}`]
    await ask(service, 'g')
    const first = spawn(process.execPath, [join(ROOT, 'lib/tracefp.cjs'), ...watch, '--pin'], { env, stdio: 'inherit' })
    await until(() => existsSync(join(pins, `pid-${service.pid}/notebook`)))
    await ask(service, 'g')
    await sleep(2000)
    first.kill('SIGKILL')
    await once(first, 'exit')
    for (const word of 'gggeggg') await ask(service, word)
    const second = tracefp(...watch, '--pin', '--for', '2s', '--report', '-')
    await ask(service, 'g')
    const last = tracefp(...watch, '--unpin', '--report', '-')
    service.kill('SIGKILL')
    const told = JSON.parse(second.stdout) as Report
    const rest = JSON.parse(last.stdout) as Report
    return [
      ...differs('learn', 0, learned.status),
      ...differs(`the second (${second.stderr.trim()})`, 100, second.status),
      ...differs('its first miss', 'chdir', told.misses[0]?.to),
      ...differs('its gaps', 0, told.gapCount),
      ...differs(`the last (${last.stderr.trim()})`, 0, last.status),
      ...differs('its gaps', 0, rest.gapCount),
      ...differs('whether it saw calls', true, rest.recordCount > 0),
      ...differs('what is left', '', readdirSync(pins).join()),
    ]
  })
}

/** What the kernel half reads of overlayfs stands in the BTF of its module here. */
async function overlaid(): Promise<void> {
  if (!existsSync('/overlay.ko')) return console.log('skip ebpf: overlay')
  await test('ebpf: a program on an overlay of several file systems is verified, also when it is copied up', () => {
    const [lower, upper, work, point] = ['/tmp/lower', '/dev/shm/upper', '/dev/shm/work', '/tmp/merged'] as const
    for (const folder of [lower, upper, work, point]) mkdirSync(folder)
    const [file, program] = ['/tmp/overlay.tfp', join(point, 'sleep')]
    copyFileSync('/bin/busybox', join(lower, 'sleep'))
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
    const mounted = spawnSync('mount', ['-t', 'overlay', 'overlay', '-o', options, point], { encoding: 'utf8' })
    const command = ['--', 'sh', '-c', `${program} 3; true`]
    const learned = tracefp('learn', '--engine', 'ebpf', '-o', file, '--runs', '2', ...command)
    const seen = [false, true].map((isCopied) => {
      if (isCopied) chmodSync(program, 0o700)
      return JSON.parse(tracefp('run', '--engine', 'ebpf', '-f', file, '--report', '-', ...command).stdout) as Report
    })
    return [
      ...differs(`mount (${mounted.stderr})`, 0, mounted.status),
      ...differs(`learn (${learned.stderr.trim()})`, 0, learned.status),
      ...seen.flatMap(({ notes, programs }) => [
        ...differs('notes', '', notes.map(({ message }) => message).join()),
        ...differs(
          'whether it was judged',
          true,
          programs.some(({ image, fingerprint }) => image === program && fingerprint !== null),
        ),
      ]),
    ]
  })
}

async function tracees(): Promise<void> {
  const folder = join(ROOT, 'tracees')
  const programs = readdirSync(folder).filter((name) => name.endsWith('.c'))
  for (const engine of plan.engines) {
    for (const source of programs.sort()) {
      const name = basename(source, '.c')
      const program = join(folder, name)
      const expectation = parseExpectation(readFileSync(join(folder, source), 'utf8'))
      const isOther = engine === 'ebpf' && expectation.needsPtrace
      if (!existsSync(program) || isOther || (engine === 'notify' && TOO_FAST.test(name))) {
        console.log(`skip ${engine}: ${name}`)
        continue
      }
      await test(`${engine}: ${name}: ${expectation.sentence}`, async () => {
        const cwd = `/tmp/${name}`
        mkdirSync(cwd)
        const timeoutMs = expectation.timeoutMs * plan.slowness
        // Before Linux 6.6 notify works where it is told to stay on one CPU.
        const launch = engine === 'notify' && plan.auto === 'trace' ? ({ pin: 'always' } as const) : {}
        const run = await recordRun([program], { cwd, timeoutMs, engine, launch })
        rmSync(cwd, { recursive: true, force: true })
        return compareRun(expectation, run, symbolOf)
      })
    }
  }
}

console.log(`Linux ${release()}, Node ${process.version}`)
await commandLine()
if (plan.engines.includes('ebpf')) {
  await pinned()
  await overlaid()
}
await tracees()
console.log('done')
