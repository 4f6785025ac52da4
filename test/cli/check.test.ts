// tracefp check and learn --from, on recordings of strace.

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/match/report.ts'
import { cli } from './cli.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/strace/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tracefp-check-'))
const known = join(folder, 'known.tfp')
const report = join(folder, 'report.json')
const home = process.env['TRACEFP_HOME']

beforeAll(async () => {
  process.env['TRACEFP_HOME'] = join(folder, 'home')
  expect((await cli('learn', '-o', known, '--from', fixture('f.o.log'))).code).toBe(0)
})
afterAll(() => {
  if (home === undefined) delete process.env['TRACEFP_HOME']
  else process.env['TRACEFP_HOME'] = home
  rmSync(folder, { recursive: true })
})

function fixture(name: string): string {
  return join(FIXTURES, name)
}

function log(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** The recording with a call of the child /bin/true put in: line 80 of it. */
function odd(): string {
  const lines = readFileSync(fixture('f_tt.o.log'), 'latin1').split('\n')
  const at = lines.findIndex((line) => line.includes('exit_group(0)'))
  const [pid, time] = (lines[at] as string).split(/ +/)
  lines.splice(at, 0, `${pid}  ${time} socket(AF_INET, SOCK_STREAM, 0) = 5`)
  return log('odd.log', lines.join('\n'))
}

describe('check', () => {
  test('an authentic log ends with 0 and says what it was read as', async () => {
    const { code, stderr, stdout } = await cli('check', '-f', known, '--report', report, fixture('f_tt.stderr.log'))
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('is read as strace')
    expect(stderr).toContain('0 misses in 119 calls of 5 tracks, coverage 100 %')
    const { source, verdict, unparsedLineCount, notes } = JSON.parse(readFileSync(report, 'utf8')) as Report
    expect({ source, verdict, unparsedLineCount }).toEqual({
      source: { kind: 'log', engine: null, format: 'strace', order: 'entry' },
      verdict: 'authentic',
      unparsedLineCount: 0,
    })
    expect(notes.map(({ code: own }) => own)).toContain('image_unverified')
  })

  test('an alert names the log, the thread, the line and the time; the end is 1', async () => {
    const path = odd()
    const { code, stderr } = await cli('check', '-f', known, '--report', report, path)
    expect(code).toBe(1)
    const { misses } = JSON.parse(readFileSync(report, 'utf8')) as Report
    const lines = readFileSync(path, 'latin1').split('\n')
    const line = lines.findIndex((text) => text.includes('socket(AF_INET')) + 1
    const [pid, time] = (lines[line - 1] as string).split(/ +/)
    expect(misses[0]).toMatchObject({ from: 'munmap', to: 'socket', tid: Number(pid), at: `line ${line} at ${time}` })
    expect(stderr).toContain(`/bin/true[${pid}] munmap -> socket; expected exit_group`)
    expect(stderr).toContain(`${path} line ${line} at ${time}`)
  })

  test.each([
    ['filtered', 'f_z.o.log'],
    ['filtered', 'e_trace.stderr.log'],
  ])('a %s log is inconclusive, whatever it looks like: 3', async (code, name) => {
    const ended = await cli('check', '-f', known, '--report', report, fixture(name))
    expect(ended.code).toBe(3)
    const { verdict, notes } = JSON.parse(readFileSync(report, 'utf8')) as Report
    expect(verdict).toBe('inconclusive')
    expect(notes.map((note) => note.code)).toContain(code)
  })

  test('lines that are not understood are shown and counted; more than one in a hundred are too many', async () => {
    const text = readFileSync(fixture('f.o.log'), 'latin1')
    const one = await cli('check', '-f', known, '--report', report, log('one.log', `${text}what is this\n`))
    expect(one.code).toBe(0)
    expect(one.stderr).toMatch(/note: 1 of \d+ lines were not understood: line \d+: what is this/)
    expect((JSON.parse(readFileSync(report, 'utf8')) as Report).unparsedLineCount).toBe(1)
    const two = await cli('check', '-f', known, log('two.log', `${text}what is this\nand this\u001b[2J\n`))
    expect(two.code).toBe(3)
    expect(two.stderr).not.toContain('\u001b[2J')
  })

  test('a log without a fingerprint ends with 4, and says how it is learned', async () => {
    const { code, stderr } = await cli('check', fixture('f.o.log'))
    expect(code).toBe(4)
    expect(stderr).toContain('tracefp learn --from')
  })

  test.each([
    ['a summary', 'c.o.log', 'order'],
    ['no log', 'expected.json', 'format'],
    ['not there', 'nothing.log', 'no such file'],
  ])('%s cannot be checked: 5', async (_, name, word) => {
    const { code, stderr } = await cli('check', '-q', '-f', known, '--report', '-', fixture(name))
    expect(code).toBe(5)
    expect(stderr).toContain(word)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('wrong usage ends with 2', async () => {
    expect((await cli('check')).code).toBe(2)
    expect((await cli('check', '--format', 'words', 'x')).code).toBe(2)
    expect((await cli('check', '--follow', '-')).code).toBe(2)
    expect((await cli('check', join(folder, '*.nothing'))).code).toBe(2)
  })

  test('several logs give JSON Lines, one a log, and the worst of them decides', async () => {
    const { code, stdout, stderr } = await cli(
      ...['check', '-f', known, '--report', '-', fixture('f.o.log'), odd(), fixture('f_z.o.log')],
    )
    expect(code).toBe(1)
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Report)
    expect(reports.map(({ verdict }) => verdict)).toEqual(['authentic', 'abnormal', 'inconclusive'])
    expect(stderr).toContain('3 sessions: 1 authentic, 1 inconclusive, 1 abnormal')
  })

  test('a log that cannot be read does not stop the others', async () => {
    const { code, stdout } = await cli(
      'check',
      '-f',
      known,
      '--report',
      '-',
      join(folder, 'nothing'),
      fixture('f.o.log'),
    )
    expect(code).toBe(5)
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'authentic' })
  })

  test('the files of strace -ff are one session, and a pattern names them', async () => {
    const { code, stdout } = await cli('check', '-q', '-f', known, '--report', '-', join(FIXTURES, 'ff.log.*'))
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'authentic', recordCount: 119, trackCount: 5 })
  })

  test('a report is there when it is whole: a failed check leaves the old one', async () => {
    writeFileSync(report, 'old')
    await cli('check', '-f', join(folder, 'nothing.tfp'), '--report', report, fixture('f.o.log'))
    expect(readFileSync(report, 'utf8')).toBe('old')
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('learn --from', () => {
  test('each log is a run, and what is learned does not depend on the options of strace', async () => {
    const [one, two] = [join(folder, 'one.tfp'), join(folder, 'two.tfp')]
    await cli('learn', '-o', one, '--from', fixture('f.o.log'))
    await cli('learn', '-o', two, '--from', fixture('f_yy.stderr.log'))
    expect(readFileSync(two, 'utf8')).toBe(readFileSync(one, 'utf8'))
    const { code, stderr } = await cli('learn', '-o', two, '--from', fixture('f_k.o.log'), fixture('f_n.o.log'))
    expect(code).toBe(0)
    expect(stderr).toMatch(/two\.tfp: \d+ transitions of 3 runs, 0 of them new/)
  })

  test.each([
    ['filtered', 'f_z.o.log'],
    ['summary', 'c.o.log'],
  ])('nothing is learned from a log that is %s', async (word, name) => {
    const file = join(folder, `${word}.tfp`)
    const { code, stderr } = await cli('learn', '-o', file, '--from', fixture(name))
    expect(code).toBe(125)
    expect(stderr).toContain(word)
    expect(existsSync(file)).toBe(false)
  })

  test('one sequence and one fingerprint for all, as the paper does it', async () => {
    const file = join(folder, 'paper.tfp')
    await cli('learn', '-o', file, '--tracks', 'log', '--scope', 'set', '--from', fixture('f.o.log'))
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('\ntracks log\n')
    expect(text).toContain('\nscope set\n')
    expect(text.match(/^program /gm)).toHaveLength(1)
    expect((await cli('check', '-q', '-f', file, fixture('f.o.log'))).code).toBe(0)
  })

  test('without -o it goes into the store, where check finds it', async () => {
    copyFileSync(fixture('f.o.log'), join(folder, 'stored.log'))
    expect((await cli('learn', '--from', join(folder, 'stored.log'))).code).toBe(0)
    expect((await cli('check', fixture('f_v.o.log'))).code).toBe(0)
  })

  test('numbers want a mapping, and another one is refused with both names', async () => {
    const numbers = log('numbers.txt', '6 6 63 6 42\n5 5 3 6\n')
    const file = join(folder, 'numbers.tfp')
    expect((await cli('learn', '-o', file, '--from', numbers)).stderr).toContain('--mapping')
    expect((await cli('learn', '-o', file, '--mapping', 'linux-i386', '--from', numbers)).code).toBe(0)
    expect((await cli('check', '-q', '-f', file, numbers)).code).toBe(0)
    const { code, stderr } = await cli('check', '-f', file, '--mapping', 'linux-x86_64', numbers)
    expect(code).toBe(5)
    expect(stderr).toMatch(/linux-i386.*linux-x86_64/)
  })

  test('logs or a program, not both and not neither', async () => {
    expect((await cli('learn', '--from', fixture('f.o.log'), '--', 'true')).code).toBe(125)
    expect((await cli('learn')).code).toBe(125)
  })
})
