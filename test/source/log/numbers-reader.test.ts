import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../src/errors.ts'
import { HEAD_LENGTH, layoutOf, type NumbersLayout } from '../../../src/source/log/numbers-layout.ts'
import { numbersFormat } from '../../../src/source/log/numbers-reader.ts'
import { windowsMapping } from '../../../src/syscall/builtin.ts'
import { createMapping, linuxMapping } from '../../../src/syscall/mapping.ts'
import { namingMapping } from '../../../src/syscall/naming.ts'
import { type Told, tell } from './telling.ts'

const mapping = linuxMapping('i386')

function read(log: string | Uint8Array, sessions = false): Told {
  return tell(numbersFormat, log, { mapping, sessions })
}

describe('layouts', () => {
  test('a number a line is one trace', () => {
    const told = read('3\n4\n\n6\n')
    expect(told.events).toEqual(['birth 1 of 0 in 1 join', '1 read', '1 write', '1 close'])
    expect(told.counts).toEqual({ lineCount: 4, unparsedLineCount: 0, firstUnparsed: [], unknownNameCount: 0 })
    expect(told.places).toEqual(['line 1', 'line 2', 'line 4'])
  })

  test('pairs of pid and number are one trace with a track per pid', () => {
    expect(read('  551 3\r\n552 4\r\n551\t6').events).toEqual([
      'birth 551 of 0 in 551 join',
      '551 read',
      'birth 552 of 0 in 552 join',
      '552 write',
      '551 close',
    ])
  })

  test('a line of numbers is a trace, a short one too', () => {
    const log = '3 4 6\n# next\n\n4 \n5,5\n'
    expect(read(log, true).events).toEqual([
      'session own.log:1',
      'birth 1 of 0 in 1 join',
      ...['1 read', '1 write', '1 close'],
      'session own.log:4',
      'birth 1 of 0 in 1 join',
      '1 write',
      'session own.log:5',
      'birth 1 of 0 in 1 join',
      ...['1 open', '1 open'],
    ])
  })

  test('a named line is a trace of that name, with its pid where it has one', () => {
    const log = 'dir/a b.int\t551\t3 4\ndir/a b.int\t552\t6\ncafé\t3 3\n'
    expect(read(log, true).events).toEqual([
      'session dir/a b.int 551',
      'birth 551 of 0 in 551 join',
      ...['551 read', '551 write'],
      'session dir/a b.int 552',
      'birth 552 of 0 in 552 join',
      '552 close',
      'session café',
      'birth 1 of 0 in 1 join',
      ...['1 read', '1 read'],
    ])
  })

  test('traces for somebody who takes one session only are tracks of it', () => {
    expect(read('3 4 6\n4 4 4\n').events.filter((event) => !/ write$| close$| read$/.test(event))).toEqual([
      'birth 1 of 0 in 1 join',
      'birth 2 of 0 in 2 join',
    ])
  })
})

describe('what is not understood', () => {
  test('is counted, shown, and a gap where records are lost', () => {
    const told = read(`551 3\n551 x\n551 4 5\n551\n-4 4\n551 99999999999\n${'551 6\n'.repeat(30)}`)
    expect(told.counts.lineCount).toBe(36)
    expect(told.counts.unparsedLineCount).toBe(5)
    expect(told.counts.firstUnparsed).toEqual([
      { line: 2, text: '551 x' },
      { line: 3, text: '551 4 5' },
      { line: 4, text: '551' },
      { line: 5, text: '-4 4' },
      { line: 6, text: '551 99999999999' },
    ])
    expect(told.events).toEqual([
      'birth 551 of 0 in 551 join',
      '551 read',
      ...['gap 0', 'gap 0', 'gap 0', 'gap 0', 'gap 0'],
      ...Array(30).fill('551 close'),
    ])
  })

  test('a head over the numbers is no gap', () => {
    const told = read('pid call\n551 3\n551 4\n551 6\n')
    expect([told.counts.unparsedLineCount, told.events.includes('gap 0')]).toEqual([1, false])
  })

  test('the rest of a trace is not next to what stood before', () => {
    const told = read('3 4 oops 6\n4 4 4\nx 4 4\n', true)
    expect(told.events).toEqual([
      'session own.log:1',
      'birth 1 of 0 in 1 join',
      ...['1 read', '1 write', 'gap 1'],
      'session own.log:2',
      'birth 1 of 0 in 1 join',
      ...['1 write', '1 write', '1 write'],
    ])
    expect(told.counts.unparsedLineCount).toBe(2)
  })
})

describe('numbers and names', () => {
  test('a number without a name is a symbol of its own and counted once', () => {
    const told = read('9999\n3\n9999\n-7\n')
    expect(told.events.slice(1)).toEqual(['1 sys_9999', '1 read', '1 sys_9999', '1 sys_-7'])
    expect(told.counts.unknownNameCount).toBe(2)
  })

  test('two numbers of one name are one call, so that a fingerprint knows both', () => {
    const twice = createMapping('twice', 'user', () => ({
      names: ['a', 'b', 'a'],
      numbers: new Map([
        ['a', 0],
        ['b', 1],
      ]),
    }))
    expect(tell(numbersFormat, '0\n1\n2\n', { mapping: twice }).events.slice(1)).toEqual(['1 a', '1 b', '1 a'])
  })

  test('a mapping without numbers is refused with the reason', () => {
    expect(() => tell(numbersFormat, '1\n', { mapping: windowsMapping() })).toThrow(UsageError)
  })

  test('numbers that no system has are refused, not collected for ever', () => {
    const many = Array.from({ length: 6000 }, (_, at) => `${at + 10_000}\n`).join('')
    expect(() => read(many)).toThrow(/more than 4096 different names/)
  })
})

describe('recognise', () => {
  function sureness(text: string): number {
    return numbersFormat.recognise(Buffer.from(text)).sureness
  }

  test('is sure of lines of numbers and says which', () => {
    expect(numbersFormat.recognise(Buffer.from('551 3\n551 4\n'))).toEqual({
      sureness: 0.9,
      reason: 'pairs of pid and number',
    })
    expect(numbersFormat.recognise(Buffer.from('3 4 6\n')).reason).toBe('lines of numbers: a trace a line')
    expect(numbersFormat.recognise(Buffer.from('a\t3 4 6\n')).reason).toBe('a name and numbers: a trace a line')
    expect(sureness('7\n')).toBeLessThan(sureness('7\n8\n'))
  })

  test('is not taken in by other logs', () => {
    for (const text of [
      '',
      'read(3, "", 4) = 0\n',
      '551 read(3) = 0\n',
      'NtClose(Handle=1) => 0\n',
      '\0\0\0',
      'a b c\n',
    ]) {
      expect(sureness(text)).toBe(0)
    }
  })
})

describe('whatever the bytes are', () => {
  const word = fc.constantFrom(
    '3',
    '4',
    '551',
    '-1',
    '9999',
    '99999999999',
    '-',
    'x',
    ' ',
    ' ',
    '\t',
    ',',
    '\n',
    '\n',
    '\r\n',
    '#',
    '\0',
    '\u001b[2J',
    'name\t',
    '\xff',
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.array(word, { maxLength: 80 }).map((words) => Buffer.from(words.join(''), 'latin1')),
  )

  test('every cut into chunks tells the same', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (log, cuts, sessions) => {
          expect(tell(numbersFormat, log, { mapping, cuts, sessions })).toEqual(
            tell(numbersFormat, log, { mapping, sessions }),
          )
        },
      ),
    )
  })

  test('no line is lost: each is counted; it is blank, a comment, told or not understood', () => {
    fc.assert(
      fc.property(bytes, (log) => {
        const text = log.toString('latin1').replace(/^\xef\xbb\xbf/, '')
        const lines = text.split('\n')
        if (lines.at(-1) === '') lines.pop()
        const told = read(log, true)
        expect(told.counts.lineCount).toBe(lines.length)
        const layout = layoutOf(log, true)?.layout ?? 'lines'
        const isUnderstood = (line: string): boolean =>
          /^[ \t\r,]*$/.test(line) || /^#/.test(line) || isRight(layout, line)
        expect(told.counts.unparsedLineCount).toBe(lines.filter((line) => !isUnderstood(line)).length)
        // A name alone is a trace without calls.
        const numbersIn = (line: string): string => (layout === 'named' ? line.slice(line.indexOf('\t') + 1) : line)
        const silent = lines.filter(
          (line) => !isUnderstood(line) || !/\d[ \t\r,]*$/.test(numbersIn(line)) || /^#/.test(line),
        ).length
        expect(new Set(told.places).size).toBeGreaterThanOrEqual(lines.length - silent)
      }),
    )
  })
})

test('the layout is decided on the same bytes, however they arrive', () => {
  const log = Buffer.from(`${'3\n'.repeat(HEAD_LENGTH / 2)}3 4 6\n`)
  const whole = tell(numbersFormat, log, { mapping })
  expect(tell(numbersFormat, log, { mapping, cuts: [4096] })).toEqual(whole)
  expect(whole.counts).toMatchObject({ lineCount: HEAD_LENGTH / 2 + 1, unparsedLineCount: 1 })
})

test('a trace in one line of any length is read without being held', () => {
  const reader = numbersFormat.open({
    handler: {
      ...silent,
      onCall: () => {
        callCount += 1
      },
    },
    mapping: namingMapping(mapping),
    name: 'long',
  })
  let callCount = 0
  const chunk = Buffer.from('3 4 6 '.repeat(200_000))
  const before = process.memoryUsage().rss
  for (let turn = 0; turn < 60; turn += 1) reader.write(chunk)
  reader.end()
  expect(callCount).toBe(60 * 600_000)
  expect(reader.counts).toMatchObject({ lineCount: 1, unparsedLineCount: 0 })
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
})

test('a line of a gigabyte that is no number is one line, dropped as it comes', () => {
  const reader = numbersFormat.open({ handler: silent, mapping: namingMapping(mapping), name: 'long' })
  const chunk = Buffer.alloc(1 << 20, 0x78)
  const before = process.memoryUsage().rss
  for (let turn = 0; turn < 1024; turn += 1) reader.write(chunk)
  reader.end()
  expect(reader.counts).toMatchObject({ lineCount: 1, unparsedLineCount: 1 })
  expect(reader.counts.firstUnparsed[0]?.text).toHaveLength(200)
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
})

test('pids without end are not kept without end', () => {
  let births = 0
  let exits = 0
  const reader = numbersFormat.open({
    handler: {
      ...silent,
      onBirth: () => {
        births += 1
      },
      onExit: () => {
        exits += 1
      },
    },
    mapping: namingMapping(mapping),
    name: 'many',
  })
  const lines = Array.from({ length: 70_000 }, (_, at) => `${at + 1} 3\n`)
  reader.write(Buffer.from(lines.join('')))
  reader.end()
  expect([births, exits]).toEqual([70_000, 70_000 - 65_536])
})

/** The rule again, by regular expressions. */
function isRight(layout: NumbersLayout, line: string): boolean {
  const tab = line.search(/(?<=[^ \t\r].*)\t/)
  const isNamed = layout === 'named'
  if (isNamed && tab < 0) return false
  const words = line
    .slice(isNamed ? tab + 1 : 0)
    .split(/[ \t\r,]+/)
    .filter((word) => word !== '')
  if (!words.every((word) => /^-?\d{1,11}$/.test(word) && Number(word) === (Number(word) | 0))) return false
  if (layout === 'column') return words.length === 1
  if (layout === 'pairs') return words.length === 2 && Number(words[0]) > 0
  return isNamed || words.length > 0
}

const silent = {
  onBirth: () => {},
  onExec: () => {},
  onCall: () => {},
  onRefused: () => {},
  onSignal: () => {},
  onExit: () => {},
  onGap: () => {},
  onNote: () => {},
}
