// What the command line gives up under engine ebpf, in all its threads, and that it still does what it is asked.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { check, type Report } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { neededByEbpf } from '../../src/source/privileges.ts'
import { whyNoEbpf } from './record.ts'
import { killServices, learnService } from './service.ts'

const NOBODY = 65_534
const whyNot = (await whyNoEbpf()) ?? (process.geteuid?.() === 0 ? null : 'only root has something to give up')
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
const folder = mkdtempSync(join(tmpdir(), 'privileges-'))
const home = join(folder, 'home')
const fingerprint = join(folder, 'service.tfp')
const report = join(folder, 'report.json')
const few = neededByEbpf(true).toString(16).padStart(16, '0')
const environment: Record<string, string | undefined> = { ...process.env, TRACEFP_HOME: home }
const cli = join(PACKAGE_ROOT, 'lib/tracefp.cjs')
let program = ''
let started: ChildProcess[] = []

beforeAll(async () => {
  if (whyNot === null) program = await learnService(folder, fingerprint, home, 2)
  chmodSync(folder, 0o755)
})
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started = []
  killServices()
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Of another user. */
function service(): ChildProcess {
  const child = spawn(program, [join(tmpdir(), 'nobody-makes-this', 'evil')], {
    uid: NOBODY,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  started.push(child)
  return child
}

/** What it was learned to do: the first step of who is joined is not judged. */
async function works(child: ChildProcess): Promise<void> {
  for (const letter of 'gg') {
    const answer = new Promise((resolve) => child.stdout?.once('data', resolve))
    child.stdin?.write(letter)
    await answer
  }
}

function attach(...args: string[]): ChildProcess {
  for (const told of [report, join(home, 'inbox')]) rmSync(told, { recursive: true, force: true })
  const child = spawn(
    process.execPath,
    [cli, 'attach', '--engine', 'ebpf', '-f', fingerprint, '--report', report, ...args],
    {
      env: environment,
      stdio: 'ignore',
    },
  )
  started.push(child)
  return child
}

async function ended(child: ChildProcess): Promise<Report> {
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
  return JSON.parse(readFileSync(report, 'utf8')) as Report
}

/** A field of each of its threads, each value once. */
function inAllThreads(pid: number, field: string): string[] {
  const values = readdirSync(`/proc/${pid}/task`).map((tid) => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1')
    return new RegExp(`^${field}:\t(.*)$`, 'm').exec(status)?.[1] ?? ''
  })
  return [...new Set(values)]
}

/** Whether or not anybody has waited for it. */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return true
  }
}

/** An attach has joined: it says in the store that it has begun. */
async function hasJoined(): Promise<void> {
  const inbox = join(home, 'inbox')
  const isTold = (): boolean => existsSync(inbox) && readdirSync(inbox).some((name) => name.endsWith('.begin'))
  for (let i = 0; i < 1000 && !isTold(); i++) await sleep(10)
}

/** The kernel's half of it is there. */
async function isWatching(pid: number): Promise<void> {
  const names = (): string[] => readdirSync(`/proc/${pid}/fd`).map((fd) => readLinkOf(`/proc/${pid}/fd/${fd}`))
  for (let i = 0; i < 1000 && !names().some((name) => name.includes('bpf')); i++) await sleep(10)
}

/** Empty: it was closed meanwhile. */
function readLinkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

describe.skipIf(whyNot !== null)('the command line under engine ebpf', () => {
  test('has only the capabilities it needs, in all its threads and for good', async () => {
    const child = service()
    const watch = attach('--pid', `${child.pid}`)
    await hasJoined()
    const needed = neededByEbpf(false).toString(16).padStart(16, '0')
    for (const field of ['CapPrm', 'CapEff', 'CapBnd'])
      expect(inAllThreads(watch.pid as number, field)).toEqual([needed])
    expect(inAllThreads(watch.pid as number, 'NoNewPrivs')).toEqual(['1'])
    expect(inAllThreads(watch.pid as number, 'CapBnd')).toHaveLength(1)
    await works(child)
    watch.kill('SIGTERM')
    const told = await ended(watch)
    expect([told.verdict, told.programs[0]?.sha256?.length]).toEqual(['authentic', 64])
  })

  test('kills a process of another user at a miss', async () => {
    const child = service()
    const watch = attach('--pid', `${child.pid}`, '--on-miss', 'kill')
    await hasJoined()
    expect(inAllThreads(watch.pid as number, 'CapPrm')).toEqual([few])
    const killed = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    await works(child)
    child.stdin?.write('e')
    expect(await killed).toBe('SIGKILL')
    expect((await ended(watch)).misses.map(({ to }) => to)).toContain('mkdir')
  })

  test('says before it begins which file it could not use any more', async () => {
    const child = service()
    const theirs = join(folder, 'theirs.tfp')
    writeFileSync(theirs, readFileSync(fingerprint))
    chmodSync(theirs, 0o600)
    spawnSync('chown', [`${NOBODY}`, theirs])
    const args = [cli, 'attach', '--no-store', '--engine', 'ebpf', '-f', theirs, '--pid', `${child.pid}`]
    const refused = spawnSync(process.execPath, args, { env: environment, encoding: 'utf8' })
    expect([refused.status, refused.stderr]).toEqual([125, expect.stringContaining('--keep-privileges')])
    const watch = attach('-f', theirs, '--pid', `${child.pid}`, '--keep-privileges')
    await hasJoined()
    await works(child)
    watch.kill('SIGTERM')
    expect((await ended(watch)).verdict).toBe('authentic')
  })
})

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** No fingerprint is needed to see what a program finds. */
function run(engine: string, argv: readonly string[], ...more: string[]): Ran {
  const options = ['run', '--no-store', '-q', '--exit-status', 'program', '--engine', engine, ...more]
  return spawnSync(process.execPath, [cli, ...options, '--', ...argv], {
    env: environment,
    encoding: 'utf8',
    cwd: folder,
  })
}

/** tracefp, which has given up its privileges and waits before it does anything else, and the program that waits for it. */
async function waiting(): Promise<{ child: ChildProcess; held: number; ran: string; goOn(): void }> {
  const [began, ran, preload] = ['began', 'ran', 'wait.cjs'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const file of [began, ran]) rmSync(file, { force: true })
  const script = `const fs = require('node:fs')
    const [text, began] = [process.env.TRACEFP_BEGUN_ANEW, ${JSON.stringify(began)}]
    if (text !== undefined) {
      fs.writeFileSync(began + '.new', text)
      fs.renameSync(began + '.new', began)
      while (fs.existsSync(began)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }`
  writeFileSync(preload, script)
  const child = spawn(process.execPath, [cli, 'run', '--no-store', '--engine', 'ebpf', '--', 'touch', ran], {
    env: { ...environment, NODE_OPTIONS: `--require=${preload}` },
    stdio: 'ignore',
  })
  started.push(child)
  for (let i = 0; i < 1000 && !existsSync(began); i++) await sleep(20)
  const [own, held] = readFileSync(began, 'utf8').split(' ').map(Number) as [number, number]
  expect(own).toBe(child.pid)
  expect(readFileSync(`/proc/${held}/stat`, 'latin1')).toContain(` ${own} `)
  return { child, held, ran, goOn: () => rmSync(began) }
}

describe.skipIf(whyNot !== null)('a program that is run under engine ebpf', () => {
  test('has the privileges that tracefp was given, which has only those it needs', () => {
    const fields = '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Groups|Uid|Gid):'
    const told = (file: string): string => spawnSync('grep', ['-E', fields, file], { encoding: 'utf8' }).stdout
    const script = `grep -E '${fields}' /proc/self/status; echo --; grep -E '^(CapPrm|CapBnd|NoNewPrivs):' /proc/$PPID/status`
    const [program, tracefp] = run('ebpf', ['sh', '-c', script]).stdout.split('--\n')
    expect(program).toBe(told('/proc/self/status'))
    const needed = neededByEbpf(true).toString(16).padStart(16, '0')
    expect(tracefp).toBe(`CapPrm:\t${needed}\nCapBnd:\t${needed}\nNoNewPrivs:\t1\n`)
  })

  test('begins as under another engine, and tracefp ends as it does', () => {
    const script =
      'pwd; umask; ulimit -a; env | sort; ls /proc/self/fd; grep -E "^(SigP|SigB|SigI|SigC|Shd)" /proc/self/status; ' +
      'cut -d" " -f 5-8 /proc/self/stat; echo "$0" "$@"; exit 7'
    const [ebpf, trace] = ['ebpf', 'trace'].map((engine) => {
      const { status, stdout } = run(engine, ['sh', '-c', script, 'a b', 'c'])
      // Of the process group only that there is one, and that it is in its parent's session.
      return [status, stdout.replace(/^(\d+) (\d+) /m, 'group ')]
    })
    expect(ebpf?.[0]).toBe(7)
    expect(ebpf).toEqual(trace)
  })

  test('that cannot be executed is told as under another engine', () => {
    const script = join(folder, 'no-interpreter')
    writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 })
    const [ebpf, trace] = ['ebpf', 'trace'].map((engine) => run(engine, [script]))
    expect(ebpf).toMatchObject({ status: 127, stderr: trace?.stderr })
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('is never run where tracefp gets %s before it follows it', async (how) => {
    const { child, held, ran } = await waiting()
    child.kill(how)
    for (let i = 0; i < 500 && !hasEnded(held); i++) await sleep(20)
    expect([hasEnded(held), existsSync(ran)]).toEqual([true, false])
  })

  test('that a signal ends before it begins ends tracefp as that signal would', async () => {
    const { child, held, ran, goOn } = await waiting()
    process.kill(held, 'SIGINT')
    goOn()
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect([code, existsSync(ran)]).toEqual([130, false])
  })

  test('has its own privileges in every capture, too', () => {
    const capture = join(folder, 'capture.tfc')
    const { stdout, status } = spawnSync(
      process.execPath,
      [cli, 'record', '-o', capture, '--engine', 'ebpf', '--', 'grep', 'CapPrm', '/proc/self/status'],
      { env: environment, encoding: 'utf8' },
    )
    expect([status, stdout]).toEqual([
      0,
      spawnSync('grep', ['CapPrm', '/proc/self/status'], { encoding: 'utf8' }).stdout,
    ])
    expect(existsSync(capture)).toBe(true)
  })

  test('keeps tracefp from giving up what its own file needs to be read', () => {
    const own = join(folder, 'own')
    spawnSync('cp', ['/bin/true', own])
    spawnSync('chown', [`${NOBODY}`, own])
    chmodSync(own, 0o700)
    expect(run('ebpf', [own])).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('privileges were not given up'),
    })
  })
})

describe.skipIf(whyNot !== null)('a program that is learned under engine ebpf', () => {
  const learn = (file: string, runs: number, script: string): Ran =>
    spawnSync(
      process.execPath,
      [cli, 'learn', '--engine', 'ebpf', '-o', join(folder, file), '--runs', `${runs}`, '--', 'sh', '-c', script],
      { env: environment, encoding: 'utf8', cwd: folder, timeout: 60_000 },
    )
  /** Of those that tracefp starts, the one that starts the program. */
  const maker = 'for p in $(cat /proc/$PPID/task/*/children); do grep -q maker /proc/$p/comm && echo $p; done'

  test('has in each run the privileges that tracefp was given, which has only those it needs', () => {
    const script = 'grep CapPrm /proc/self/status; grep -E "^(CapPrm|CapBnd|NoNewPrivs):" /proc/$PPID/status'
    const { status, stdout } = learn('learned.tfp', 2, script)
    const own = spawnSync('grep', ['CapPrm', '/proc/self/status'], { encoding: 'utf8' }).stdout
    const run = `${own}CapPrm:\t${few}\nCapBnd:\t${few}\nNoNewPrivs:\t1\n`
    expect([status, stdout]).toEqual([0, `${run}${run}`])
  })

  test('is not run again where nobody is left to start it with its privileges', () => {
    const { status, stdout, stderr } = learn('once.tfp', 3, `echo ran; kill -9 $(${maker})`)
    expect([status, stdout, stderr]).toEqual([125, 'ran\n', expect.stringContaining('with its privileges is gone')])
    expect(existsSync(join(folder, 'once.tfp'))).toBe(true)
  })

  test('leaves nobody with privileges where tracefp is killed', async () => {
    const { stdout } = learn('killed.tfp', 1, `${maker}; kill -9 $PPID`)
    expect(Number(stdout)).toBeGreaterThan(1)
    for (let i = 0; i < 500 && !hasEnded(Number(stdout)); i++) await sleep(20)
    expect(hasEnded(Number(stdout))).toBe(true)
  })
})

/** Who judges for a host: the only child of this one that does. */
function judgeOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1])
}

describe.skipIf(whyNot !== null)('a program that a host starts under engine ebpf, with a process of its own', () => {
  const apart = { engine: 'ebpf', thread: 'process', home, stdio: 'pipe' } as const

  test('has the privileges of the host; who judges it has few', async () => {
    const child = check(['sh', '-c', 'grep ^CapPrm /proc/self/status; cat; echo err >&2; exit 5'], apart)
    const judge = judgeOf(await child.pid)
    expect(['CapPrm', 'CapEff', 'CapBnd', 'NoNewPrivs'].map((field) => inAllThreads(judge, field))).toEqual([
      [few],
      [few],
      [few],
      ['1'],
    ])
    child.stdin?.end('through\n')
    const [stdout, stderr] = await Promise.all(
      [child.stdout, child.stderr].map(async (stream) => {
        let text = ''
        for await (const chunk of stream ?? []) text += chunk
        return text
      }),
    )
    const own = readFileSync('/proc/self/status', 'latin1')
    expect([stdout, stderr]).toEqual([`${/^CapPrm.*\n/m.exec(own)?.[0]}through\n`, 'err\n'])
    const { exit, source, recordCount } = await child.report
    expect([exit.code, source.engine, recordCount > 20]).toEqual([5, 'ebpf', true])
  })

  test('is killed where that process is', async () => {
    const child = check(['sleep', '100'], apart)
    const pid = await child.pid
    process.kill(judgeOf(pid), 'SIGKILL')
    await expect(child.report).rejects.toThrow('ended before its task was done')
    for (let i = 0; i < 500 && !hasEnded(pid); i++) await sleep(20)
    expect(hasEnded(pid)).toBe(true)
  })

  test('is killed where its host is, and where that stops it', async () => {
    const script = `import { check } from ${JSON.stringify(join(PACKAGE_ROOT, 'lib/index.js'))}
      const child = check(['sleep', '100'], ${JSON.stringify({ ...apart, stdio: 'ignore' })})
      console.log(await child.pid)`
    const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    started.push(host)
    const pid = await new Promise<number>((resolve) => host.stdout?.once('data', (text) => resolve(Number(text))))
    expect(hasEnded(pid)).toBe(false)
    host.kill('SIGKILL')
    for (let i = 0; i < 500 && !hasEnded(pid); i++) await sleep(20)
    expect(hasEnded(pid)).toBe(true)
    const child = check(['sleep', '100'], apart)
    await child.pid
    child.stop()
    expect((await child.report).exit.signal).toBe('SIGKILL')
  })

  test('is told of as by a worker: misses, errors, what cannot be executed', async () => {
    const child = check([program, join(tmpdir(), 'nobody-makes-this', 'evil')], {
      ...apart,
      fingerprint,
      onMiss: 'kill',
    })
    await child.pid
    child.stdin?.write('e')
    const told: unknown[] = []
    for await (const { to, action } of child.misses()) told.push([to, action])
    expect(told[0]).toEqual(['mkdir', 'late-kill'])
    expect((await child.report).exit.signal).toBe('SIGKILL')
    const damaged = join(folder, 'damaged.tfp')
    writeFileSync(damaged, 'nothing')
    await expect(check(['true'], { ...apart, fingerprint: damaged }).report).rejects.toMatchObject({
      code: 'TFP_ERR_MODEL_FORMAT',
    })
    const script = join(folder, 'no-interpreter')
    writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 })
    await expect(check([script], apart).report).rejects.toMatchObject({ code: 'TFP_ERR_ENGINE_NOT_FOUND' })
  })

  test('is judged with all privileges where a file needs them, and that is told', async () => {
    const theirs = join(folder, 'their.tfp')
    writeFileSync(theirs, readFileSync(fingerprint))
    chmodSync(theirs, 0o600)
    spawnSync('chown', [`${NOBODY}`, theirs])
    const kept: string[] = []
    const onPrivilegesKept = (why: string): void => void kept.push(why)
    const child = check([program, 'x', 'evil'], { ...apart, fingerprint: theirs, onPrivilegesKept })
    child.stdin?.end('g')
    // Whoever reads what it writes hears of its end.
    for await (const _ of child.stdout ?? []);
    expect((await child.report).programs[0]?.fingerprint).not.toBeNull()
    expect(kept).toEqual([`${theirs} belongs to another user`])
  })
})

describe.skipIf(whyNot !== null)('learning what runs, under engine ebpf', () => {
  test('takes no more than it needs', async () => {
    const { pid } = service()
    const file = join(folder, 'watched.tfp')
    const learning = spawn(
      process.execPath,
      [cli, 'learn', '--pid', `${pid}`, '--slice', '0.2s', '--runs', '1', '-o', file],
      { env: environment, stdio: 'ignore' },
    )
    started.push(learning)
    await isWatching(learning.pid as number)
    const needed = neededByEbpf(false).toString(16).padStart(16, '0')
    expect(inAllThreads(learning.pid as number, 'CapPrm')).toEqual([needed])
    expect(await new Promise((resolve) => learning.once('exit', resolve))).toBe(0)
    expect(existsSync(file)).toBe(true)
  })
})
