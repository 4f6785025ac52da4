// What wears a tracer out: masses of processes, threads and execs, other tracers, namespaces, containers, no memory.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { ENGINES } from './guarding.ts'
import { type Recorded, recordRun } from './record.ts'

const MAIN = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
const folder = mkdtempSync(join(tmpdir(), 'hard-life-'))
const program = join(folder, 'hard_life')
const mapping = linuxMapping()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(() => {
  const source = fileURLToPath(new URL('hard_life.c', import.meta.url))
  const { status, stderr } = spawnSync('cc', ['-O1', '-pthread', '-o', program, source], { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
})

const isThere = (command: string): boolean => spawnSync(command, ['--version']).error === undefined
const isRoot = process.geteuid?.() === 0

/** Calls, births and execs of a run; every track that began has ended, and once. */
function tallyOf({ events, exit }: Recorded) {
  const calls = new Map<string, number>()
  const tally = { forks: 0, threads: 0, execs: 0, exit, calls }
  const alive = new Set<number>()
  for (const event of events) {
    if (event.type === 'birth') {
      if (event.kind === 'fork') tally.forks++
      if (event.kind === 'thread') tally.threads++
      expect(alive.has(event.tid)).toBe(false)
      alive.add(event.tid)
    } else if (event.type === 'exec') {
      tally.execs++
      if (event.formerTid !== event.tid) alive.delete(event.formerTid)
    } else if (event.type === 'exit') {
      expect(alive.delete(event.tid)).toBe(true)
    } else if (event.type === 'call' && !event.isRestart) {
      const name = mapping.symbolOf(event.abi, event.nr)
      calls.set(name, (calls.get(name) ?? 0) + 1)
    }
  }
  expect(alive.size).toBe(0)
  return tally
}

async function live(engine: 'notify' | 'trace', what: string, count: number) {
  const run = await recordRun([program, what, String(count)], { engine, timeoutMs: 120_000 })
  return tallyOf(run)
}

function tracefp(...args: string[]) {
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'home') }
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env, timeout: 60_000 })
}

const DONE = { code: 0, signal: null }

describe.each(ENGINES)('engine %s', { timeout: 120_000 }, (engine) => {
  const forks = engine === 'notify' ? 10_000 : 2_000

  test(`${forks} forks are ${forks} tracks, and each ends once`, async () => {
    const tally = await live(engine, 'forks', forks)
    expect(tally).toMatchObject({ exit: DONE, forks, threads: 0, execs: 1 })
    expect(tally.calls.get('getppid')).toBe(forks)
  })

  test('256 threads at once are 256 tracks with all their calls', async () => {
    const tally = await live(engine, 'threads', 256)
    expect(tally).toMatchObject({ exit: DONE, forks: 0, threads: 256 })
    expect(tally.calls.get('getppid')).toBe(25_600)
  })

  test('300 execs of one process are 300 programs of one track', async () => {
    expect(await live(engine, 'execs', 300)).toMatchObject({ exit: DONE, forks: 0, execs: 301 })
  })

  test('200 times vfork and exec are 200 tracks with a program each', async () => {
    expect(await live(engine, 'vforks', 200)).toMatchObject({ exit: DONE, forks: 200, execs: 201 })
  })

  test('who closes all descriptors and blocks and ignores all signals is seen as before', async () => {
    const tally = await live(engine, 'closes', 1_000)
    expect(tally).toMatchObject({ exit: DONE, forks: 1 })
    expect(tally.calls.get('getppid')).toBe(1_000)
  })

  test('a program without memory goes on as it would', async () => {
    const script = `ulimit -v 60000; exec ${program} takes 1000`
    expect((await recordRun(['sh', '-c', script], { engine })).exit).toEqual(DONE)
  })

  test('processes in namespaces of their own are known by the numbers they have outside', async ({ skip }) => {
    const args = ['unshare', '-rUpf', '--mount-proc', 'sh', '-c', 'echo $$ && readlink /proc/self && :']
    const alone = spawnSync(args[0] as string, args.slice(1), { encoding: 'utf8' })
    if (alone.status !== 0) skip('no user namespaces here')
    const { stdout, status } = tracefp('record', '--engine', engine, '-o', join(folder, 'ns.tfc'), '--', ...args)
    expect({ stdout, status }).toEqual({ stdout: '1\n2\n', status: 0 })
    expect(tallyOf(await recordRun(args, { engine, launch: { stdio: [-1, -1, 2] } }))).toMatchObject({ forks: 2 })
  })

  test('a program that changes its root goes on in it', ({ skip }) => {
    const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync)
    if (!isRoot || busybox === undefined) skip('needs root and busybox')
    const root = join(folder, `root-${engine}`)
    mkdirSync(join(root, 'bin'), { recursive: true })
    cpSync(busybox as string, join(root, 'bin/busybox'))
    const args = ['chroot', root, '/bin/busybox', 'sh', '-c', 'busybox ls /; busybox true']
    const { stdout, status } = tracefp('record', '--engine', engine, '-o', join(folder, 'root.tfc'), '--', ...args)
    expect({ stdout, status }).toEqual({ stdout: 'bin\n', status: 0 })
  })

  test.for([
    ['strace', '-f', 'true'],
    ['gdb', '-nx', '-batch', '-ex', 'run', 'true'],
  ])('%s under tracefp fails, and a note says why', (args, { skip }) => {
    const command = args[0] as string
    if (!isThere(command)) skip(`no ${command}`)
    const { stderr, status } = tracefp('run', '--engine', engine, '--', ...args)
    expect(status).toBe(102)
    expect(stderr).toMatch(/note: the program asked for a tracer of its own and was refused \(EPERM\)/)
  })
})

test('tracefp under tracefp says who traces it', () => {
  const { stderr } = tracefp('run', '--', process.execPath, MAIN, 'run', '--', 'true')
  expect(stderr).toMatch(/^tracefp: ptrace\(PTRACE_SEIZE\): .*: process \d+ \(.+\) traces tracefp/m)
})

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync)
const hasRunc = isRoot && busybox !== undefined && isThere('runc')
describe.skipIf(!hasRunc)(`containers${hasRunc ? '' : ' (skipped: needs root, runc and busybox)'}`, () => {
  const bundle = join(folder, 'bundle')
  const name = (): string => `tracefp-${process.pid}-${Date.now()}`

  /** A bundle; `mounts`: of this machine, and without them busybox. */
  function configure(args: readonly string[], mounts: readonly string[], refused: readonly string[] = []): void {
    rmSync(bundle, { recursive: true, force: true })
    mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true })
    cpSync(busybox as string, join(bundle, 'rootfs/bin/busybox'))
    symlinkSync('busybox', join(bundle, 'rootfs/bin/sh'))
    spawnSync('runc', ['spec'], { cwd: bundle })
    const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
    const env = ['PATH=/usr/bin:/bin', 'TRACEFP_HOME=/dev/shm/home']
    config.process = { ...config.process, terminal: false, args, env }
    config.root.readonly = false
    delete config.linux.resources
    config.linux.namespaces = config.linux.namespaces.filter(
      ({ type }: { type: string }) => !['network', 'cgroup'].includes(type),
    )
    config.mounts = config.mounts.filter(({ type }: { type: string }) => !['cgroup', 'sysfs'].includes(type))
    for (const path of mounts) {
      config.mounts.push({ destination: path, type: 'bind', source: path, options: ['rbind', 'ro'] })
    }
    if (refused.length > 0) {
      const syscalls = [{ names: refused, action: 'SCMP_ACT_ERRNO' }]
      config.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls }
    }
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
  }

  test.each(ENGINES)(
    'a container that is started under tracefp runs as it would: %s',
    { timeout: 60_000 },
    (engine) => {
      configure(['/bin/sh', '-c', 'echo $$; busybox true; busybox echo inside'], [])
      const env = { ...process.env, TRACEFP_HOME: join(folder, 'home') }
      const args = [MAIN, 'record', '--engine', engine, '-o', join(folder, 'c.tfc'), '--', 'runc', 'run', name()]
      const { stdout, status } = spawnSync(process.execPath, args, { cwd: bundle, encoding: 'utf8', env })
      expect({ stdout, status }).toEqual({ stdout: '1\ninside\n', status: 0 })
    },
  )

  test.each([[[]], [['pidfd_getfd']]])(
    'tracefp works in a container that refuses %j',
    { timeout: 60_000 },
    (refused) => {
      const places = ['/usr', '/lib', '/lib64', '/bin', PACKAGE_ROOT].filter(existsSync)
      const command = [process.execPath, MAIN, 'run', '--report', '-', '--', 'true']
      configure(command, places, refused)
      const { stdout, stderr } = spawnSync('runc', ['run', name()], { cwd: bundle, encoding: 'utf8' })
      expect(stdout, stderr).not.toBe('')
      const { recordCount, exit, source } = JSON.parse(stdout)
      expect(exit).toEqual({ code: 0, signal: null })
      expect(recordCount).toBeGreaterThan(10)
      expect(['notify', 'trace']).toContain(source.engine)
    },
  )
})
