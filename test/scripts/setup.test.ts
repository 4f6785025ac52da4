// What the scripts say to a person whose machine lacks something: one line, no stack trace.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const SCRIPTS = new URL('../../scripts', import.meta.url).pathname
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracefp-setup-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a script in a checkout that holds nothing else, on a machine that has just these commands. */
function runScript(
  script: string,
  { has = [], args = [] }: { has?: string[]; args?: string[] },
): {
  status: number | null
  stdout: string
  stderr: string
} {
  cpSync(SCRIPTS, join(folder, 'scripts'), { recursive: true })
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const command of has) symlinkSync('/bin/true', join(bin, command))
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'scripts', script), ...args], {
    encoding: 'utf8',
    env: { PATH: bin, HOME: folder },
  })
  return { status, stdout, stderr }
}

describe('what a machine lacks is said in one line', () => {
  const advice = 'On Debian or Ubuntu: apt-get install g++ make cmake\n'
  const cases: [has: string[], missing: string][] = [
    [['make', 'cmake'], 'no C++ compiler'],
    [['g++', 'cmake'], 'no make'],
    [['g++', 'make'], 'neither cmake nor python3'],
    [['make', 'python3', 'ninja'], 'no C++ compiler'],
    [['g++', 'ninja', 'python3'], 'no make'],
    [[], 'no C++ compiler, no make, neither cmake nor python3'],
  ]
  for (const [has, missing] of cases) {
    it(`a machine with ${has.join(', ') || 'nothing'} is told: ${missing}`, () => {
      const outcome = runScript('build.mjs', { has })
      expect(outcome).toEqual({
        status: 1,
        stdout: '',
        stderr: `tracefp: cannot build the native addon: ${missing}. ${advice}`,
      })
    })
  }

  it('a compiler, cmake and ninja are enough to try', () => {
    const { stderr } = runScript('build.mjs', { has: ['c++', 'ninja', 'cmake'] })
    expect(stderr).toMatch(/^tracefp: building the native addon \.\.\. failed\n/)
  })

  it('npm start asks for the compiler before it installs packages', () => {
    const outcome = runScript('start.mjs', { has: ['make', 'cmake'], args: ['run', '--', 'ls'] })
    const stderr = `tracefp: cannot build the native addon: no C++ compiler. ${advice}`
    expect(outcome).toEqual({ status: 1, stdout: '', stderr })
  })

  it('packages that cannot be installed are named as the step that failed', () => {
    const { status, stderr } = runScript('start.mjs', { has: ['g++', 'make', 'cmake'] })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^tracefp: installing npm packages \.\.\. failed\n/)
    expect(stderr).toMatch(/\ntracefp: installing npm packages failed \(.*ENOENT.*\)\n$/)
    expect(stderr).not.toContain('    at ')
  })
})
