// One program under some thirty option sets of strace 6.1 (test/fixtures/strace): every full trace gives the same calls per process.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findFormat } from '../../../src/source/log/formats.ts'
import { logInputsOf } from '../../../src/source/log/log-sets.ts'
import { straceFormat } from '../../../src/source/log/strace-format.ts'
import { linuxMapping } from '../../../src/syscall/mapping.ts'
import { namingMapping } from '../../../src/syscall/naming.ts'
import { type Told, tell, writerOf } from './telling.ts'

const FOLDER = new URL('../../fixtures/strace/', import.meta.url)
const MAPPING = linuxMapping('x86_64')
const LOGS = readdirSync(FOLDER).filter((name) => name.endsWith('.log'))
/** They differ by design: filtered, not followed, counted only, with errors injected. */
const OTHERS = /^(?:c|e_trace|f_z|f_Z|inject|plain)\./

interface Expected {
  readonly processes: readonly { readonly names: readonly string[] }[]
}
const expected = JSON.parse(readFileSync(new URL('expected.json', FOLDER), 'utf8')) as Expected
/** Without the exec by which strace starts the program; numbers without a name as tracefp writes them. */
const WANTED = expected.processes
  .map(({ names }) => names.map((name) => (name === 'syscall_0x270f' ? 'sys_9999' : name)))
  .map((names) => (names[0] === 'execve' ? names.slice(1) : names))

function read(name: string): Told {
  return tell(straceFormat, readFileSync(new URL(name, FOLDER)), { mapping: MAPPING })
}

/** Calls per track, restarts folded. */
function tracksOf(events: readonly string[]): string[][] {
  const tracks = new Map<string, string[]>()
  for (const event of events) {
    const call = /^(\d+) (\S+)$/.exec(event)
    if (call === null) continue
    const track = tracks.get(call[1] as string)
    if (track === undefined) tracks.set(call[1] as string, [call[2] as string])
    else track.push(call[2] as string)
  }
  return [...tracks.values()]
}

function sorted(tracks: readonly (readonly string[])[]): string[] {
  return tracks.map((names) => names.join(' ')).sort()
}

describe.each(LOGS.filter((name) => !OTHERS.test(name)))('%s', (name) => {
  test('gives the calls of every process', () => {
    const { events, counts } = read(name)
    expect(sorted(tracksOf(events))).toEqual(sorted(WANTED))
    expect(counts).toMatchObject({ unparsedLineCount: 0, unknownNameCount: 1 })
    expect(events.filter((event) => /^(?:gap|note|birth \d+ of 0 in \d+ join)/.test(event))).toEqual([])
  })

  test('tells births, execs, signals and ends', () => {
    const { events } = read(name)
    const words = events
      .filter((event) => !/^\d/.test(event))
      .map((event) => event.replace(/^(\w+) \d+(?: of \d+ in \d+)?/, '$1'))
    // -q hides some of the ends, which are told when the log is over then.
    expect(words.sort()).toEqual([
      'birth exec',
      'birth fork',
      'birth fork',
      'birth fork',
      'birth thread',
      'exec /bin/true',
      'exec /srv/demo',
      'exit 0',
      'exit 0',
      'exit 0 by 6',
      'exit 0 by 9',
      'exit 3',
      'signal 14',
    ])
  })

  test('is recognised', () => {
    expect(findFormat(readFileSync(new URL(name, FOLDER)), 'auto', name).format.name).toBe('strace')
  })
})

test('the files of -ff are one session', async () => {
  const files = readdirSync(FOLDER).filter((name) => name.startsWith('ff.log.'))
  const paths = files.map((name) => new URL(name, FOLDER).pathname)
  const inputs = await logInputsOf(paths, { format: 'auto' })
  expect(inputs).toHaveLength(1)
  const naming = namingMapping(MAPPING)
  const events: string[] = []
  let ended = 0
  const log = await inputs[0]?.open()
  await log?.read({
    mapping: naming,
    inOrder: false,
    begin: () => writerOf(naming, events, () => {}),
    end: () => {
      ended += 1
    },
  })
  expect(ended).toBe(1)
  expect(sorted(tracksOf(events))).toEqual(sorted(WANTED))
  expect(events.filter((event) => event.startsWith('birth'))).toHaveLength(5)
  expect(events.filter((event) => /^(?:gap|note)/.test(event))).toEqual([])
})

test.each(['e_trace.o.log', 'e_trace.stderr.log', 'f_z.o.log', 'f_z.stderr.log', 'f_Z.o.log', 'f_Z.stderr.log'])(
  '%s was filtered, and is marked',
  (name) => {
    expect(read(name).events).toContain('note filtered inconclusive')
  },
)

test.each(['c.o.log', 'c.stderr.log'])('%s is a summary, and is refused', (name) => {
  expect(() => read(name)).toThrow(/summary/)
})

test.each(['plain.o.log', 'plain.stderr.log'])('%s was not followed: its children are said to be missing', (name) => {
  const { events } = read(name)
  expect(events).toContain('note children_unseen inconclusive')
  const root = WANTED.filter((names) => names.length > 60)
  // Whether the main thread has to wait for the other one depends on the run.
  const timeless = (tracks: string[][]): string[] =>
    sorted(tracks.map((names) => names.filter((call) => call !== 'futex')))
  expect(timeless(tracksOf(events))).toEqual(timeless(root))
})

test.each(['inject.o.log', 'inject.stderr.log'])('%s has injected errors, which are results like any other', (name) => {
  const { events, counts } = read(name)
  expect(counts.unparsedLineCount).toBe(0)
  expect(events.filter((event) => /^(?:gap|note)/.test(event))).toEqual([])
})

test('a log is read alike wherever its bytes are cut', () => {
  for (const name of ['f.stderr.log', 'f_Y.o.log', 'C.o.log']) {
    const bytes = readFileSync(new URL(name, FOLDER))
    const whole = tell(straceFormat, bytes, { mapping: MAPPING })
    for (const cuts of [[1], [7, 64], [4096]]) {
      expect(tell(straceFormat, bytes, { mapping: MAPPING, cuts })).toEqual(whole)
    }
  }
})
