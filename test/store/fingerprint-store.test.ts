import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { TracefpError, UsageError } from '../../src/errors.ts'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { type Image, programKeyOf } from '../../src/model/stream.ts'
import { fileForProgram, fileToLearnInto, storedFor, storedNames } from '../../src/store/fingerprint-store.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'

const mapping = linuxMapping()
const hash = (digit: string): string => digit.repeat(64)
const image = (sha256: string | null, scriptSha256?: string | null): Image => ({
  path: '/usr/bin/tool',
  sha256,
  buildId: null,
  script: scriptSha256 === undefined ? null : { path: '/opt/script', sha256: scriptSha256 },
  argv0: null,
})
let home = ''
let folder = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'store-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  folder = join(home, 'fingerprints')
  mkdirSync(folder, 0o700)
})

/** A fingerprint of `learned` in the store, changed at second `at`. */
function put(name: string, learned: Image, at: number): string {
  const file = join(folder, `${name}.tfp`)
  const key = programKeyOf(learned)
  const text = encodeFingerprint({
    settings: makeSettings(mapping, {}),
    mappingHash: mapping.hashOf([]),
    runCount: 1,
    faultRunCount: 0,
    roots: [key],
    tally: null,
    scenarios: new Map(),
    kernels: [],
    libcs: [],
    programs: new Map([
      [key, { key, image: learned, alphabet: [], successors: new Map(), execs: new Map(), faults: null }],
    ]),
  })
  writeFileSync(file, text)
  utimesSync(file, at, at)
  return file
}

const order = (running: Image): string[] => storedFor(folder, running).map(({ file }) => file)

test('what was learned of the image that runs comes first, then what may be of it, then the newest', () => {
  const old = put('a-old', image(hash('1')), 400)
  const older = put('b-older', image(hash('2')), 300)
  const same = put('c-same', image(hash('3')), 100)
  const unknown = put('d-unknown', image(null), 200)
  expect(order(image(hash('3')))).toEqual([same, unknown, old, older])
  expect(order(image(hash('4')))).toEqual([unknown, old, older, same])
})

test('a script counts as its interpreter does', () => {
  const other = put('a', image(hash('1'), hash('7')), 200)
  const same = put('b', image(hash('1'), hash('8')), 100)
  expect(order(image(hash('1'), hash('8')))).toEqual([same, other])
})

test('learning goes on in the file of the image that runs', () => {
  put('newer', image(hash('1')), 200)
  const same = put('same', image(hash('2')), 100)
  expect(fileToLearnInto(folder, image(hash('2')), null)).toBe(same)
})

test('learning begins a file of another name when all are of other images', () => {
  const first = fileToLearnInto(folder, image(hash('1')), null)
  expect(first).toBe(fileForProgram(folder, '/usr/bin/tool'))
  put(first.slice(folder.length + 1, -4), image(hash('1')), 100)
  expect(fileToLearnInto(folder, image(hash('2')), null)).toBe(first.replace('.tfp', '-22222222.tfp'))
  const script = fileToLearnInto(folder, image(hash('2'), hash('3')), null)
  put('script', image(hash('2'), hash('4')), 100)
  expect(fileToLearnInto(folder, image(hash('2'), hash('3')), null)).toBe(
    script.replace('.tfp', '-22222222-33333333.tfp'),
  )
})

test('a name that was given is the name', () => {
  put('mine', image(hash('1')), 100)
  expect(fileToLearnInto(folder, image(hash('1')), 'other')).toBe(join(folder, 'other.tfp'))
})

test.each(['../out', 'sub/name', '', '.', '.tfp', 'a\0b', 'x'.repeat(300)])(
  '%j is no name of a file in the store',
  (name) => {
    expect(() => fileToLearnInto(folder, image(hash('1')), name)).toThrow(UsageError)
  },
)

const NOBODY = 65_534
const isRoot = process.geteuid?.() === 0
const refusalOf = (read: () => unknown): string => {
  try {
    read()
  } catch (error) {
    if (error instanceof TracefpError && error.code === 'TFP_ERR_STORE') return error.message
    throw error
  }
  return 'it was believed'
}
const readers: readonly [string, () => unknown][] = [
  ['run', () => storedFor(folder, image(hash('1')))],
  ['attach --host', () => storedNames(folder)],
  ['learn', () => fileToLearnInto(folder, image(hash('1')), null)],
  ['learn --name', () => fileToLearnInto(folder, image(hash('1')), 'tool')],
]

describe('what others may write to is refused, with what to do:', () => {
  const places = ['', 'fingerprints', 'fingerprints/tool.tfp', 'fingerprints/tool.tfl', 'fingerprints/tool.libraries']
  beforeEach(() => {
    put('tool', image(hash('1')), 100)
    for (const part of ['tfl', 'libraries']) writeFileSync(join(folder, `tool.${part}`), '')
  })

  test.each(readers)('by %s', (_, read) => {
    expect(refusalOf(read)).toBe('it was believed')
    for (const place of places) {
      const path = join(home, place)
      const isFolder = !place.includes('.')
      for (const mode of [0o020, 0o002]) {
        chmodSync(path, (isFolder ? 0o755 : 0o644) | mode)
        expect(refusalOf(read)).toBe(
          `no fingerprint is taken from ${path.replace(/\/$/, '')}: others may write to it: look what is in it, then chmod go-w ${path.replace(/\/$/, '')}`,
        )
      }
      chmodSync(path, isFolder ? 0o755 : 0o644)
    }
    expect(refusalOf(read)).toBe('it was believed')
  })

  test.runIf(isRoot).each(readers)(`where it is another user's, by %s`, (_, read) => {
    for (const place of places) {
      const path = join(home, place)
      chownSync(path, NOBODY, NOBODY)
      expect(refusalOf(read)).toContain(`it belongs to user ${NOBODY}: look what is in it, then chown 0 `)
      chownSync(path, 0, 0)
    }
  })

  test('a file that others may write to hides no other one from who watches the host', () => {
    put('another', { ...image(hash('2')), path: '/usr/bin/another' }, 100)
    chmodSync(join(folder, 'tool.tfp'), 0o666)
    const told: string[] = []
    expect(storedNames(folder, ({ code }) => told.push(code))).toEqual(['another'])
    expect(told).toEqual(['TFP_ERR_STORE'])
  })
})
