// What diff prints, and what it ends with.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from 'sarif'
import { beforeEach, expect, test } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { diffFingerprints } from '../../src/model/diff.ts'
import { toSarif } from '../../src/review/sarif.ts'
import { image, ledgerOf, mapping, type RunOptions, runInfo, runOf } from '../model/making.ts'
import { cli, temporaryFolder } from './cli.ts'

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
let folder: string

beforeEach(() => {
  folder = temporaryFolder()
})

function fingerprint(tracks: readonly string[], options: RunOptions = {}) {
  return ledgerOf(runOf(ID, tracks, options)).fingerprint(mapping)
}

function put(name: string, tracks: readonly string[], options: RunOptions = {}): string {
  const file = join(folder, name)
  writeFileSync(file, encodeFingerprint(fingerprint(tracks, options)))
  return file
}

test('groups what changed by what the calls can do, those that attacks end in first', async () => {
  const old = put('old.tfp', ['<exec> read write close'])
  const now = put('new.tfp', ['<exec> read write close', '<exec> write execve', '<exec> close openat'])
  const { code, stdout } = await cli('diff', old, now)
  expect(code).toBe(1)
  expect(stdout).toContain('  start another program (!)\n    + write -> execve\n')
  expect(stdout.indexOf('start another program')).toBeLessThan(stdout.indexOf('open and look at files'))
  expect(stdout).toContain('! execve at depth 2: 2 calls after read, out of reach before: read -> write -> execve')
  expect(stdout).toMatch(/lower bound: arguments are ignored/)
})

test('two that allow the same end with 0', async () => {
  const file = put('a.tfp', ['<exec> read'])
  expect(await cli('diff', file, file)).toMatchObject({ code: 0, stdout: expect.stringMatching(/both allow the same/) })
})

test.each([
  ['any', ['<exec> read write']],
  ['added', ['<exec> read write close execve', '<exec> write openat']],
  ['sensitive', ['<exec> read write close execve', '<exec> write execve']],
  ['mimicry', ['<exec> read write close execve', '<exec> write execve']],
])('gate %s lets through what is no more than before, and nothing else', async (gate, tracks) => {
  const old = put('old.tfp', ['<exec> read write close execve'])
  const now = put('new.tfp', tracks)
  expect(await cli('diff', '--gate', gate, old, now)).toMatchObject({
    code: 1,
    stderr: `tracefp: not let through: ${gate}\n`,
  })
  if (gate !== 'any') expect(await cli('diff', '--gate', gate, now, old)).toMatchObject({ code: 0, stderr: '' })
})

test('a new way to a sensitive call that is no nearer passes gate mimicry and not gate sensitive', async () => {
  const old = put('old.tfp', ['<exec> read execve'])
  const now = put('new.tfp', ['<exec> read execve', '<exec> close execve'])
  expect((await cli('diff', '--gate', 'mimicry', old, now)).code).toBe(0)
  expect((await cli('diff', '--gate', 'sensitive', old, now)).code).toBe(1)
  expect((await cli('diff', '--gate', 'mimicry', '--gate', 'sensitive', old, now)).code).toBe(1)
})

test('what is allowed while calls fail passes no gate unseen, and has groups of its own', async () => {
  const info = { ...runInfo(ID.replace('V', 'W')), layer: 'fault' as const }
  const run = runOf(ID, ['<exec> read close'])
  const now = join(folder, 'faulty.tfp')
  const faulty = runOf(info.id, ['<exec> read execve'], { info, execs: ['/bin/sh'] })
  writeFileSync(now, encodeFingerprint(ledgerOf(run, faulty).fingerprint(mapping)))
  const args = [put('a.tfp', ['<exec> read close']), now]
  const { code, stdout } = await cli('diff', '--gate', 'sensitive', ...args)
  expect(code).toBe(1)
  expect(stdout).toContain('  + executes, only while calls fail, /bin/sh\n')
  expect(stdout).toContain('  only while calls fail: start another program (!)\n    + read -> execve\n')
  expect((await cli('diff', '--gate', 'added', ...args)).code).toBe(1)
  expect((await cli('diff', '--gate', 'mimicry', ...args)).code).toBe(0)
  const { runs } = JSON.parse((await cli('diff', '--sarif', ...args)).stdout)
  const line = readFileSync(now, 'latin1').split('\n').indexOf('fault read -> close:1 execve:1') + 1
  expect(runs[0].results[0]).toMatchObject({
    ruleId: 'allows/exec',
    level: 'warning',
    locations: [{ physicalLocation: { region: { startLine: line } } }],
  })
})

test('a gate that is none is a usage error', async () => {
  const file = put('a.tfp', ['<exec> read'])
  expect((await cli('diff', '--gate', 'toString', file, file)).code).toBe(2)
})

test('what cannot be compared ends with 5, with a reason', async () => {
  const old = put('old.tfp', ['<exec> read'])
  const other = { ...fingerprint(['<exec> read']), roots: [] }
  const settings = { ...other.settings, order: 'return' as const }
  writeFileSync(join(folder, 'new.tfp'), encodeFingerprint({ ...other, settings }))
  const { code, stderr } = await cli('diff', old, join(folder, 'new.tfp'))
  expect(code).toBe(5)
  expect(stderr).toMatch(/cannot be compared: the old one was made with order entry, not return/)
})

test('JSON holds all of it', async () => {
  const { stdout } = await cli('diff', '--json', put('a.tfp', ['<exec> read']), put('b.tfp', ['<exec> write']))
  expect(JSON.parse(stdout)).toMatchObject({ schema: 1, isSame: false, programs: [{ added: [['<exec>', 'write']] }] })
})

test('Markdown holds no name that could be markup', async () => {
  const evil = image('/tmp/`</summary><img src=x>|**')
  const { stdout } = await cli(
    'diff',
    '--markdown',
    put('a.tfp', ['<exec> read']),
    put('b.tfp', ['<exec> read'], { image: evil, execs: ['/bin/sh'] }),
  )
  expect(stdout).toContain('### `` /tmp/`</summary><img src=x>|** ``')
  expect(stdout).not.toMatch(/^- [+-] /m)
  expect(stdout.replaceAll('`` /tmp/`</summary><img src=x>|** ``', '')).not.toMatch(/(?<!\\)<img/)
})

test('Markdown that is too long for a comment leaves whole groups out', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `sys_${i + 2000}`)
  const long = put('b.tfp', [`<exec> read ${names.join(' ')}`, ...names.map((name) => `<exec> ${name} execve`)])
  const { stdout } = await cli('diff', '--markdown', '--all', put('a.tfp', ['<exec> read']), long)
  expect(stdout.length).toBeLessThan(65_536)
  expect((stdout.match(/```/g) ?? []).length % 2).toBe(0)
  expect(stdout).toMatch(/parts are left out/)
})

test('SARIF names the line of the new file, with a fingerprint that does not move with it', async () => {
  const old = fingerprint(['<exec> read write'])
  const now = fingerprint(['<exec> read write', '<exec> write execve'], { execs: ['/bin/sh'] })
  const text = encodeFingerprint(now)
  const made = toSarif(diffFingerprints(old, now), { uri: 'b.tfp', text, version: '0' })
  // Assignable to the published types, which are made from the published schema.
  const log: Log = JSON.parse(JSON.stringify(made))
  const typed: Log['version'] = made.version
  expect(typed).toBe('2.1.0')
  const lines = log.runs[0]!.results!.map((result) => {
    const line = result.locations![0]!.physicalLocation!.region!.startLine!
    return [result.ruleId, result.level, text.split('\n')[line - 1]]
  })
  expect(lines).toEqual([
    ['allows/exec', 'error', 'after write -> execve:1'],
    ['executes', 'error', 'exec /bin/sh:1'],
    ['nearer', 'error', 'program /bin/ls'],
    ['allows/change', 'warning', 'after <exec> -> read:1 write:1'],
  ])
  for (const { ruleId, ruleIndex } of log.runs[0]!.results!) {
    expect(log.runs[0]!.tool.driver.rules![ruleIndex!]!.id).toBe(ruleId)
  }
  const moved = toSarif(diffFingerprints(old, now), { uri: 'b.tfp', text: `\n\n${text}`, version: '0' })
  const prints = (sarif: typeof made) => sarif.runs[0]!.results.map((result) => result.partialFingerprints)
  expect(prints(moved)).toEqual(prints(made))
})
