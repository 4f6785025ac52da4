import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { type Image, programKeyOf } from '../../src/model/stream.ts'
import { fileForProgram, fileToLearnInto, storedFor } from '../../src/store/fingerprint-store.ts'
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
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
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
