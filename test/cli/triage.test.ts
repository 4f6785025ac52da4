// Decisions about misses: what they change, what they never change, and what is told before. And where steps are known from.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Miss } from '../../src/match/miss.ts'
import { decodeFingerprint, encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { encodeLedger } from '../../src/model/codec-ledger.ts'
import { readLedgerFile } from '../../src/model/files.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { KnownSequences, projectedTo } from '../../src/model/sequences.ts'
import { image, ledgerOf, mapping, runInfo, runOf } from '../model/making.ts'
import { cli, temporaryFolder } from './cli.ts'

const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
let folder: string
const at = (name: string): string => join(folder, name)

function missOf(context: string, to: string, more: Partial<Miss> = {}): Miss {
  const symbols = context.split(' ')
  const where = { tid: 1, tgid: 1, ppid: 0, ancestors: [], kind: 'call', image: '/bin/ls', index: 3, at: '12' } as const
  const what = {
    context: symbols,
    from: symbols.at(-1)!,
    to,
    expected: [],
    path: [],
    severity: 'low',
    action: 'alert',
  } as const
  return { ...where, ...what, ...more } as Miss
}

function report(...misses: readonly Miss[]): string {
  const value = {
    schema: 1,
    verdict: 'abnormal',
    session: 'S1',
    name: 'ls',
    missCount: misses.length,
    misses,
    notes: [],
  }
  writeFileSync(at('report.json'), JSON.stringify(value))
  return at('report.json')
}

async function triage(file: string, ...args: readonly string[]) {
  return await cli('triage', file, '-f', at('a.tfp'), '-o', at('b.tfp'), ...args)
}

/** Whether a fingerprint allows a sequence at its full depth. */
function allows(name: string, sequence: string, program = '/bin/ls'): boolean {
  const { settings, programs } = decodeFingerprint(readFileSync(at(name), 'latin1'), name)
  const known = new KnownSequences(projectedTo(programs.get(program)!.successors, settings.depth))
  const cut = sequence.lastIndexOf(' ')
  return known.has(sequence.slice(0, cut), sequence.slice(cut + 1))
}

function learn(depth: number): void {
  const settings = makeSettings(mapping, { depth })
  const ledger = ledgerOf(runOf(ID, ['<exec> read write close exit_group <end>'], { settings }))
  writeFileSync(at('a.tfl'), encodeLedger(ledger, mapping))
  writeFileSync(at('a.tfp'), encodeFingerprint(ledger.fingerprint(mapping)))
}

beforeEach(() => {
  folder = temporaryFolder()
  learn(3)
})

describe('triage', () => {
  test('writes a candidate that allows what was allowed and nothing else, and leaves the fingerprint alone', async () => {
    const before = [readFileSync(at('a.tfp')), readFileSync(at('a.tfl'))]
    const file = report(missOf('<exec> read write', 'openat'), missOf('read write close', 'execve'))
    const { code, stdout } = await triage(file, '--decide', '1=allow')
    expect(code).toBe(0)
    expect(stdout).toBe(
      '1  allow     /bin/ls: write -> openat  (1 miss)\n2  skip      /bin/ls: close -> execve  (1 miss)\n',
    )
    expect(allows('b.tfp', 'read write openat')).toBe(true)
    expect(allows('b.tfp', 'write close execve')).toBe(false)
    expect([readFileSync(at('a.tfp')), readFileSync(at('a.tfl'))]).toEqual(before)
  })

  test('is a run of its own in the ledger, which says what it was', async () => {
    await triage(report(missOf('<exec> read write', 'openat')), '--decide', 'all=allow')
    const { runs } = await readLedgerFile(at('b.tfp'), mapping)
    expect(runs.at(-1)).toMatchObject({ scenario: 'triage', command: ['tracefp', 'triage', 'S1'] })
  })

  test('asks once about misses that are the same step', async () => {
    const same = missOf('<exec> read write', 'openat')
    const file = report(same, { ...same, tid: 7, index: 9 }, missOf('open read write', 'openat'))
    const { stdout } = await triage(file, '--decide', 'all=incident', '--json')
    expect(JSON.parse(stdout).cases.map((one: { missCount: number }) => one.missCount)).toEqual([3])
  })

  test('an incident ends it with 1, and nothing of it is allowed', async () => {
    const { code, stderr } = await triage(report(missOf('<exec> read write', 'execve')), '--decide', '1=incident')
    expect(code).toBe(1)
    expect(stderr).toMatch(/no candidate is written/)
    expect(existsSync(at('b.tfp'))).toBe(false)
  })

  test('what is abnormal but authentic never becomes authentic', async () => {
    const { code } = await triage(report(missOf('<exec> read write', 'openat')), '--decide', '1=abnormal')
    // Where fingerprints have no layer for it, it is refused.
    expect(existsSync(at('b.tfp'))).toBe(code === 0)
    if (code === 0) expect(allows('b.tfp', 'read write openat')).toBe(false)
    else expect(code).toBe(5)
  })

  test('allows programs to be executed, and ends', async () => {
    const exec = missOf('read write execve', 'exec:/bin/id', { kind: 'exec' })
    const end = missOf('<exec> read write', '<end>', { kind: 'end' })
    expect((await triage(report(exec, end), '--decide', 'all=allow')).code).toBe(0)
    const candidate = decodeFingerprint(readFileSync(at('b.tfp'), 'latin1'), 'b')
    expect([...candidate.programs.get('/bin/ls')!.execs.keys()]).toEqual(['/bin/id'])
    expect(allows('b.tfp', 'read write <end>')).toBe(true)
  })

  test.each([
    ['another image', missOf('<exec>', 'image:sha256:00', { kind: 'image' }), /not allowed but learned/],
    [
      'a program that was not learned',
      missOf('<exec> read', 'write', { image: '/bin/other' }),
      /not in the fingerprint/,
    ],
    ['a step after a gap', missOf('<gap>', 'read'), /what came before it is not known/],
    ['a step of which too little is known', missOf('<gap> read', 'openat'), /too little/],
    ['io_uring', missOf('<exec> read write', 'io_uring_setup'), /never learned/],
    ['what is no call', missOf('<exec> read write', '<fork>'), /no call/],
  ])('%s cannot be allowed', async (_, miss, why) => {
    const { code, stderr } = await triage(report(miss), '--decide', '1=allow')
    expect(code).toBe(2)
    expect(stderr).toMatch(why)
    expect(existsSync(at('b.tfp'))).toBe(false)
  })

  test('hostile texts of a report never reach a fingerprint', async () => {
    const { code } = await triage(report(missOf('<exec> read write', 'a b -> c:1\nend')), '--decide', '1=allow')
    expect(code).not.toBe(0)
    expect(existsSync(at('b.tfp'))).toBe(false)
  })

  test('never replaces a file, its own least of all', async () => {
    const file = report(missOf('<exec> read write', 'openat'))
    for (const target of ['a.tfp', 'b.tfp']) {
      if (target === 'b.tfp') writeFileSync(at('b.tfl'), '')
      const { code, stderr } = await cli('triage', file, '-f', at('a.tfp'), '-o', at(target), '--decide', 'all=allow')
      expect(code).toBe(2)
      expect(stderr).toMatch(/is there already/)
    }
  })

  test('needs the ledger, which is where decisions are kept', async () => {
    writeFileSync(at('c.tfp'), readFileSync(at('a.tfp')))
    const file = report(missOf('<exec> read write', 'openat'))
    expect((await cli('triage', file, '-f', at('c.tfp'), '-o', at('b.tfp'), '--decide', 'all=allow')).code).toBe(5)
  })

  test.each(['2=allow', '0=allow', '1=permit', 'allow', '1-2=skip', 'all=constructor'])(
    '%s is no decision here',
    async (word) => {
      expect((await triage(report(missOf('<exec> read write', 'openat')), '--decide', word)).code).toBe(2)
    },
  )

  test('without a terminal and without decisions it says how to decide', async () => {
    const { code, stderr } = await triage(report(missOf('<exec> read write', 'openat')))
    expect(code).toBe(2)
    expect(stderr).toMatch(/no terminal to ask on/)
  })

  test('says first which verdicts of kept logs would change', async () => {
    learn(2)
    const log = (name: string, calls: readonly string[]): string => {
      const lines = ['execve("/bin/ls", ["ls"], 0x7ffc /* 1 var */) = 0', ...calls.map((call) => `${call}(1) = 0`)]
      writeFileSync(
        at(name),
        `${[...lines, 'exit_group(0) = ?', '+++ exited with 0 +++'].map((line) => `1 ${line}`).join('\n')}\n`,
      )
      return at(name)
    }
    const changed = log('odd.log', ['read', 'write', 'fsync', 'close'])
    const still = log('worse.log', ['read', 'write', 'reboot', 'close'])
    const misses = [missOf('<exec> read write', 'fsync'), missOf('read write fsync', 'close')]
    const { stdout, code } = await triage(
      report(...misses),
      '--decide',
      'all=allow',
      '--replay',
      changed,
      '--replay',
      still,
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/verdict of .*odd\.log would change: abnormal -> \w+ \(1 -> 0 misses\)/)
    expect(stdout).toMatch(/1 verdict of 2 would change/)
    expect(stdout).not.toMatch(/worse\.log/)
    // What came after a call that was never seen was not judged: once the call is known, it is.
    const half = report(missOf('<exec> read write', 'fsync'))
    const args = ['-f', at('a.tfp'), '-o', at('half.tfp'), '--decide', 'all=allow', '--replay', changed, '--json']
    expect(JSON.parse((await cli('triage', half, ...args)).stdout).replayed).toMatchObject([
      { before: 'abnormal', after: 'abnormal', missCountBefore: 1, missCountAfter: 1 },
    ])
  })
})

describe('explain -f', () => {
  test('tells at which length a step is new, and from which scenarios the rest is known', async () => {
    const settings = makeSettings(mapping, { depth: 3 })
    const ledger = ledgerOf(runOf(ID, ['<exec> open write close exit_group'], { settings }))
    const run = { ...runOf(ID.replace('V', 'W'), ['<exec> read write exit_group'], { settings }) }
    ledger.addRun({ ...run, info: { ...runInfo(ID.replace('V', 'W')), scenario: 'upgrade' } })
    writeFileSync(at('a.tfl'), encodeLedger(ledger, mapping))
    writeFileSync(at('a.tfp'), encodeFingerprint(ledger.fingerprint(mapping)))
    const { stdout } = await cli('explain', report(missOf('<exec> open write', 'exit_group')), '-f', at('a.tfp'))
    expect(stdout).toContain('  known     write -> exit_group: known, from the runs of upgrade (1)\n')
    expect(stdout).toContain('            open -> write -> exit_group: not known\n')
  })

  test('names other programs that know the step, and does without a ledger', async () => {
    const settings = makeSettings(mapping, { depth: 2 })
    const ledger = ledgerOf(runOf(ID, ['<exec> read'], { settings }))
    ledger.addRun(runOf(ID.replace('V', 'W'), ['<exec> write execve'], { settings, image: image('/bin/sh') }))
    writeFileSync(at('c.tfp'), encodeFingerprint(ledger.fingerprint(mapping)))
    const { stdout } = await cli('explain', report(missOf('<exec> write', 'execve')), '-f', at('c.tfp'))
    expect(stdout).toContain('  known     write -> execve: not known\n            known in other programs: /bin/sh\n')
  })

  test('says what is known only while calls fail, of calls and of programs that are executed', async () => {
    const settings = makeSettings(mapping, { depth: 3 })
    const ledger = ledgerOf(runOf(ID, ['<exec> open write close'], { settings }))
    const info = { ...runInfo(ID.replace('V', 'W')), layer: 'fault' as const }
    ledger.addRun(runOf(info.id, ['<exec> open write exit_group'], { settings, info, execs: ['/bin/sh'] }))
    writeFileSync(at('a.tfl'), encodeLedger(ledger, mapping))
    writeFileSync(at('a.tfp'), encodeFingerprint(ledger.fingerprint(mapping)))
    const exec = missOf('open write execve', 'exec:/bin/sh', { kind: 'exec' })
    const file = report(missOf('<exec> open write', 'exit_group'), exec, missOf('open write', 'fsync'))
    const { stdout } = await cli('explain', file, '-f', at('a.tfp'))
    const only = 'known only while calls fail, from the runs of usual with faults (1)'
    expect(stdout).toContain(
      `  known     write -> exit_group: ${only}\n            open -> write -> exit_group: ${only}\n`,
    )
    expect(stdout).toContain(`  known     exec:/bin/sh: ${only}\n`)
    // Nothing is said of what is longer than something unknown.
    expect(stdout).toMatch(/known {5}write -> fsync: not known\n$/)
  })
})
