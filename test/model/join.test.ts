import { expect, test } from 'vitest'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { joinLedgers, revokeRuns, soleTransitionCounts } from '../../src/model/join.ts'
import { Ledger } from '../../src/model/ledger.ts'
import { image, ledgerOf, mapping, runInfo, runOf } from './making.ts'

const [OLD, NEW, OTHER] = ['a', 'b', 'c'].map((digit) => image('/bin/p', digit.repeat(64)))
const run = (id: string, of = OLD, tracks = ['<exec> read']) => runOf(id, tracks, of === undefined ? {} : { image: of })

/** Learned of the old image, then of the new one. */
function upgraded(): Ledger {
  const ledger = ledgerOf(run('r1', OLD))
  ledger.addRun(run('r2', NEW, ['<exec> write']), { isUpgrade: true })
  return ledger
}

test('other settings are refused, with what differs', () => {
  const other = Ledger.empty(makeSettings(mapping, { depth: 2, order: 'return' }))
  expect(() => joinLedgers(ledgerOf(run('r1')), other, 'x.tfp')).toThrow(/x.tfp was made with order entry, not return/)
})

test('another mapping is refused by its own code', () => {
  const other = Ledger.empty({ ...ledgerOf(run('r1')).settings, mapping: 'windows-nt' })
  expect(() => joinLedgers(ledgerOf(run('r1')), other, 'x.tfp')).toThrow(
    expect.objectContaining({ code: 'TFP_ERR_MODEL_MAPPING' }),
  )
})

test('a program that is another file is refused, with both hashes', () => {
  expect(() => joinLedgers(ledgerOf(run('r1', OLD)), ledgerOf(run('r2', OTHER)), 'x.tfp')).toThrow(
    /\/bin\/p: in x.tfp it is another file \(sha256 aaaaaaaaaaaa, cccccccccccc\)/,
  )
})

test('a ledger that went through an upgrade takes those from before it, from either side', () => {
  const before = ledgerOf(run('r3', OLD, ['<exec> close']))
  for (const joined of [joinLedgers(upgraded(), before, 'x'), joinLedgers(before, upgraded(), 'x')]) {
    const program = joined.programs.get('/bin/p')
    expect(program?.image).toEqual(NEW)
    expect(program?.formers.map(({ image: { sha256 }, runs }) => [sha256, `${runs}`])).toEqual([[OLD?.sha256, '1,3']])
    expect(`${joined.countedRuns}`).toBe('2')
  }
})

test('when the only run after an upgrade is revoked, the image from before it is the current one again', () => {
  const program = revokeRuns(upgraded(), ['r2']).programs.get('/bin/p')
  expect(program?.image).toEqual(OLD)
  expect(program?.formers).toEqual([])
})

test('one run told in two ways is refused', () => {
  const altered = runOf('r1', ['<exec> read'], { info: { ...runInfo('r1'), host: 'elsewhere' } })
  expect(() => joinLedgers(ledgerOf(runOf('r1', ['<exec> read'])), ledgerOf(altered), 'x')).toThrow(/otherwise/)
})

test('a revoked run is not learned again', () => {
  const ledger = revokeRuns(ledgerOf(run('r1'), run('r2')), ['r1'])
  expect(ledger.addRun(run('r1')).isNew).toBe(false)
  expect(ledger.runs.map(({ id }) => id)).toEqual(['r2'])
})

test('what only one run brought is counted', () => {
  const ledger = ledgerOf(
    runOf('r1', ['<exec> read write'], { execs: ['/bin/x'] }),
    runOf('r2', ['<exec> read close'], { execs: ['/bin/x', '/bin/y'] }),
  )
  expect(soleTransitionCounts(ledger)).toEqual([1, 2])
})
