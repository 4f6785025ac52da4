// Misses in words, and that nothing from a tracee reaches a terminal unclean.
import { describe, expect, test } from 'vitest'
import { explainMiss, missLine } from '../../src/match/explain.ts'
import type { Miss } from '../../src/match/miss.ts'
import { printable } from '../../src/match/printable.ts'

const MISS: Miss = {
  tid: 1234,
  tgid: 1230,
  ppid: 1,
  ancestors: ['sh', 'sshd'],
  kind: 'call',
  image: '/usr/bin/ls',
  index: 123,
  at: 'line 17',
  context: ['openat', 'read'],
  from: 'read',
  to: 'execve',
  expected: ['close', 'fstat'],
  path: ['read', 'close', 'clone', 'execve'],
  depth: 2,
  severity: 'high',
  layer: null,
  burst: 1,
  isAlarm: true,
  action: 'alert',
}

describe('one line', () => {
  test('says what, who, the transition and what was expected', () => {
    expect(missLine(MISS)).toBe('tracefp: abnormal: /usr/bin/ls[1234] read -> execve; expected close, fstat')
  })

  test('shows six of what was expected and counts the rest', () => {
    expect(missLine({ ...MISS, expected: 'abcdefghi'.split('') })).toMatch(/expected a, b, c, d, e, f and 3 more$/)
  })

  test('says nothing where nothing was expected', () => {
    expect(missLine({ ...MISS, expected: [] })).toMatch(/; expected nothing$/)
  })

  test('what was done about a changed image is said at the end of its line', () => {
    const change = {
      kind: 'image',
      from: '<exec>',
      to: `image:sha256:${'a'.repeat(64)}`,
      expected: [`sha256:${'b'.repeat(64)}`],
    }
    const line = missLine({ ...MISS, ...change, action: 'kill' } as typeof MISS)
    expect(line).toMatch(/image changed: it is sha256 a{12}, learned was sha256 b{12}; killed$/)
  })

  test('stays one clean line whatever the image is called', () => {
    const image = '/tmp/\u001b[2J\n\u202e\u0007\u009b31mevil'
    expect(missLine({ ...MISS, image, to: `exec:${image}` })).toBe(
      'tracefp: abnormal: /tmp/?[2J????31mevil[1234] read -> exec:/tmp/?[2J????31mevil; expected close, fstat',
    )
  })
})

describe('the long answer', () => {
  test('tells where, context, expected, the way there and why it is so bad', () => {
    expect(explainMiss(MISS).split('\n')).toEqual([
      '/usr/bin/ls[1234]: execve came right after read, where it was never seen',
      '  where     record 123 of its track, line 17, process 1230 of parent 1',
      '  above     sh < sshd',
      '  context   openat -> read -> execve',
      '  expected  close, fstat',
      '  way       shortest known: read -> close -> clone -> execve',
      '  severity  high: the program is known to make execve, but not here; execve is a sensitive call',
    ])
  })

  test('says when the call itself was never seen', () => {
    const text = explainMiss({ ...MISS, path: [], severity: 'critical' })
    expect(text).toContain('critical: the program was never seen to make execve')
    expect(text).toContain('no known way leads from read to execve')
  })

  test.each([
    ['exec', 'exec:/tmp/x', 'critical', 'it executed /tmp/x, which it was never seen to execute'],
    ['image', 'image:sha256:ff', 'high', 'is not the image that the fingerprint was learned from'],
    ['end', '<end>', 'low', 'it ended by itself after read'],
    ['call', 'rt_sigreturn', 'high', 'rt_sigreturn without a signal handler to return from'],
  ] as const)('a miss of kind %s to %s has words of its own', (kind, to, severity, words) => {
    expect(explainMiss({ ...MISS, kind, to, severity })).toContain(words)
  })

  test('has no unprintable character but its own newlines', () => {
    const evil = 'a\u001b]0;x\u0007\u2066\r'
    const text = explainMiss({ ...MISS, image: evil, ancestors: [evil], context: [evil], at: evil, expected: [evil] })
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    expect(text.split('\n').length).toBe(7)
  })
})

describe('printable', () => {
  test('leaves ordinary text of any script alone', () => {
    expect(printable('/home/märz/日本/😀')).toBe('/home/märz/日本/😀')
  })

  test.each(['\u0000', '\u001b', '\u007f', '\u0085', '\u200b', '\u202e', '\u2066', '\ufeff', '\ud800', '\u2028'])(
    'replaces character %j',
    (character) => {
      expect(printable(`a${character}b`)).toBe('a?b')
    },
  )

  test('cuts long text in the middle, so that both ends are seen', () => {
    const text = printable(`/start${'x'.repeat(5000)}end`, 40)
    expect(text.length).toBe(40)
    expect(text).toMatch(/^\/startx+\.\.\.x+end$/)
  })

  test('does not cut a character in two', () => {
    expect(printable('😀'.repeat(300), 41)).not.toMatch(/\p{Cs}/u)
  })
})
