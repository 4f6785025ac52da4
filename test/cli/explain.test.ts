// Reports are explained wherever they come from, so also what is not one is met.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseReports } from '../../src/cli/read-reports.ts'
import type { Report } from '../../src/match/report.ts'
import { check, learn, simple } from '../match/stream-script.ts'
import { cli, MAIN, shell, temporaryFolder } from './cli.ts'

const fingerprint = learn([simple('brk read write exit_group')])
const authentic = check(fingerprint, simple('brk read write exit_group')).report
const abnormal = check(fingerprint, simple('brk write read exit_group')).report

function fileOf(...reports: readonly unknown[]): string {
  const file = join(temporaryFolder(), 'report.json')
  const [only] = reports
  const text =
    reports.length === 1 ? JSON.stringify(only, null, 2) : reports.map((one) => JSON.stringify(one)).join('\n')
  writeFileSync(file, `${text}\n`)
  return file
}

function withMisses(count: number, missCount = count): Report {
  return { ...abnormal, missCount, misses: Array.from({ length: count }, () => abnormal.misses[0]!) }
}

test('every miss is explained, in order', async () => {
  expect(abnormal.misses.map(({ from, to }) => `${from} ${to}`)).toEqual(['brk write', 'write read', 'read exit_group'])
  const { code, stdout, stderr } = await cli('explain', fileOf(abnormal))
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^miss 1 of 3\n.*write came right after brk/)
  expect(stdout).toMatch(/\n\nmiss 3 of 3\n.*exit_group came right after read/)
})

test('one miss is explained by its number', async () => {
  const { stdout } = await cli('explain', fileOf(abnormal), '2')
  expect(stdout).toMatch(/^miss 2 of 3\n/)
  expect(stdout.match(/^miss /gm)).toHaveLength(1)
})

test.each(['0', '4', '-1', 'x', '1.5', '99999999999'])('there is no miss %s', async (number) => {
  const file = fileOf(abnormal)
  const { code, stdout, stderr } = await cli('explain', '--', file, number)
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: '',
    stderr: `tracefp: ${file} has no miss ${number}: give a number from 1 to 3\n`,
  })
})

test('many misses are cut off with the number of the rest', async () => {
  const file = fileOf(withMisses(25, 1025))
  const { stdout, stderr } = await cli('explain', file)
  expect(stdout.match(/^miss /gm)).toHaveLength(20)
  expect(stderr).toContain('tracefp: 5 more: ')
  expect(stderr).toContain('tracefp: 1000 misses were counted but are not listed')
  expect((await cli('explain', file, '25')).stdout).toMatch(/^miss 25 of 25\n/)
  expect(JSON.parse((await cli('explain', file, '--json')).stdout)).toHaveLength(25)
})

test('misses of JSON Lines are numbered through, and say whose they are', async () => {
  const { stdout } = await cli('explain', fileOf(abnormal, authentic, { ...abnormal, session: 'SECOND' }))
  expect(stdout).toMatch(/^miss 6 of 6 \(.*, session SECOND\)$/m)
})

test('a report without misses says its verdict and its notes', async () => {
  const report = { ...authentic, verdict: 'inconclusive', notes: [{ code: 'x', message: 'not seen' }] }
  const { code, stdout } = await cli('explain', fileOf(report))
  expect([code, stdout]).toEqual([0, `${authentic.name}: inconclusive, no misses\n  note      not seen\n`])
  expect((await cli('explain', fileOf(authentic), '1')).stderr).toContain('lists no misses')
})

test('a report is read from stdin', () => {
  const ended = shell(`'${process.execPath}' '${MAIN}' explain - 1 < '${fileOf(abnormal)}'`)
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  expect(ended.stdout).toMatch(/^miss 1 of 3\n/)
})

test('a hostile report steers no terminal', async () => {
  const evil = '\u001b]0;x\u0007\u202e\u009b2J'
  const miss = {
    ...abnormal.misses[0]!,
    image: evil,
    to: evil,
    at: evil,
    severity: evil,
    action: 'constructor',
    ancestors: [evil],
    context: [evil],
  }
  const file = fileOf({ ...abnormal, name: evil, misses: [miss] }, { ...authentic, name: evil, verdict: evil })
  for (const args of [[file], [file, '--json']]) {
    const { stdout } = await cli('explain', ...args)
    expect(stdout).toMatch(/^[ -~\n]*$/)
    expect(stdout).not.toMatch(/undefined|constructor/)
  }
})

describe('what is no report is refused', () => {
  const good = JSON.stringify(abnormal)
  const changed = (change: object): string => JSON.stringify({ ...abnormal, ...change })
  const changedMiss = (change: object): string => changed({ misses: [{ ...abnormal.misses[0], ...change }] })
  test.each([
    ['an empty file', '  \n', 'it is empty'],
    ['text', 'hello', 'not JSON'],
    ['a report that was cut off', good.slice(0, -20), 'not JSON, or was cut off'],
    ['a line that was cut off', `${good}\n${good.slice(0, 100)}`, '2: .*not JSON, or was cut off'],
    ['a list', '[]', 'no verdict'],
    ['null', 'null', 'no verdict'],
    ['another JSON file', '{"name":"tracefp"}', 'no verdict'],
    ['a newer schema', changed({ schema: 2 }), 'its schema is 2, and this tracefp knows 1'],
    ['misses that are no list', changed({ misses: 3 }), 'misses are no list'],
    ['a miss that is no object', changed({ misses: [null] }), 'miss 1: it is no object'],
    ['a miss of an unknown kind', changedMiss({ kind: 'x' }), 'its kind is "x"'],
    ['a miss without a path', changedMiss({ path: undefined }), 'path is no list of texts'],
    ['a context of numbers', changedMiss({ context: [1] }), 'context is no list of texts'],
    ['a tid that is no number', changedMiss({ tid: '1' }), 'tid is no whole number'],
  ])('%s', (_, text, why) => {
    expect(() => parseReports(text, 'r')).toThrow(new RegExp(`^r:.*${why}`))
  })

  test('with one line and 5', async () => {
    const ended = await cli('explain', '/nonexistent/report.json')
    expect(ended).toMatchObject({ code: 5, stdout: '' })
    expect(ended.stderr).toMatch(/^tracefp: \/nonexistent\/report\.json: .*\n$/)
  })
})
