// estimate, merge and revoke: what is done with ledgers from the command line.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { encodeLedger } from '../../src/model/codec-ledger.ts'
import { makeSettings, type Settings } from '../../src/model/fingerprint.ts'
import type { RunInfo } from '../../src/model/learner.ts'
import type { Ledger } from '../../src/model/ledger.ts'
import { image, ledgerOf, mapping, runInfo, runOf } from '../model/making.ts'
import { cli, temporaryFolder } from './cli.ts'

const settings = makeSettings(mapping, { depth: 6 })
const ID = (at: number): string => `01ARZ3NDEKTSV4RRFFQ69G5F${String(at).padStart(2, '0')}`

let folder: string
const at = (name: string): string => join(folder, name)

beforeEach(() => {
  folder = temporaryFolder()
})

const run = (number: number, track: string, more: Partial<RunInfo> = {}, hash = 'a', as: Settings = settings) =>
  runOf(ID(number), [track], {
    settings: as,
    image: image('/bin/p', hash.repeat(64)),
    info: { ...runInfo(ID(number)), ...more },
  })

function put(name: string, ledger: Ledger): string {
  writeFileSync(at(`${name}.tfl`), encodeLedger(ledger, mapping))
  writeFileSync(at(`${name}.tfp`), encodeFingerprint(ledger.fingerprint(mapping)))
  return at(`${name}.tfp`)
}

const quiet = (count: number) => Array.from({ length: count }, (_, number) => run(number, '<exec> read close'))

describe('estimate', () => {
  test('ends with 0 when learning is finished and with 1 when it is not', async () => {
    const finished = await cli('estimate', put('a', ledgerOf(...quiet(60))))
    expect(finished).toMatchObject({ code: 0, stderr: '' })
    expect(finished.stdout).toMatch(/all +60 +0\.000 \(0\.000 to 0\.049\) +0\.000/)
    expect(finished.stdout).toMatch(/\nfinished \(surely below 0\.05 at depth 2\)\n$/)
    const begun = await cli('estimate', put('b', ledgerOf(...quiet(3), run(3, '<exec> write'))))
    expect(begun.code).toBe(1)
    expect(begun.stdout).toMatch(/not finished, \d+ more runs that bring nothing new/)
  })

  test('tells each scenario, those that still move, and when something new came', async () => {
    const odd = [60, 61, 62].map((number) => run(number, `<exec> sys_${900 + number}`, { scenario: 'odd' }))
    const { stdout } = await cli('estimate', put('a', ledgerOf(...quiet(60), ...odd)))
    expect(stdout).toMatch(/ usual +60 +0\.000/)
    expect(stdout).toMatch(/ odd +3 +1\.000 \(0\.368 to 1\.000\)/)
    expect(stdout).toMatch(/still moving: odd \(up to 1\.00 in 3 runs\)/)
    expect(stdout).toMatch(/runs 51 to 63 +3 of 13, 3 sequences/)
  })

  test('finished is what the user says', async () => {
    const file = put('a', ledgerOf(...quiet(30)))
    expect((await cli('estimate', file)).code).toBe(1)
    expect((await cli('estimate', '--below', '0.1', file)).code).toBe(0)
  })

  test('as JSON it is the same', async () => {
    const { stdout } = await cli('estimate', '--json', put('a', ledgerOf(...quiet(60))))
    const { all, isFinished, scenarios, curve } = JSON.parse(stdout)
    expect(isFinished).toBe(true)
    expect(all.map(({ depth }: { depth: number }) => depth)).toEqual([2, 3, 6])
    expect(scenarios).toMatchObject([{ name: 'usual', isMoving: false }])
    expect(curve[0].newCounts).toHaveLength(60)
  })

  test('without a ledger there is no curve, and no smallest set of scenarios', async () => {
    put('a', ledgerOf(...quiet(60)))
    writeFileSync(at('b.tfp'), readFileSync(at('a.tfp')))
    const { code, stdout, stderr } = await cli('estimate', at('b.tfp'))
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('there is no curve') })
    expect(stdout).not.toContain('brought')
    expect((await cli('estimate', '--minimal', at('b.tfp'))).code).toBe(2)
  })

  test('--minimal names the scenarios that are enough', async () => {
    const file = put('a', ledgerOf(...quiet(2), run(5, '<exec> read close write', { scenario: 'whole' })))
    expect(await cli('estimate', '--minimal', file)).toMatchObject({
      code: 0,
      stdout: '1 scenario for 3 of 3 transitions\nwhole\n',
    })
  })
})

describe('merge', () => {
  test('gives the same bytes in any order, and once again', async () => {
    const [a, b] = [
      put('a', ledgerOf(run(1, '<exec> read'))),
      put('b', ledgerOf(run(2, '<exec> write'), run(1, '<exec> read'))),
    ]
    expect((await cli('merge', '-o', at('x.tfp'), a, b)).code).toBe(0)
    expect((await cli('merge', '-o', at('y.tfp'), b, a, b)).stderr).toMatch(/y\.tfp: 2 transitions of 2 runs/)
    for (const kind of ['tfp', 'tfl']) expect(readFileSync(at(`x.${kind}`))).toEqual(readFileSync(at(`y.${kind}`)))
  })

  test.each([
    [
      'another executable',
      () => ledgerOf(run(2, '<exec> read', {}, 'b')),
      /another file \(sha256 aaaaaaaaaaaa, bbbbbbbbbbbb\)/,
    ],
    [
      'another depth',
      () => ledgerOf(run(2, '<exec> read', {}, 'a', makeSettings(mapping, { depth: 3 }))),
      /depth 6, not 3/,
    ],
    [
      'another order',
      () => ledgerOf(run(2, '<exec> read', {}, 'a', makeSettings(mapping, { depth: 6, order: 'return' }))),
      /order entry, not return/,
    ],
  ])('refuses %s, and writes nothing', async (_, other, message) => {
    const { code, stderr } = await cli(
      'merge',
      '-o',
      at('x.tfp'),
      put('a', ledgerOf(run(1, '<exec> read'))),
      put('b', other()),
    )
    expect(code).toBe(5)
    expect(stderr).toMatch(message)
    expect(existsSync(at('x.tfp'))).toBe(false)
  })

  test('replaces nothing that was not named', async () => {
    const [a, b] = [put('a', ledgerOf(run(1, '<exec> read'))), put('b', ledgerOf(run(2, '<exec> write')))]
    put('x', ledgerOf(run(3, '<exec> close')))
    expect((await cli('merge', '-o', at('x.tfp'), a, b)).code).toBe(2)
    expect((await cli('merge', '-o', a, a, b)).code).toBe(0)
  })
})

describe('revoke', () => {
  test('lists the runs with what only they brought', async () => {
    const file = put(
      'a',
      ledgerOf(run(1, '<exec> read'), run(2, '<exec> read bpf', { scenario: 'odd', libc: 'glibc 2.36' })),
    )
    const { stdout } = await cli('revoke', file)
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^01ARZ3NDEKTSV4RRFFQ69G5F01 .* usual {2}0 transitions of its own/),
      expect.stringMatching(
        /^01ARZ3NDEKTSV4RRFFQ69G5F02 .* odd {2}1 transition of its own {2}h, 6\.1, glibc 2\.36, test 1/,
      ),
      '',
    ])
  })

  test('takes a run back, and merging with who still has it does not bring it back', async () => {
    const both = ledgerOf(run(1, '<exec> read'), run(2, '<exec> read bpf'))
    const [a, b] = [put('a', both), put('b', both)]
    expect((await cli('revoke', a, '--run', ID(2))).stderr).toMatch(
      /1 transition went with it; 1 transition of 1 run are left/,
    )
    expect(readFileSync(a, 'latin1')).not.toContain('bpf')
    expect((await cli('merge', '-o', at('x.tfp'), b, a)).code).toBe(0)
    expect(readFileSync(at('x.tfp'), 'latin1')).not.toContain('bpf')
    expect((await cli('revoke', at('x.tfp'))).stdout).toMatch(new RegExp(`^${ID(2)} {2}revoked$`, 'm'))
  })

  test('a run that is not there is a usage error', async () => {
    const { code, stderr } = await cli('revoke', put('a', ledgerOf(run(1, '<exec> read'))), '--run', 'nonsense')
    expect(code).toBe(2)
    expect(stderr).toMatch(/has no run nonsense: .* lists them/)
  })
})

test('what is never learned unasked is seen in show and in diff', async () => {
  const [a, b] = [put('a', ledgerOf(run(1, '<exec> read'))), put('b', ledgerOf(run(1, '<exec> read bpf')))]
  expect((await cli('show', b)).stdout).toMatch(/dangerous +bpf: never learned unless asked for/)
  expect((await cli('diff', a, b)).stdout).toMatch(/! never learned unless asked for: bpf/)
})
