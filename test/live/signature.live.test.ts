// A run that requires a signature: what nobody vouches for is refused before the program starts.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'

const MAIN = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
const folder = mkdtempSync(join(tmpdir(), 'signature-'))
const learned = join(folder, 'learned.tfp')
const file = join(folder, 'used.tfp')
const marker = join(folder, 'ran')
const command = ['sh', '-c', `: >${marker}`]
const key = join(folder, 'k')
let home = 0
afterAll(() => rmSync(folder, { recursive: true }))

function tracefp(...args: string[]) {
  const env = { ...process.env, TRACEFP_HOME: join(folder, `home${home}`), NO_COLOR: '1' }
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env, timeout: 20_000 })
}

function run() {
  rmSync(marker, { force: true })
  return tracefp('run', '-f', file, '--require-signature', `${key}.pub`, '--', ...command)
}

function sign(epoch: string): void {
  expect(tracefp('sign', file, '--force', '--key', `${key}.key`, '--epoch', epoch).status).toBe(0)
}

beforeAll(() => {
  expect(tracefp('learn', '-o', learned, '--runs', '2', '--', ...command).status).toBe(0)
  expect(tracefp('keygen', '-o', key).status).toBe(0)
})

beforeEach(() => {
  home += 1
  copyFileSync(learned, file)
})

test('an unsigned fingerprint is refused, and the program does not start', () => {
  const { status, stderr } = run()
  expect(status).toBe(125)
  expect(stderr).toMatch(/used\.tfp: it is not signed by .*k\.pub: it is not used/)
  expect(existsSync(marker)).toBe(false)
})

test('a signed one is used', () => {
  sign('5')
  expect(run().status).toBe(0)
  expect(existsSync(marker)).toBe(true)
})

test('an altered one and one of an older epoch are refused', () => {
  sign('5')
  const old = readFileSync(file, 'utf8')
  writeFileSync(file, old.replace('epoch 5', 'epoch 6'))
  expect(run()).toMatchObject({ status: 125, stderr: expect.stringMatching(/does not hold/) })
  writeFileSync(file, old)
  sign('6')
  expect(run().status).toBe(0)
  writeFileSync(file, old)
  expect(run()).toMatchObject({ status: 125, stderr: expect.stringMatching(/epoch 5.*epoch 6/) })
  expect(existsSync(marker)).toBe(false)
})

test('attach refuses too, and lets the process be', async () => {
  const child = spawn('sleep', ['60'])
  try {
    await new Promise((resolve) => child.once('spawn', resolve))
    const { status, stderr } = tracefp(
      'attach',
      '-f',
      file,
      '--require-signature',
      `${key}.pub`,
      '--pid',
      `${child.pid}`,
    )
    expect(status).toBe(125)
    expect(stderr).toMatch(/not signed/)
    expect(child.exitCode).toBeNull()
  } finally {
    child.kill('SIGKILL')
  }
})
