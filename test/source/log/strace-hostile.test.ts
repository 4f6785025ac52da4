// Input that nobody wrote with good intentions: a reader neither fails nor hangs nor loses a count, and a program that chooses its
// strings and names does not choose what is told of it.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LINE_LIMIT } from '../../../src/source/log/line-splitter.ts'
import { straceFormat } from '../../../src/source/log/strace-format.ts'
import { linuxMapping } from '../../../src/syscall/mapping.ts'
import { namingMapping } from '../../../src/syscall/naming.ts'
import { tell, writerOf } from './telling.ts'

const MAPPING = linuxMapping('x86_64')
const START = '10 execve("/bin/x", ["x"], NULL) = 0\n10 brk(NULL) = 0x562c74602000\n'
const fixture = readFileSync(new URL('../../fixtures/strace/f.stderr.log', import.meta.url))

const PIECES = [
  ...['10 ', '11 ', '[pid 10] ', '[pid 11] ', '12<a> ', '03:12:48 ', '1795403568.1 ', '[ 257] ', '[00007f43c6a21ad7] '],
  ...[
    'read(3, ',
    'clone(flags=SIGCHLD',
    'clone3({flags=CLONE_THREAD}',
    'vfork(',
    'execve("/bin/y", ["y"]',
    'exit_group(0',
  ],
  ...[
    'rt_sigaction(SIGALRM, {sa_handler=0x5}',
    'rt_sigreturn({mask=[]}',
    '???(',
    'syscall_0x270f(',
    'unshare(CLONE_NEWPID',
  ],
  ...[
    ') = 0',
    ') = 11',
    ') = 12',
    ') = -1 EINTR (x)',
    ') = ?',
    ') = ? ERESTARTSYS (x)',
    ' <unfinished ...>',
    '"',
    '\\',
  ],
  ...[
    '<... clone resumed>',
    '<... execve resumed>',
    '<... ??? resumed>',
    '--- SIGALRM {} ---',
    '--- stopped by SIGSTOP ---',
  ],
  ...[
    '+++ exited with 0 +++',
    '+++ killed by SIGKILL +++',
    '+++ superseded by execve in pid 11 +++',
    ' <detached ...>',
  ],
  ...['strace: Process 12 attached', '[ Process PID=10 runs in 32 bit mode. ]', ' > x', ' | x', '% time calls syscall'],
  ...['\n', '\n', '\n', '\r\n', '\0', '\xff', '\u001b[31m', '='.repeat(50)],
]
const logs = fc.array(fc.constantFrom(...PIECES), { maxLength: 80 }).map((pieces) => pieces.join(''))
const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 })

function lineCountOf(bytes: Buffer): number {
  const text = bytes.toString('latin1')
  return text === '' ? 0 : text.replace(/\n$/, '').split('\n').length
}

/** A summary alone is refused, everything else is read. */
function check(bytes: Buffer, sizes: readonly number[]): void {
  let whole: ReturnType<typeof tell>
  try {
    whole = tell(straceFormat, bytes, { mapping: MAPPING })
  } catch (error) {
    expect(error).toMatchObject({ code: 'TFP_ERR_SOURCE_LOG' })
    return
  }
  expect(whole.counts.lineCount).toBe(lineCountOf(bytes))
  expect(whole.counts.unparsedLineCount).toBeLessThanOrEqual(whole.counts.lineCount)
  expect(tell(straceFormat, bytes, { mapping: MAPPING, cuts: sizes })).toEqual(whole)
}

test('pieces of strace in any order are read, every line is counted, and the cut of the bytes is of no account', () => {
  fc.assert(
    fc.property(logs, cuts, (log, sizes) => check(Buffer.from(log, 'latin1'), sizes)),
    { numRuns: 500 },
  )
})

test('a real log with bytes changed is read, and every line is counted', () => {
  const change = fc.tuple(fc.integer({ min: 0, max: fixture.length - 1 }), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), cuts, (changes, sizes) => {
      const bytes = Buffer.from(fixture)
      for (const [at, byte] of changes) bytes[at] = byte
      check(bytes, sizes)
    }),
    { numRuns: 60 },
  )
})

test('every stream is one that a walker can walk: nothing of a track before its birth, nothing after its end', () => {
  fc.assert(
    fc.property(logs, (log) => {
      let events: readonly string[] = []
      try {
        events = tell(straceFormat, Buffer.from(START + log, 'latin1'), { mapping: MAPPING }).events
      } catch (error) {
        expect(error).toMatchObject({ code: 'TFP_ERR_SOURCE_LOG' })
      }
      const alive = new Set<string>()
      for (const event of events) {
        const [word = '', first = '', , was = ''] = event.split(' ')
        if (word === 'birth') alive.add(first)
        else if (word === 'exec') {
          if (event.includes(' was ')) alive.delete(was)
          alive.add(first)
        } else if (word === 'exit') expect(alive.delete(first)).toBe(true)
        else if (/^\d+$/.test(word)) expect(alive).toContain(word)
        else if (word === 'signal') expect(alive).toContain(first)
      }
    }),
    { numRuns: 500 },
  )
})

describe('what a program chooses is not believed', () => {
  const calls = (line: string): readonly string[] =>
    tell(straceFormat, `${START}${line}\n11 getuid() = 0\n`, { mapping: MAPPING }).events.slice(3)

  test.each(['x) = 77', 'x) = 77 ', 'x) = 77 (y)'])('a process that is named %j cannot make a pid', (name) => {
    expect(calls(`10 clone(child_stack=NULL, flags=SIGCHLD) = 11<${name}>`)).toEqual([
      '10 clone',
      'birth 11 of 10 in 11 fork',
      '11 getuid',
    ])
  })

  test('a file name behind a result cannot make another one', () => {
    const line = '10 openat(AT_FDCWD, "/a", O_RDONLY) = 3</x) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)>'
    const { events } = tell(straceFormat, `${START}${line}\n10 openat(AT_FDCWD, "/a", O_RDONLY) = 4\n`, {
      mapping: MAPPING,
    })
    expect(events.slice(3)).toEqual(['10 openat', '10 openat'])
  })

  test('a path cannot end an exec', () => {
    const line = '10 execve("/no\\" = 0\\n10 execve(\\"/bin/sh", ["x"], NULL) = -1 ENOENT (No such file or directory)'
    const { events } = tell(straceFormat, `${START}${line}\n`, { mapping: MAPPING })
    expect(events.slice(3)).toEqual(['10 execve'])
  })
})

test('of a line over a megabyte the call is understood by its beginning, and an exec that is cut is not believed', () => {
  const long = 'x'.repeat(2 * LINE_LIMIT)
  const { events, counts } = tell(
    straceFormat,
    `${START}10 write(1, "${long}", 9) = 9\n10 execve("/bin/y", ["${long}"], NULL) = 0\n${long}\n10 getuid() = 0\n`,
    { mapping: MAPPING, cuts: [65_536] },
  )
  expect(events.slice(3)).toEqual(['10 write', '10 execve', 'gap 10 of 1', '10 getuid'])
  expect(counts).toMatchObject({ lineCount: 6, unparsedLineCount: 2 })
})

test('lines of children whose parent is not clear wait for it, but not without end', () => {
  const open = Array.from({ length: 3 }, (_, index) => `1${index} vfork( <unfinished ...>\n`).join('')
  const threads = '10 clone(flags=SIGCHLD) = 11\n11 getuid() = 0\n10 clone(flags=SIGCHLD) = 12\n12 getuid() = 0\n'
  const naming = namingMapping(MAPPING)
  const events: string[] = []
  const handler = writerOf(naming, events, () => {})
  const reader = straceFormat.open({ handler, mapping: naming, name: 'own.log' })
  reader.write(Buffer.from(START + threads + open))
  const line = (tid: number): Buffer => Buffer.from(`${tid} write(1, "${'y'.repeat(400)}", 1) = 1\n`)
  const writes = (): number => events.filter((event) => event.endsWith(' write')).length
  for (let index = 0; index < 1000; index += 1) reader.write(line(1000 + (index % 500)))
  expect(writes()).toBe(0)
  for (let index = 1000; index < 60_000; index += 1) reader.write(line(1000 + (index % 500)))
  expect(writes()).toBeGreaterThan(0)
  reader.end()
  expect(writes()).toBe(60_000)
  expect(events).toContain('note unclear_parent inconclusive')
  expect(reader.counts.unparsedLineCount).toBe(0)
})
