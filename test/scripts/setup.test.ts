// What the scripts say to a person whose machine lacks something: one line, no stack trace.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const SCRIPTS = new URL('../../scripts', import.meta.url).pathname
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracefp-setup-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Situation {
  readonly has?: readonly string[]
  readonly args?: readonly string[]
  /** This program in the place of tracefp, in a checkout that has been set up. */
  readonly program?: string
}

interface Outcome {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script in a checkout that holds nothing else, on a machine that has just these commands. */
function runScript(script: string, { has = [], args = [], program }: Situation): Outcome {
  cpSync(SCRIPTS, join(folder, 'scripts'), { recursive: true })
  write('package-lock.json', '{}')
  if (program !== undefined) {
    const nothing = createHash('sha256').digest('hex') // what there is to build
    write('node_modules/.package-lock.json', '{}')
    write('build/Release/tracefp.node', '')
    write('build/native.stamp', `${nothing} cmake`)
    write('lib/.stamp', nothing)
    write('lib/tracefp.cjs', program)
    write('package.json', '{ "type": "module" }')
  }
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const command of has) symlinkSync('/bin/true', join(bin, command))
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'scripts', script), ...args], {
    encoding: 'utf8',
    env: { PATH: bin, HOME: folder },
  })
  return { status, signal, stdout, stderr }
}

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
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
        signal: null,
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
    expect(outcome).toEqual({ status: 1, signal: null, stdout: '', stderr })
  })

  it('packages that cannot be installed are named as the step that failed', () => {
    const { status, stderr } = runScript('start.mjs', { has: ['g++', 'make', 'cmake'] })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^tracefp: installing npm packages \.\.\. failed\n/)
    expect(stderr).toMatch(/\ntracefp: installing npm packages failed \(.*ENOENT.*\)\n$/)
    expect(stderr).not.toContain('    at ')
  })
})

describe('npm start in a checkout that has been set up', () => {
  it('is tracefp: its arguments, its output, its exit code, and not a word of its own', () => {
    const program = `console.log(JSON.stringify(process.argv.slice(2))); process.exit(7)`
    const outcome = runScript('start.mjs', { program, args: ['run', '-f', 'a b', '--', 'ls', '--help'] })
    expect(outcome).toEqual({
      status: 7,
      signal: null,
      stdout: '["run","-f","a b","--","ls","--help"]\n',
      stderr: '',
    })
  })

  it('is the very process that was started: a signal meets tracefp itself', () => {
    const program = `process.on('SIGTERM', () => process.exit(42)); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 9)`
    expect(runScript('start.mjs', { program, args: ['doctor'] }).status).toBe(42)
    rmSync(join(folder, 'bin'), { recursive: true })
    const killed = runScript('start.mjs', { program: `process.kill(process.pid, 'SIGKILL')`, args: ['doctor'] })
    expect(killed.signal).toBe('SIGKILL')
  })

  it('without arguments it asks for the demo', () => {
    const outcome = runScript('start.mjs', { program: '' })
    expect(outcome.stderr).toBe('tracefp: this checkout holds no examples/demo.mjs\n')
    expect(outcome.status).toBe(1)
  })
})
