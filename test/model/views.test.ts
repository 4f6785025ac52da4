import { expect, test } from 'vitest'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { shortestPath } from '../../src/model/path.ts'
import { newUlid } from '../../src/model/ulid.ts'
import { renderArrays, renderDot, renderSummary, toJson } from '../../src/model/views.ts'
import { windowsMapping } from '../../src/syscall/builtin.ts'
import { image, ledgerOf, mapping, runOf } from './making.ts'

const fingerprint = ledgerOf(
  runOf('A', ['<exec> openat read close <end>', 'read read'], { execs: ['__proto__'] }),
  runOf('B', ['read close', 'i386:read close openat']),
).fingerprint(mapping)
const program = fingerprint.programs.get('/bin/ls')!

test('the arrays of the paper show each call with its number and what follows it', () => {
  expect(renderArrays(program, mapping)).toBe(
    [
      '# /bin/ls',
      '<exec>: openat(257)',
      'close(3): <end> openat(257)',
      'i386:read(3): close(3)',
      'openat(257): read(0)',
      'read(0): close(3) read(0)',
      '',
    ].join('\n'),
  )
})

test('the arrays of a mapping without numbers show names only', () => {
  const nt = ledgerOf(runOf('A', ['NtOpenFile NtClose']))
    .fingerprint(mapping)
    .programs.get('/bin/ls')!
  expect(renderArrays(nt, windowsMapping())).toBe('# /bin/ls\nNtOpenFile: NtClose\n')
})

test('the graph has an arrow per transition, with its runs', () => {
  expect(renderDot(program)).toContain('  "read" -> "close" [label=2];\n')
  expect(renderDot(program).match(/->/g)).toHaveLength(7)
})

test('a hostile name cannot leave its quotes in the graph', () => {
  const hostile = ledgerOf(runOf('A', ['read close'], { image: image('/a"]; x [\\"\n') })).fingerprint(mapping)
  const [first] = renderDot([...hostile.programs.values()][0]!).split('\n')
  expect(first).toBe('digraph "/a\\"]; x [\\\\\\"\\\\u000a" {')
})

test('the summary counts', () => {
  const text = renderSummary(fingerprint)
  expect(text).toContain('runs         2\n')
  expect(text).toContain('program      /bin/ls (root): 6 symbols, 7 transitions, 1 programs in the exec set\n')
})

test('the summary tells sequences by length, and calls that are never learned unasked', () => {
  const deep = ledgerOf(
    runOf('A', ['<exec> read close read', '<exec> read ptrace'], { settings: makeSettings(mapping) }),
  )
  const lines = renderSummary(deep.fingerprint(mapping)).split('\n')
  expect(lines).toContain('             sequences  4 of 2, 4 of 3, 4 of 4, 4 of 5, 4 of 6 calls')
  expect(lines).toContain('             dangerous  ptrace: never learned unless asked for')
})

test('the JSON holds every successor set, and no key reaches a prototype', () => {
  const json = JSON.parse(JSON.stringify(toJson(fingerprint)))
  expect(json.programs[0].successors.read).toEqual({ close: 2, read: 1 })
  expect(Object.keys(json.programs[0].execs)).toEqual(['__proto__'])
  expect([json.runCount, json.sha256, json.roots]).toEqual([2, fingerprint.sha256, ['/bin/ls']])
})

test('the shortest path is authentic at every step', () => {
  expect(shortestPath(program, '<exec>', 'close')).toEqual(['<exec>', 'openat', 'read', 'close'])
  expect(shortestPath(program, 'read', 'close')).toEqual(['read', 'close'])
})

test('a path to where it began has at least one step', () => {
  expect(shortestPath(program, 'read', 'read')).toEqual(['read', 'read'])
  expect(shortestPath(program, 'close', 'close')).toEqual(['close', 'openat', 'read', 'close'])
})

test('where no way leads there is no path', () => {
  expect(shortestPath(program, 'read', 'execve')).toBeNull()
  expect(shortestPath(program, '<end>', 'read')).toBeNull()
  expect(shortestPath(program, 'nonsense', 'read')).toBeNull()
})

test('paths go by the end of longer contexts', () => {
  const deep = ledgerOf(runOf('A', ['<exec> openat read close'], { settings: makeSettings(mapping, { depth: 4 }) }))
  expect(shortestPath(deep.fingerprint(mapping).programs.get('/bin/ls')!, '<exec>', 'close')).toEqual([
    '<exec>',
    'openat',
    'read',
    'close',
  ])
})

test('ULIDs are 26 characters, differ, and sort by time', () => {
  const ids = [newUlid(1), newUlid(2), newUlid(1_700_000_000_000), newUlid()]
  for (const id of ids) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
  expect([...ids].sort()).toEqual(ids)
  expect(newUlid(1)).not.toBe(newUlid(1))
  expect(newUlid(1469918176385).slice(0, 10)).toBe('01ARYZ6S41')
})
