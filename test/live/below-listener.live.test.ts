// tracefp as a whole below somebody else's seccomp listener: notify cannot have its own, and what that listener lets run
// never reaches RET_TRACE.
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Report } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'

const folder = mkdtempSync(join(tmpdir(), 'below-'))
const helper = join(folder, 'below_listener')
const fingerprint = join(folder, 'shell.tfp')
const made = join(folder, 'made')
const main = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
afterAll(() => rmSync(folder, { recursive: true }))

const LEARNED = 'echo one two | wc -w; (exit 3) & wait $!'
const OTHER = `echo one two | wc -w; mkdir ${made}`

function tracefp(before: readonly string[], args: readonly string[]): SpawnSyncReturns<string> {
  const [command, ...words] = [...before, process.execPath, main, ...args]
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'home') }
  return spawnSync(command as string, words, { encoding: 'utf8', env })
}

function reportOf(before: readonly string[], script: string, ...options: string[]): Report {
  const file = join(folder, 'report.json')
  tracefp(before, ['run', '-q', '-f', fingerprint, '--report', file, ...options, '--', 'sh', '-c', script])
  return JSON.parse(readFileSync(file, 'utf8')) as Report
}

/** How often a shell reads from its pipe and is told of its children is for the scheduler to say. */
const seen = ({ verdict, trackCount, exit, misses }: Report) => ({
  verdict,
  trackCount,
  exit,
  misses: misses.map(({ kind, from, to }) => `${kind}: ${from} -> ${to}`),
})

beforeAll(() => {
  const source = fileURLToPath(new URL('below_listener.c', import.meta.url))
  execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', helper, source])
  for (let i = 0; i < 5; i++) tracefp([], ['learn', '-o', fingerprint, '--runs', '1', '--', 'sh', '-c', LEARNED])
}, 60_000)

beforeEach(() => {
  rmSync(made, { recursive: true, force: true })
})

test('auto takes trace there, and sees what it sees elsewhere', { timeout: 60_000 }, () => {
  const below = reportOf([helper], LEARNED)
  expect(below.source.engine).toBe('trace')
  expect(seen(below)).toEqual(seen(reportOf([], LEARNED)))
  expect(below).toMatchObject({ verdict: 'authentic' })
  const abnormal = reportOf([helper], OTHER)
  rmdirSync(made)
  expect(seen(abnormal)).toEqual(seen(reportOf([], OTHER)))
  expect(abnormal.misses.length).toBeGreaterThan(0)
  rmdirSync(made)
})

test('a call that is denied there does not happen', { timeout: 60_000 }, () => {
  expect(reportOf([helper], OTHER, '--on-miss', 'deny').verdict).toBe('abnormal')
  expect(existsSync(made)).toBe(false)
})

test('notify by name says what is in its way', () => {
  const { status, stderr } = tracefp([helper], ['run', '--engine', 'notify', '--', 'true'])
  expect(status).toBe(125)
  expect(stderr).toMatch(/no other seccomp listener above it: --engine trace works/)
})
