// What show prints, and which file it takes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { RunObservation } from '../../src/model/learner.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { image, ledgerOf, mapping, resealed, runInfo, runOf, settings } from '../model/making.ts'
import { cli, temporaryFolder } from './cli.ts'

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
let folder: string
let store: string

beforeEach(() => {
  folder = temporaryFolder()
  store = join(folder, 'fingerprints')
  mkdirSync(store)
  vi.stubEnv('TRACEFP_HOME', folder)
})

afterEach(() => {
  vi.unstubAllEnvs()
})

function textOf(...tracks: readonly string[]): string {
  return encodeFingerprint(ledgerOf(runOf(ID, tracks)).fingerprint(mapping))
}

function write(file: string, text: string): string {
  writeFileSync(file, text)
  return file
}

/** A run of /bin/sh that also ran /bin/ls. */
function twoPrograms(): string {
  const run = new RunObservation(settings, runInfo(ID))
  for (const [path, track] of [
    ['/bin/sh', 'fork execve'],
    ['/bin/ls', 'read write'],
  ] as const) {
    const program = run.enterProgram(image(path), path === '/bin/sh')
    const [from, to] = track.split(' ').map((text) => program.symbol(text)) as [number, number]
    program.observe([from], to)
  }
  return encodeFingerprint(ledgerOf(run.finish()).fingerprint(mapping))
}

test('the summary says what there is', async () => {
  const file = write(join(folder, 'a.tfp'), textOf('<exec> openat read close', '<exec> openat close'))
  const { code, stdout, stderr } = await cli('show', file)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain(`file         ${file}\n`)
  expect(stdout).toMatch(/^sha256 {7}[0-9a-f]{64}$/m)
  expect(stdout).toContain('runs         1\n')
  expect(stdout).toContain('/bin/ls (root): 4 symbols, 4 transitions')
  expect(stdout).toContain('depth 2')
})

test('the arrays name each call with its number and what follows it', async () => {
  const file = write(join(folder, 'a.tfp'), textOf('<exec> openat read close', '<exec> openat close'))
  const { stdout } = await cli('show', file, '--arrays')
  expect(stdout).toBe('# /bin/ls\n<exec>: openat(257)\nopenat(257): close(3) read(0)\nread(0): close(3)\n')
})

test('a fingerprint of another machine is shown with the numbers of that machine', async () => {
  const arm = linuxMapping('aarch64')
  const run = runOf(ID, ['openat read'], { settings: makeSettings(arm) })
  const file = write(join(folder, 'a.tfp'), encodeFingerprint(ledgerOf(run).fingerprint(arm)))
  expect((await cli('show', file, '--arrays')).stdout).toContain('openat(56): read(63)\n')
})

test('numbers that are not those of the fingerprint are shown with a warning', async () => {
  const text = resealed(textOf('openat read'), (body) =>
    body.replace(/sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`),
  )
  const { stdout, stderr } = await cli('show', write(join(folder, 'a.tfp'), text), '--arrays')
  expect(stdout).toContain('openat(257): read(0)')
  expect(stderr).toContain('made with other numbers')
})

test('JSON holds everything', async () => {
  const { stdout } = await cli('show', write(join(folder, 'a.tfp'), textOf('openat read')), '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    runCount: 1,
    programs: [{ key: '/bin/ls', successors: { openat: { read: 1 } } }],
  })
})

test('dot is a graph', async () => {
  const { stdout } = await cli('show', write(join(folder, 'a.tfp'), textOf('openat read')), '--dot')
  expect(stdout).toContain('digraph "/bin/ls" {')
  expect(stdout).toContain('"openat" -> "read"')
})

test('one of several programs is shown by its path or the end of it', async () => {
  const file = write(join(folder, 'a.tfp'), twoPrograms())
  const all = await cli('show', file, '--arrays')
  expect(all.stdout).toContain('# /bin/ls\n')
  expect(all.stdout).toContain('# /bin/sh\n')
  const one = await cli('show', file, '--arrays', '--program', '/bin/ls')
  expect(one.stdout).toBe('# /bin/ls\nread(0): write(1)\n')
  expect(await cli('show', file, '--arrays', '--program', 'ls')).toEqual(one)
  expect(await cli('show', file, '--program', 'cat')).toMatchObject({
    code: 2,
    stderr: `tracefp: ${file} holds no program cat: give one of /bin/ls, /bin/sh\n`,
  })
})

test('a name is found in the fingerprint store, with and without what the store adds to it', async () => {
  write(join(store, 'server.tfp'), textOf('openat read'))
  write(join(store, 'ls-0123456789ab.tfp'), textOf('openat close'))
  expect((await cli('show', 'server', '--arrays')).stdout).toContain('read(0)')
  expect((await cli('show', 'server.tfp', '--arrays')).stdout).toContain('read(0)')
  expect((await cli('show', 'ls', '--arrays')).stdout).toContain('close(3)')
  expect((await cli('show', 'ls-0123456789ab', '--arrays')).stdout).toContain('close(3)')
  write(join(store, 'ls-ba9876543210.tfp'), textOf('openat write'))
  expect(await cli('show', 'ls')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('give one of ls-0123456789ab, ls-ba9876543210\n'),
  })
})

test('what is not there, and what is no fingerprint, is said in one line', async () => {
  expect(await cli('show', 'nothing')).toMatchObject({
    code: 5,
    stdout: '',
    stderr: `tracefp: nothing: there is no such file, and none in ${store}: learn it first, or give a path\n`,
  })
  const bad = await cli('show', write(join(folder, 'bad.tfp'), 'hello\n'))
  expect(bad).toMatchObject({ code: 5, stdout: '' })
  expect(bad.stderr).toMatch(/^tracefp: .*bad\.tfp.*\n$/)
})

test('two views at once are a usage error', async () => {
  expect((await cli('show', 'x', '--arrays', '--dot')).code).toBe(2)
})

test('the summary has the mimicry budget, as the lower bound that it is', async () => {
  const file = write(join(folder, 'a.tfp'), textOf('<exec> read close execve'))
  const { stdout } = await cli('show', file)
  expect(stdout).toMatch(/checked at depth 2: of its calls can be reached from read 67 %/)
  expect(stdout).toMatch(/execve +2: read -> close -> execve/)
  expect(stdout).toMatch(/a lower bound, which ignores arguments/)
  const { mimicry } = JSON.parse((await cli('show', '--json', file)).stdout)
  expect(mimicry[0].inputs[0]).toMatchObject({ input: 'read', reaches: [{ call: 'execve', distance: 2 }] })
})
