import { expect, test } from 'vitest'
import { KnownImages } from '../../src/match/known-images.ts'
import type { Fingerprint } from '../../src/model/fingerprint.ts'
import { type Image, programKeyOf } from '../../src/model/stream.ts'

function image(path: string, script: string | null = null, argv0: string | null = null): Image {
  return { path, sha256: 'aa', buildId: null, script: script === null ? null : { path: script, sha256: 'bb' }, argv0 }
}

/** A fingerprint of these programs; `execs` are those that were executed and not learned. */
function known(images: readonly Image[], execs: readonly string[] = []): Fingerprint {
  const programs = images.map((own) => {
    const key = programKeyOf(own)
    const program = { key, image: own, alphabet: [], successors: new Map(), execs: new Map(execs.map((e) => [e, 1])) }
    return [key, program] as const
  })
  return { programs: new Map(programs) } as unknown as Fingerprint
}

const links = new Map([['/usr/bin/cc', '/usr/bin/gcc-12']])
const realPath = (path: string): string | null => links.get(path) ?? null

function resolved(images: readonly Image[], given: Image, execs: readonly string[] = []): string {
  return programKeyOf(new KnownImages([known(images, execs)], realPath).resolve(given))
}

test.each<[string, Image[], Image, string]>([
  ['its own name', [image('/usr/bin/ls')], image('/usr/bin/ls'), '/usr/bin/ls'],
  ['/bin for /usr/bin', [image('/usr/bin/ls')], image('/bin/ls'), '/usr/bin/ls'],
  ['a link', [image('/usr/bin/gcc-12')], image('/usr/bin/cc'), '/usr/bin/gcc-12'],
  ['a path that is not absolute', [image('/srv/demo')], image('./x/../demo'), '/srv/demo'],
  ['a script by itself', [image('/usr/bin/dash', '/srv/a.sh')], image('/srv/a.sh'), '/usr/bin/dash /srv/a.sh'],
  [
    'the operand of an interpreter by another name',
    [image('/usr/bin/python3.11', '/srv/a.py')],
    image('/usr/bin/python3', 'a.py'),
    '/usr/bin/python3.11 /srv/a.py',
  ],
  [
    'an argument that strace shortened',
    [image('/usr/bin/perl', '/srv/a/long/path/to/it.pl')],
    image('/usr/bin/perl', '/srv/a/long/path...'),
    '/usr/bin/perl /srv/a/long/path/to/it.pl',
  ],
  [
    'a name of a multi-call program',
    [image('/usr/bin/busybox', null, 'ls')],
    image('/bin/busybox', null, 'ls'),
    '/usr/bin/busybox [ls]',
  ],
])('a program is known by %s', (_, images, given, key) => {
  expect(resolved(images, given)).toBe(key)
})

test('a program that was only executed is known too', () => {
  expect(resolved([image('/usr/bin/sh')], image('/bin/id'), ['/usr/bin/id'])).toBe('/usr/bin/id')
})

test.each<[string, Image[], Image]>([
  ['two that it could be', [image('/srv/a/demo'), image('/srv/b/demo')], image('demo')],
  ['another script', [image('/usr/bin/dash', '/srv/a.sh')], image('/srv/b.sh')],
  ['another interpreter', [image('/usr/bin/perl', '/srv/a')], image('/usr/bin/python3', '/srv/a')],
  ['another file of that name', [image('/usr/bin/ls')], image('/opt/bin/ls')],
])('%s: it stays what it is', (_, images, given) => {
  expect(resolved(images, given)).toBe(programKeyOf(given))
})

test('what is found has no hash: the log has none', () => {
  const found = new KnownImages([known([image('/usr/bin/dash', '/srv/a.sh')])], realPath).resolve(image('/srv/a.sh'))
  expect(found).toEqual({
    path: '/usr/bin/dash',
    sha256: null,
    buildId: null,
    script: { path: '/srv/a.sh', sha256: null },
    argv0: null,
  })
})
