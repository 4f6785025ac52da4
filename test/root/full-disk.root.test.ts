// A disk that is full while something is learned or recorded: a clear error, and what was there before is as it was.
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'

const MAIN = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
const PAGE = 4096
const folder = mkdtempSync(join(tmpdir(), 'full-disk-'))
const disk = join(folder, 'disk')
mkdirSync(disk)
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tracefp-test', disk], { encoding: 'utf8' })
const isMounted = mounted.status === 0
afterAll(() => {
  if (isMounted) spawnSync('umount', [disk])
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => rmSync(join(disk, 'filler'), { force: true }))

function tracefp(...args: string[]) {
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'home') }
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env })
}

function fill(freePages: number): void {
  writeFileSync(join(disk, 'filler'), '')
  for (let free = statfsSync(disk).bfree; free > freePages; free--)
    appendFileSync(join(disk, 'filler'), Buffer.alloc(PAGE))
  expect(statfsSync(disk).bfree).toBe(freePages)
}

/** Every transition takes a few bytes: these programs fill pages. */
const OTHER = ['sh', '-c', 'for i in 1 2; do ls / | wc -l; id; ps; sort /etc/passwd; find /etc/init.d; done']

describe.skipIf(!isMounted)(`a full disk${isMounted ? '' : ` (skipped: ${mounted.stderr.trim()})`}`, () => {
  test.each([0, 1])('learning with %i pages left is an error that says so, and harms no fingerprint', (freePages) => {
    const [file, ledger] = [join(disk, `${freePages}.tfp`), join(disk, `${freePages}.tfl`)]
    expect(tracefp('learn', '-o', file, '--runs', '2', '--', 'true').status).toBe(0)
    const before = readFileSync(file, 'utf8')
    fill(freePages)
    const failed = tracefp('learn', '-o', file, '--runs', '1', '--', ...OTHER)
    expect(failed.status).toBe(125)
    expect(failed.stderr).toMatch(/^tracefp: .*\.tf[pl]: ENOSPC: no space left on device/m)
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(readdirSync(disk).filter((name) => name.endsWith('.tmp') || name.endsWith('.lock'))).toEqual([])
    expect(tracefp('run', '-q', '-f', file, '--', 'true').status).toBe(0)
    rmSync(join(disk, 'filler'))
    // The ledger is written first, and was whole too: learning reads it.
    expect(tracefp('learn', '-o', file, '--runs', '1', '--', ...OTHER).status).toBe(0)
    expect(tracefp('run', '-q', '-f', file, '--', 'true').status).toBe(0)
    for (const name of [file, ledger]) rmSync(name)
  })

  test('a run whose home has no room is judged as always, and says what was not recorded', () => {
    const file = join(folder, 'true.tfp')
    expect(tracefp('learn', '-o', file, '--runs', '1', '--', 'sh', '-c', 'true').status).toBe(0)
    const home = join(disk, 'home')
    mkdirSync(home, { mode: 0o700 })
    const run = (...command: string[]) => {
      const env = { ...process.env, TRACEFP_HOME: home }
      return spawnSync(process.execPath, [MAIN, 'run', '-f', file, '--', ...command], { encoding: 'utf8', env })
    }
    fill(0)
    const normal = run('sh', '-c', 'true')
    expect(normal.status).toBe(0)
    expect(normal.stderr).toMatch(/^tracefp: note: not all was recorded: .*ENOSPC: no space left on device/m)
    const abnormal = run('sh', '-c', 'umask 022')
    expect(abnormal.status).toBe(100)
    expect(abnormal.stderr).toMatch(/-> umask; expected/)
    rmSync(join(disk, 'filler'))
    // Nothing half-written is in the way.
    expect(run('sh', '-c', 'true').stderr).not.toMatch(/not all was recorded/)
    const listed = spawnSync(process.execPath, [MAIN, 'sessions', '--json'], {
      encoding: 'utf8',
      env: { ...process.env, TRACEFP_HOME: home },
    })
    expect(JSON.parse(listed.stdout)).toMatchObject([{ verdict: 'authentic', state: 'ended' }])
    rmSync(home, { recursive: true })
  })

  test('a capture that cannot be written to its end is an error that says so', () => {
    fill(1)
    const { status, stderr } = tracefp('record', '-o', join(disk, 'c.tfc'), '--', ...OTHER)
    expect(status).toBe(125)
    expect(stderr).toMatch(/c\.tfc: ENOSPC: no space left on device/)
  })
})
