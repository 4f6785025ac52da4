// Sessions of engine ebpf that outlive their tracefp. The BPF file system that they are pinned in is one of a mount namespace of this
// test's own: nothing of it stays.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { pinTrouble } from '../../src/source/pin.ts'
import { whyNoEbpf } from './record.ts'
import { killServices, learnService, Service } from './service.ts'

const PINS = '/sys/fs/bpf/tracefp'
const folder = mkdtempSync(join(tmpdir(), 'pin-'))
const marker = join(folder, 'evil')
const home = join(folder, 'home')
const fingerprint = join(folder, 'service.tfp')
const report = join(folder, 'report.json')
const environment = { ...process.env, TRACEFP_HOME: home }

/** A mount namespace with a BPF file system of its own, for as long as its process lives. */
const holder = spawn('unshare', ['-m', 'sh', '-c', 'mount -t bpf bpf /sys/fs/bpf && echo ready && exec cat'], {
  stdio: ['pipe', 'pipe', 'pipe'],
})
const whyNot = (await whyNoEbpf()) ?? (await whyNoNamespace())
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
let program = ''
let watches: ChildProcess[] = []

async function whyNoNamespace(): Promise<string | null> {
  return await new Promise((resolve) => {
    holder.once('error', (error) => resolve(`no mount namespace can be made: ${error.message}`))
    holder.once('exit', () => resolve('no BPF file system can be mounted in a namespace of its own'))
    holder.stdout.once('data', () => resolve(null))
  })
}

beforeAll(async () => {
  if (whyNot === null) program = await learnService(folder, fingerprint, home)
})
afterEach(() => {
  for (const watch of watches) watch.kill('SIGKILL')
  watches = []
  killServices()
  spawnSync('nsenter', inside('sh', '-c', `rm -rf ${PINS}/*`))
  rmSync(marker, { recursive: true, force: true })
})
afterAll(() => {
  holder.kill()
  rmSync(folder, { recursive: true })
})

/** Inside the namespace. */
function inside(...command: string[]): string[] {
  return ['-m', '-t', `${holder.pid}`, '--', ...command]
}

function tracefp(...args: string[]): {
  readonly status: number | null
  readonly stderr: string
  readonly report: Report
} {
  const command = inside(process.execPath, join(PACKAGE_ROOT, 'lib/tracefp.cjs'), ...args, '--report', report)
  rmSync(report, { force: true })
  const { status, stderr } = spawnSync('nsenter', command, { env: environment, encoding: 'utf8' })
  return {
    status,
    stderr,
    get report() {
      return JSON.parse(readFileSync(report, 'utf8')) as Report
    },
  }
}

/** `attach` with options of the library; it is followed, pinned, and judged in the kernel once this resolves. */
async function watch(pid: number, options: object = {}): Promise<ChildProcess> {
  const code = `import { attach } from ${JSON.stringify(join(PACKAGE_ROOT, 'lib/index.js'))}
    const session = attach(${pid}, ${JSON.stringify({ engine: 'ebpf', thread: 'this', fingerprint, home, bpfPin: 'keep', ...options })})
    await session.pid
    console.log('followed')
    await session.report`
  const child = spawn('nsenter', inside(process.execPath, '--input-type=module', '-e', code), { env: environment })
  watches.push(child)
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', () => reject(new Error(`it ended: ${child.stderr.read()}`)))
  })
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

function pins(): string[] {
  return spawnSync('nsenter', inside('ls', PINS), { encoding: 'utf8' }).stdout.trim().split('\n').filter(Boolean)
}

async function begun(): Promise<Service> {
  return await new Service(program, marker).ready()
}

describe.skipIf(whyNot !== null)('a session that is pinned', () => {
  test('goes on when tracefp is killed: what happened meanwhile is told by the next one, and the last one ends it', async () => {
    const service = await begun()
    const { pid } = service
    const first = await watch(pid)
    await service.ask('gc')
    await sleep(300)
    await killed(first)
    expect(pins()).toEqual([`pid-${pid}`])
    await service.ask('gggtfxegg')

    const second = tracefp('attach', '--pin', '-f', fingerprint, '--pid', `${pid}`, '--for', '1s')
    expect(second.stderr).toContain('goes on with session')
    expect(second.status).toBe(100)
    const { misses, notes, recordCount, gapCount } = second.report
    expect(misses.map(({ image, from, to, tid }) => [image, from, to, tid])).toEqual([[program, 'read', 'mkdir', pid]])
    // The one before it was read by who was killed.
    expect(misses[0]?.context.slice(-4)).toEqual(['clone', 'wait4', 'write', 'read'])
    expect(notes).toContainEqual(
      expect.objectContaining({ code: 'adopted', message: expect.stringContaining('misses among them: 1;') }),
    )
    // 3 g of 102 calls, a thread and a child of 50: what came after the miss is only counted, and told to the last one.
    expect(recordCount).toBeGreaterThan(450)
    expect(gapCount).toBe(0)

    await service.ask('gtc')
    const last = tracefp('attach', '--unpin', '-f', fingerprint, '--pid', `${pid}`)
    expect([last.status, last.report.misses]).toEqual([0, []])
    expect(last.report.recordCount).toBeGreaterThan(150)
    expect(pins()).toEqual([])
    expect((await service.ask('g')).join()).toBe('g')
  })

  test('is taken up by nobody in another pid namespace, where its processes have other numbers', async () => {
    const words = ['--host', '-f', fingerprint]
    expect(tracefp('attach', '--pin', ...words, '--for', '1s').status).not.toBe(125)
    expect(pins()).toEqual(['host'])
    const main = [process.execPath, join(PACKAGE_ROOT, 'lib/tracefp.cjs')]
    const elsewhere = ['unshare', '-pf', '--mount-proc', ...main, 'attach', ...words, '--for', '1s']
    for (const option of ['--pin', '--unpin']) {
      const { status, stderr } = spawnSync('nsenter', inside(...elsewhere, option), {
        env: environment,
        encoding: 'utf8',
      })
      expect([status, stderr]).toEqual([125, expect.stringContaining('it was pinned in another pid namespace')])
      expect(pins()).toEqual(['host'])
    }
    const last = tracefp('attach', '--unpin', ...words)
    expect(last.report.notes.map(({ code }) => code)).toContain('adopted')
    expect(pins()).toEqual([])
  })

  test('kills at a miss though nobody reads, and says afterwards whom and why', async () => {
    const service = await begun()
    const { pid } = service
    const first = await watch(pid, { onMiss: 'kill' })
    await service.ask('g')
    await sleep(300)
    await killed(first)
    service.process.stdin.write('e')
    expect(await service.ended).not.toBe(0)
    const second = tracefp('attach', '--pin', '--on-miss', 'kill', '-f', fingerprint, '--pid', `${pid}`)
    expect(second.report.misses.map(({ image, from, to, action }) => [image, from, to, action])).toEqual([
      [program, 'read', 'mkdir', 'late-kill'],
    ])
    expect(second.report.exit).toEqual({ code: null, signal: 'SIGKILL' })
    // Nothing of it is left.
    expect(pins()).toEqual([])
  })

  test('counts the misses for which the ring has no room, one by one', async () => {
    const service = await begun()
    const { pid } = service
    const first = await watch(pid, { kernelRingBytes: 4_096 })
    await service.ask('g')
    await sleep(300)
    await killed(first)
    service.process.stdin.write('e'.repeat(300))
    await service.ask('g')
    const { report: told } = tracefp('attach', '--unpin', '-f', fingerprint, '--pid', `${pid}`)
    const lost = told.notes.find(({ code }) => code === 'lost_misses')
    const lostCount = Number(/\((\d+) of them\)/.exec(lost?.message ?? '')?.[1])
    expect(told.misses.filter(({ to }) => to === 'mkdir').length + lostCount).toBe(300)
    expect(lostCount).toBeGreaterThan(100)
    expect(told.gapCount).toBeGreaterThan(0)
  })

  test('is read by one tracefp at a time', async () => {
    const { pid } = await begun()
    await watch(pid)
    const second = tracefp('attach', '--pin', '-f', fingerprint, '--pid', `${pid}`)
    expect([second.status, second.stderr]).toEqual([125, expect.stringContaining('another tracefp reads it')])
    expect(pins()).toEqual([`pid-${pid}`])
  })

  test('ends with its last process, and is not begun where nothing is watched', async () => {
    const service = await begun()
    const { pid } = service
    const first = await watch(pid)
    await killed(first)
    const gone = service.ended
    service.kill('SIGTERM')
    await gone
    expect(tracefp('attach', '--pin', '-f', fingerprint, '--pid', `${pid}`).report.exit.signal).toBe('SIGTERM')
    expect(pins()).toEqual([])
    expect(tracefp('attach', '--unpin', '--pid', `${holder.pid}`).stderr).toContain('nothing is pinned there')
    expect(tracefp('attach', '--pin', '-f', fingerprint, '--pid', `${holder.pid}`).status).toBe(102)
    expect(pins()).toEqual([])
  })

  test('goes on with what runs in a folder whose path is longer than what is kept of a program', async () => {
    const deep = join(folder, ...Array.from({ length: 9 }, () => 'x'.repeat(250)))
    mkdirSync(deep, { recursive: true })
    const service = await new Service(program, marker, deep).ready()
    const { pid } = service
    const first = await watch(pid)
    await service.ask('g')
    await sleep(300)
    await killed(first)
    await service.ask('ge')
    const { report: told } = tracefp('attach', '--unpin', '-f', fingerprint, '--pid', `${pid}`)
    expect(told.misses.map(({ image, to }) => [image, to])).toEqual([[program, 'mkdir']])
  })

  test('is begun anew where somebody was killed as he pinned it, and not gone on with where some of it is gone', async () => {
    const service = await begun()
    const { pid } = service
    const path = join(PINS, `pid-${pid}`)
    await killed(await watch(pid))
    spawnSync('nsenter', inside('rm', join(path, 'map-3')))
    const torn = tracefp('attach', '--pin', '-f', fingerprint, '--pid', `${pid}`)
    expect([torn.status, torn.stderr]).toEqual([125, expect.stringContaining(`'rm -r ${path}' ends the rest`)])
    // The notebook is pinned last.
    spawnSync('nsenter', inside('rm', join(path, 'notebook')))
    const anew = tracefp('attach', '--pin', '-f', fingerprint, '--pid', `${pid}`, '--for', '1s')
    expect([anew.status, anew.stderr]).toEqual([0, expect.not.stringContaining('goes on with')])
    expect(tracefp('attach', '--unpin', '-f', fingerprint, '--pid', `${pid}`).status).toBe(0)
    expect(pins()).toEqual([])
  })

  test('is refused to another version, and where there is no BPF file system', async () => {
    const { pid } = await begun()
    await killed(await watch(pid))
    const code = `import { loadAddon } from ${JSON.stringify(join(PACKAGE_ROOT, 'lib/addon/addon.js'))}
      import { RingReader } from ${JSON.stringify(join(PACKAGE_ROOT, 'lib/ring/reader.js'))}
      const pin = { folder: '${PINS}/pid-${pid}', ends: false, stamp: 'tracefp 9.9.9', session: '', name: '' }
      const ring = new RingReader()
      const { NativeSession } = loadAddon()
      const session = new NativeSession({ engine: 'ebpf', ring: ring.words, onDoorbell() {}, follow: { pid: ${pid}, pin } })
      session.finish()
      console.log(session.result().failedOperation)`
    const other = spawnSync('nsenter', inside(process.execPath, '--input-type=module', '-e', code), {
      encoding: 'utf8',
    })
    expect(other.stdout.trim()).toBe('pin(stamp)')
    expect(pinTrouble('pin(stamp)', PINS)).toContain(`'rm -r ${PINS}' ends it`)
    spawnSync('nsenter', inside('rm', '-r', join(PINS, `pid-${pid}`)))

    const command = `mount -t tmpfs none /sys/fs/bpf && exec "$0" "$1" attach --pin -f "$2" --pid ${pid}`
    const args = ['-m', 'sh', '-c', command, process.execPath, join(PACKAGE_ROOT, 'lib/tracefp.cjs'), fingerprint]
    const { status, stderr } = spawnSync('unshare', args, { env: environment, encoding: 'utf8' })
    expect([status, stderr]).toEqual([125, expect.stringContaining('mount -t bpf bpf /sys/fs/bpf')])
  })
})
