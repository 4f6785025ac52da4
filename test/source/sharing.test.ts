// Which execs engine ebpf may take for one that was identified.
import { fstatSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type ExecImage, SHARING } from '../../src/addon/addon.ts'
import { identifyExec } from '../../src/source/image.ts'
import { mountIdOf } from '../../src/source/mounts.ts'

/** Nobody has this number. */
const GONE = 4_194_303
const folder = mkdtempSync(join(tmpdir(), 'sharing-'))
const ownRoot = ((root) => ({ rootIno: fstatSync(root, { bigint: true }).ino, rootMount: Number(mountIdOf(root)) }))(
  openSync('/', 'r'),
)

beforeAll(() => writeFileSync(join(folder, 'script'), ''))
afterEach(() => vi.useRealTimers())
afterAll(() => rmSync(folder, { recursive: true }))

/** As the kernel tells of a file by that name, some time after it was made. */
function began(name: string, facts: Partial<ExecImage> = {}, ageMs = 1000): ExecImage {
  const path = join(folder, name)
  writeFileSync(path, name)
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
  vi.useFakeTimers({ toFake: ['Date'], now: Number(ctimeNs / 1_000_000n) + ageMs })
  const file = { fileSystem: 0xef53, dev, ino, size, mtimeNs, ctimeNs, ...ownRoot }
  return { ...file, number: 1, isKnown: false, path, cwd: folder, script: '', argv: [path], parent: 1, ...facts }
}

const sharing = (image: ExecImage): number => identifyExec(GONE, image, new Map()).sharing

test('a program is known by its file alone, where that is what the kernel told of', () => {
  expect(sharing(began('plain'))).toBe(SHARING.any)
  expect(sharing(began('plain', { size: 4n }))).toBe(SHARING.none)
  expect(sharing(began('plain', { mtimeNs: 5n }))).toBe(SHARING.none)
  expect(sharing(began('plain', { ctimeNs: 5n }))).toBe(SHARING.none)
  expect(sharing(began('plain', { ino: 5n }))).toBe(SHARING.none)
  // An overlay, and tmpfs.
  expect(sharing(began('plain', { fileSystem: 0x794c7630 }))).toBe(SHARING.none)
  expect(sharing(began('plain', { fileSystem: 0x01021994 }))).toBe(SHARING.none)
})

test('a file that was changed less than a tenth of a second ago may change once more unseen', () => {
  expect(sharing(began('young', {}, 90))).toBe(SHARING.none)
  expect(sharing(began('young', {}, 110))).toBe(SHARING.any)
})

test.each([
  ['busybox', ['/bin/ls', 'x'], SHARING.byName],
  ['busybox', ['busybox', 'ls'], SHARING.none],
  ['busybox', [''], SHARING.byName],
  ['redis-server', ['redis-sentinel'], SHARING.byName],
  ['sh', ['sh'], SHARING.byOperand],
  ['sh', ['sh', ''], SHARING.byOperand],
  ['sh', ['sh', '-c', 'script'], SHARING.byOperand],
  ['sh', ['sh', 'script', '-c'], SHARING.byOperand],
  ['sh', ['sh', '-x', 'script'], SHARING.none],
  ['sh', ['sh', '-x'], SHARING.none],
  ['sh', ['sh', '--', 'script'], SHARING.none],
  ['sh', ['sh', '-o', 'pipefail', 'script'], SHARING.none],
  ['sh', ['sh', 'absent'], SHARING.none],
  ['python3.11', ['python3', '-m', 'x'], SHARING.byOperand],
])('%s, called as %j', (name, argv, expected) => {
  expect(sharing(began(name, { argv }))).toBe(expected)
})

test('a script is known by its name; one that cannot be read, or ran before it was met, is not', () => {
  const argv = ['sh', './script']
  expect(sharing(began('sh', { script: './script', argv }))).toBe(SHARING.byScript)
  expect(sharing(began('awk', { script: './script', argv: ['awk', '-f', './script'] }))).toBe(SHARING.byScript)
  expect(sharing(began('sh', { script: './absent', argv }))).toBe(SHARING.none)
  expect(sharing(began('sh', { script: null, argv }))).toBe(SHARING.none)
})

test('of one that is gone, and had another root, the program is known where it is the same file, its script is not', () => {
  const script = { script: './script', argv: ['sh', './script'] }
  for (const root of [{ rootIno: ownRoot.rootIno + 1n }, { rootMount: ownRoot.rootMount + 1 }]) {
    for (const how of [script, { argv: script.argv }]) {
      const { image, sharing } = identifyExec(GONE, began('sh', { ...how, ...root }), new Map())
      expect([image.sha256?.length, image.script, sharing]).toEqual([
        64,
        { path: join(folder, 'script'), sha256: null },
        SHARING.none,
      ])
    }
  }
})
