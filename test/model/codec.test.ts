import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../src/errors.ts'
import { decodeFingerprint, encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { decodeLedger, encodeLedger } from '../../src/model/codec-ledger.ts'
import { compileTable } from '../../src/model/compile-table.ts'
import { assertMapping, type Fingerprint, makeSettings, type ProgramFingerprint } from '../../src/model/fingerprint.ts'
import { lengthOf, wholeContexts } from '../../src/model/language.ts'
import type { Image } from '../../src/model/stream.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { image, ledgerOf, mapping, resealed, runInfo, runOf } from './making.ts'

const python: Image = {
  path: '/usr/bin/python3',
  sha256: 'c'.repeat(64),
  buildId: 'ab01',
  script: { path: '/srv/a b.py', sha256: 'd'.repeat(64) },
  argv0: null,
}
const busybox: Image = { ...image('/bin/busybox'), argv0: 'ls' }
const hostile = image('/tmp/\n\u0000"\\ é\u202e\ud800 ')
const ledger = ledgerOf(
  runOf('A', ['<exec> openat read close <end>', '<thread> read'], { execs: ['/bin/cat', '/b:1', '/c d'] }),
  runOf('B', ['<exec> openat sys_-1 i386:read'], { image: python }),
  runOf('C', ['<signal:14> write'], { image: busybox }),
  runOf('D', ['read close'], { image: hostile }),
  runOf('E', ['read write', 'read close']),
)
const text = encodeFingerprint(ledger.fingerprint(mapping))
const ledgerText = encodeLedger(ledger, mapping)

const readers = [
  ['fingerprint', text, (given: string): unknown => decodeFingerprint(given, 'f.tfp')],
  ['ledger', ledgerText, (given: string): unknown => decodeLedger(given, 'f.tfl', mapping)],
] as const

/** What reading makes of the text: `code line message`. */
function complaint(read: (text: string) => unknown, given: string): string {
  try {
    read(given)
  } catch (error) {
    if (error instanceof FormatError) return `${error.code} ${error.line} ${error.message}`
    throw error
  }
  return 'nothing'
}

describe('a fingerprint file', () => {
  test('looks like this', () => {
    const small = encodeFingerprint(
      ledgerOf(runOf('A', ['<exec> read close <end>'], { execs: ['/x y'] }), runOf('B', ['read read'])).fingerprint(
        mapping,
      ),
    )
    expect(small.split('\n').slice(2)).toEqual([
      `mapping linux-x86_64 sha256:${mapping.hashOf(['read', 'close'])}`,
      'order entry',
      'tracks thread',
      'scope program',
      'depth 2',
      'transparent clock_gettime getcpu gettimeofday time',
      'runs 2',
      'root /bin/ls',
      'tally 2 2',
      'scenario usual 2 2',
      'kernel 6.1',
      'program /bin/ls',
      'exec "/x y":1',
      'after <exec> -> read:1',
      'after close -> <end>:1',
      'after read -> close:1 read:1',
      'end',
      '',
    ])
  })

  test('is read as it was written', () => {
    expect(decodeFingerprint(text, 'f.tfp')).toEqual(ledger.fingerprint(mapping))
    expect([...decodeFingerprint(text, 'f.tfp').programs.values()].map((program) => program.image)).toEqual(
      expect.arrayContaining([python, busybox, hostile]),
    )
  })

  test('carries the hash of its own bytes', async () => {
    const { createHash } = await import('node:crypto')
    expect(decodeFingerprint(text, 'f.tfp').sha256).toBe(createHash('sha256').update(text).digest('hex'))
  })

  test('without runs, programs and transparent calls is read as it was written', () => {
    const none = ledgerOf(runOf('A', [], { settings: makeSettings(mapping, { transparent: [] }) })).fingerprint(mapping)
    expect(decodeFingerprint(encodeFingerprint(none), 'f.tfp')).toEqual(none)
  })

  test('of depth 4 is read as it was written', () => {
    const deep = makeSettings(mapping, { depth: 4 })
    const fingerprint = ledgerOf(runOf('A', ['<exec> a b c d e'], { settings: deep })).fingerprint(mapping)
    expect(decodeFingerprint(encodeFingerprint(fingerprint), 'f.tfp')).toEqual(fingerprint)
  })

  test('is printable ASCII, whatever the names', () => {
    expect(text).toMatch(/^[\n -~]*$/)
    expect(ledgerText).toMatch(/^[\n -~]*$/)
  })
})

test('a ledger file is read as it was written', () => {
  const read = decodeLedger(ledgerText, 'f.tfl', mapping)
  expect(encodeLedger(read, mapping)).toBe(ledgerText)
  expect(read.runs).toEqual(ledger.runs)
  expect(read.fingerprint(mapping)).toEqual(ledger.fingerprint(mapping))
})

describe.each(readers)('a damaged %s', (_, good, read) => {
  test('is good before the damage', () => {
    expect(complaint(read, good)).toBe('nothing')
  })

  test('is refused when cut at any byte, and said to be truncated', () => {
    expect(complaint(read, '')).toContain('TFP_ERR_MODEL_FORMAT 0 ')
    for (let length = 1; length < good.length; length += 1) {
      expect(complaint(read, good.slice(0, length))).toMatch(/^TFP_ERR_MODEL_CHECKSUM 0 .*truncated/)
    }
  })

  test('is refused when any byte is altered', () => {
    for (let at = 0; at < good.length; at += 1) {
      const other = good[at] === 'a' ? 'b' : 'a'
      expect(complaint(read, good.slice(0, at) + other + good.slice(at + 1))).toMatch(/^TFP_ERR_MODEL_/)
    }
  })

  test('is called altered when its checksum is wrong', () => {
    expect(complaint(read, good.replace('depth 2', 'depth 3'))).toMatch(/^TFP_ERR_MODEL_CHECKSUM 2 .*altered/)
  })

  test('is refused with its version when that is newer', () => {
    expect(complaint(read, good.replace(/ 2\n/, ' 3\n'))).toMatch(/^TFP_ERR_MODEL_VERSION 1 .*format 3.*up to 2/)
  })

  test.each([
    ['another file', () => 'GIF89a\nrest\n'],
    ['a NUL', (body: string) => body.replace('order entry', 'order\0entry')],
    ['a letter beyond ASCII', (body: string) => body.replace('order entry', 'order entré')],
    ['a name beyond ASCII', (body: string) => body.replace('mapping linux-', 'mapping lin\u00fcx-')],
    ['a carriage return', (body: string) => body.replace('order entry', 'order entry\r')],
    ['a depth of a milliard', (body: string) => body.replace('depth 2', 'depth 1000000000')],
    ['a depth of 1', (body: string) => body.replace('depth 2', 'depth 1')],
    ['a depth that is no number', (body: string) => body.replace('depth 2', 'depth two')],
    ['an order that is not known', (body: string) => body.replace('order entry', 'order chaos')],
    ['transparent calls out of order', (body: string) => body.replace('clock_gettime getcpu', 'getcpu clock_gettime')],
    ['a line that is not known', (body: string) => body.replace('depth 2\n', 'depth 2\ncolour red\n')],
    ['an empty line', (body: string) => body.replace('depth 2\n', 'depth 2\n\n')],
    ['a space at the end of a line', (body: string) => body.replace('after close -> <end>', 'after close -> <end> ')],
    ['two spaces', (body: string) => body.replace('after close', 'after  close')],
    ['a line twice', (body: string) => body.replace(/(after close .*\n)/, '$1$1')],
    ['a program twice', (body: string) => body.replace(/(program \/bin\/ls\n(?:[^p].*\n)*?)(?=program)/, '$1$1')],
    ['lines out of order', (body: string) => body.replace(/(after close .*\n)(after openat .*\n)/, '$2$1')],
    ['a program quoted without need', (body: string) => body.replace('program /bin/ls\n', 'program "/bin/ls"\n')],
    ['a quote that is not closed', (body: string) => body.replace('program /bin/ls\n', 'program "/bin/ls\n')],
    ['a context longer than the depth', (body: string) => body.replace('after close ->', 'after close close ->')],
    ['an image hash that is none', (body: string) => body.replace(`sha256 ${'c'.repeat(64)}`, 'sha256 XY')],
    ['a script that does not fit', (body: string) => body.replace('script "/srv/a b.py"', 'script /srv/b.py')],
    ['text after the end', (body: string) => body.replace(/end\n$/, 'end\nmore\nend\n')],
    ['no arrow', (body: string) => body.replace('after close ->', 'after close')],
    ['a giant line', (body: string) => body.replace('after close ->', `after ${'x'.repeat(5_000_000)} ->`)],
    ['a symbol that is a quote', (body: string) => body.replace('after close ->', 'after "close" ->')],
  ])('is refused for %s, with the line', (_name, damage) => {
    const body = good.split('\n').slice(2).join('\n')
    expect(damage(body)).not.toBe(body)
    const given = damage(body).startsWith('GIF') ? damage(body) : resealed(good, damage)
    expect(complaint(read, given)).toMatch(/^TFP_ERR_MODEL_FORMAT [1-9]/)
  })
})

test.each([
  ['more runs than there were', (body: string) => body.replace('close:1', 'close:6')],
  ['no run at all', (body: string) => body.replace('close:1', 'close:0')],
  ['a number beyond all bounds', (body: string) => body.replace('close:1', `close:${'9'.repeat(400)}`)],
  ['a leading zero', (body: string) => body.replace('close:1', 'close:01')],
  ['no number', (body: string) => body.replace('close:1', 'close')],
  ['no symbol', (body: string) => body.replace('close:1', ':1')],
  ['absurdly many runs', (body: string) => body.replace('runs 5', 'runs 99999999999')],
  ['negative runs', (body: string) => body.replace('runs 5', 'runs -5')],
  ['a successor twice', (body: string) => body.replace('close:1', 'close:1 close:1')],
  ['a root that is no program', (body: string) => body.replace('root /bin/ls\n', 'root /bin/lt\n')],
  ['an exec without number', (body: string) => body.replace('exec /bin/cat:1', 'exec /bin/cat')],
])('a fingerprint is refused for %s', (_, damage) => {
  const bad = resealed(text, damage)
  expect(bad).not.toBe(text)
  expect(complaint((given) => decodeFingerprint(given, 'f.tfp'), bad)).toMatch(/^TFP_ERR_MODEL_FORMAT [1-9]/)
})

test.each([
  ['a set that is not there', (body: string) => body.replace(/-> <end>:\d+/, '-> <end>:99')],
  ['four milliards of runs', (body: string) => body.replace(/set 1 .*\n/, 'set 1 1-4294967295\n')],
  ['runs out of order', (body: string) => body.replace(/set 1 .*\n/, 'set 1 3,1\n')],
  ['runs with a wrong number', (body: string) => body.replace('run 2 ', 'run 7 ')],
  ['runs that are not sorted', (body: string) => body.replace('run 2 B', 'run 2 0')],
  ['a run twice', (body: string) => body.replace('run 2 B', 'run 2 A')],
  ['a run that says too little', (body: string) => body.replace(/run 2 B .*/, 'run 2 B')],
  ['a transition twice', (body: string) => body.replace(/(after close -> <end>:\d+\n)/, '$1$1')],
  ['a context that comes again', (body: string) => body.replace(/(after read -> .*\n)/, '$1after openat -> zzz:1\n')],
  ['an empty set of runs', (body: string) => body.replace(/set 1 .*\n/, 'set 1 =AA\n')],
  ['the same set twice', (body: string) => body.replace(/set 2 .*\n/, `set 2 ${/set 1 (.*)\n/.exec(body)?.[1]}\n`)],
  ['a set that nothing names', (body: string) => body.replace(/(program .*\n)/, 'set 9 1,3,5\n$1')],
  ['sets that are named in another order', (body: string) => body.replace(/runs 1\n/, 'runs 2\n')],
  ['a layer that is not known', (body: string) => body.replace(' normal run ', ' odd run ')],
  ['an origin that is not known', (body: string) => body.replace(' normal run ', ' normal walk ')],
  ['a run that was revoked', (body: string) => body.replace('run 1 A', 'revoked A\nrun 1 A')],
  ['revoked runs out of order', (body: string) => body.replace('run 1 A', 'revoked Z\nrevoked Y\nrun 1 A')],
  ['a former image without hashes', (body: string) => body.replace(/(root \d+\n)/, '$1former - - 1\n')],
  ['an exec with too much', (body: string) => body.replace(/exec \/bin\/cat \d+/, '$& 1')],
])('a ledger is refused for %s', (_, damage) => {
  const bad = resealed(ledgerText, damage)
  expect(bad).not.toBe(ledgerText)
  expect(complaint((given) => decodeLedger(given, 'f.tfl', mapping), bad)).toMatch(/^TFP_ERR_MODEL_FORMAT [1-9]/)
})

test('a ledger of another mapping, or of other numbers, is refused', () => {
  const read = (given: string, m = mapping) => complaint((t) => decodeLedger(t, 'f.tfl', m), given)
  expect(read(ledgerText, linuxMapping('aarch64'))).toContain('TFP_ERR_MODEL_MAPPING')
  const renumbered = resealed(ledgerText, (body) => body.replace(/sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`))
  expect(read(renumbered)).toContain('TFP_ERR_MODEL_MAPPING')
})

test('a ledger given as a fingerprint is told by name', () => {
  expect(complaint((given) => decodeFingerprint(given, 'f.tfp'), ledgerText)).toMatch(
    /^TFP_ERR_MODEL_FORMAT 1 .*not a fingerprint.*tracefp-ledger/,
  )
})

test('a text beyond 64 MiB is refused unread', () => {
  expect(complaint((given) => decodeFingerprint(given, 'f.tfp'), ' '.repeat(64 * 1024 * 1024 + 1))).toContain('64 MiB')
})

const DEEP = makeSettings(mapping, { depth: 4 })
const deepText = encodeFingerprint(
  ledgerOf(
    runOf('A', ['<exec> a b c d', '<exec> b c e'], { settings: DEEP }),
    runOf('B', ['<exec> a b c d'], { settings: DEEP, info: { ...runInfo('B'), libc: 'glibc 2.36' } }),
  ).fingerprint(mapping),
)

test('deep contexts stand where they say more than their ends do', () => {
  expect(deepText.split('\n').filter((line) => /^(tally|libc|after)/.test(line))).toEqual([
    'tally 2 1 1 1',
    'libc "glibc 2.36"',
    'after <exec> -> a:2 b:1',
    'after a -> b:2',
    'after b -> c:2',
    'after c -> d:2 e:1',
    'after <exec> b c -> e:1',
    'after a b c -> d:2',
  ])
})

test.each([
  ['a set that its end has too', (body: string) => body.replace('after a b c -> d:2\n', '$&after z b c -> d:2\n')],
  ['the set of an end again', (body: string) => body.replace('after a b c -> d:2', 'after a b c -> d:2 e:1')],
  ['a symbol that does not follow its end', (body: string) => body.replace('after a b c -> d:2', 'after a b c -> b:2')],
  ['a context that nothing leads to', (body: string) => body.replace('after a b c -> d', 'after b b c -> d')],
  ['more runs than its end has', (body: string) => body.replace('after <exec> b c -> e:1', 'after <exec> b c -> e:2')],
  ['a short context behind long ones', (body: string) => body.replace(/(after b .*\n)((?:after .*\n)+)/, '$2$1')],
  ['an empty set of one symbol', (body: string) => body.replace('after a -> b:2', 'after a ->')],
  ['fewer numbers than depths', (body: string) => body.replace('tally 2 1 1 1', 'tally 2 1 1')],
  ['what is new at depth 2 and not at 3', (body: string) => body.replace('tally 2 1 1 1', 'tally 2 2 1 1')],
  ['more new runs than runs', (body: string) => body.replace('tally 2 1 1 1', 'tally 2 1 1 3')],
  ['faults without runs with faults', (body: string) => body.replace('end\n', 'fault a -> b:1 c:1\nend\n')],
])('a deep fingerprint is refused for %s', (_, damage) => {
  const bad = resealed(deepText, damage)
  expect(bad).not.toBe(deepText)
  expect(complaint((given) => decodeFingerprint(given, 'f.tfp'), bad)).toMatch(/^TFP_ERR_MODEL_FORMAT [1-9]/)
})

describe.each([2, 4])('files of format 1, depth %i,', (depth) => {
  const file = (ending: string): string => {
    return readFileSync(join(import.meta.dirname, `../fixtures/model/format-1-depth-${depth}.${ending}`), 'latin1')
  }
  const fingerprint = decodeFingerprint(file('tfp'), 'f.tfp')
  const own = decodeLedger(file('tfl'), 'f.tfl', mapping)

  test('are read, and say the same as ever', () => {
    const derived = own.fingerprint(mapping)
    const sets = (given: Fingerprint): unknown =>
      [...given.programs.values()].map(({ successors, execs, alphabet }) => {
        return [alphabet, [...execs.keys()], [...successors].map(([context, next]) => [context, [...next.keys()]])]
      })
    expect(sets(fingerprint)).toEqual(sets(derived))
    expect([fingerprint.runCount, fingerprint.tally, derived.tally?.runCount]).toEqual([3, null, 3])
    expect(fingerprint.sha256).toBe(createHash('sha256').update(file('tfp')).digest('hex'))
    expect([...wholeContexts(fingerprint.programs.get('/bin/ls')!.successors, depth).keys()].sort()).toEqual(
      [...file('tfp').matchAll(/^after (.*) ->/gm)].map((match) => match[1]).sort(),
    )
  })

  test('are written in the format of today, and then read again', () => {
    const again = decodeLedger(encodeLedger(own, mapping), 'f.tfl', mapping)
    expect(again.runs).toEqual(own.runs)
    expect(decodeFingerprint(encodeFingerprint(again.fingerprint(mapping)), 'f.tfp')).toEqual(own.fingerprint(mapping))
    const { sha256: _, ...old } = fingerprint
    expect(decodeFingerprint(encodeFingerprint(old), 'f.tfp')).toMatchObject(old)
  })

  test('hold no lines of today', () => {
    const given = resealed(file('tfp'), (body) => body.replace(/(program .*\n)/, 'kernel 6.1\n$1'))
    expect(complaint((t) => decodeFingerprint(t, 'f.tfp'), given)).toMatch(/^TFP_ERR_MODEL_FORMAT/)
  })
})

describe('a deep fingerprint that is read for a check at a lower depth', () => {
  const calls = ['read', 'write', 'openat', 'close', 'mmap']
  const track = (seed: number): string => {
    let state = seed
    const call = (): string => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return calls[(state >> 16) % calls.length] as string
    }
    return `<exec> ${Array.from({ length: 12 }, call).join(' ')} <end>`
  }
  const settings = makeSettings(mapping, { depth: 6 })
  const faulty = { settings, info: { ...runInfo('F'), layer: 'fault' as const }, execs: ['/bin/sh'] }
  const deep = encodeFingerprint(
    ledgerOf(
      runOf('A', [track(1), track(2), track(3)], { settings }),
      runOf('B', [track(4)], { settings, image: python }),
      runOf('F', [track(5), track(6)], faulty),
    ).fingerprint(mapping),
  )
  const whole = decodeFingerprint(deep, 'f.tfp')

  test.each([2, 3, 4, 5])('has the same table at depth %i, the same layer of faults and the same mapping', (depth) => {
    const part = decodeFingerprint(deep, 'f.tfp', depth)
    for (const [key, program] of part.programs) {
      const known = whole.programs.get(key) as ProgramFingerprint
      const faultTable = (faults: ProgramFingerprint): Uint8Array =>
        new Uint8Array(compileTable({ ...faults, ...faults.faults }, mapping, depth))
      expect(new Uint8Array(compileTable(program, mapping, depth))).toEqual(
        new Uint8Array(compileTable(known, mapping, depth)),
      )
      expect(faultTable(program)).toEqual(faultTable(known))
      expect([...program.successors.keys()].every((context) => lengthOf(context) < depth)).toBe(true)
      expect(program.alphabet).toEqual(known.alphabet)
    }
    expect([...part.programs.values()].some(({ faults }) => faults !== null)).toBe(true)
    expect(() => assertMapping(part, mapping, 'f.tfp')).not.toThrow()
    expect(part.sha256).toBe(whole.sha256)
  })

  test('keeps its text, from which the whole can be read', () => {
    expect(decodeFingerprint(decodeFingerprint(deep, 'f.tfp', 2).text ?? '', 'f.tfp')).toEqual(whole)
    expect(whole.text).toBeUndefined()
  })

  test('is not read beyond that depth', () => {
    const bad = resealed(deepText, (body) => body.replace('after a b c -> d:2', 'after a b c -> "'))
    expect(complaint((given) => decodeFingerprint(given, 'f.tfp', 3), bad)).toBe('nothing')
    expect(complaint((given) => decodeFingerprint(given, 'f.tfp', 4), bad)).toMatch(/^TFP_ERR_MODEL_FORMAT/)
  })
})
