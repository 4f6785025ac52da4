import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Image, programKeyOf } from '../../src/model/stream.ts'
import { type RecordOptions, recordRun } from './record.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'image-')))
afterAll(() => rmSync(folder, { recursive: true }))

const BUSYBOX = '/bin/busybox'

async function imageOf(argv: readonly string[], options: RecordOptions = {}): Promise<Image> {
  const { events } = await recordRun(argv, { launch: { stdio: [-1, -1, -1] }, ...options })
  const exec = events.find((event) => event.type === 'exec')
  if (exec?.type !== 'exec') throw new Error('no exec')
  return exec.image
}

function put(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  chmodSync(file, 0o755)
  return file
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

test('an executable is its real path and the hash of its content', async () => {
  const link = join(folder, 'link-to-true')
  symlinkSync('/bin/true', link)
  const image = await imageOf([link])
  const path = realpathSync('/bin/true')
  expect(image).toMatchObject({ path, sha256: sha256(path), script: null, argv0: null })
  expect(image.buildId).toMatch(/^[0-9a-f]{40}$/)
})

test('a script started by its #! line is its interpreter and itself', async () => {
  const script = put('hash-bang', '#!/bin/sh\ntrue\n')
  const image = await imageOf([script])
  expect(image.path).toBe(realpathSync('/bin/sh'))
  expect(image.script).toEqual({ path: script, sha256: sha256(script) })
  expect(programKeyOf(image)).toBe(`${realpathSync('/bin/sh')} ${script}`)
})

test('a script given to its interpreter is found too, relative to the working directory', async () => {
  const script = put('operand.sh', 'true\n')
  const image = await imageOf(['sh', 'operand.sh'], { cwd: folder })
  expect(image.script).toEqual({ path: script, sha256: sha256(script) })
})

test('a script without a #! line is run by sh', async () => {
  const script = put('no-hash-bang', 'true\n')
  const image = await imageOf([script])
  expect(image.path).toBe(realpathSync('/bin/sh'))
  expect(image.script?.path).toBe(script)
})

test('text given to an interpreter is no script', async () => {
  expect((await imageOf(['sh', '-c', 'true'])).script).toBe(null)
})

test('a FIFO named as a script is not opened', async () => {
  const fifo = join(folder, 'fifo')
  await recordRun(['mkfifo', fifo])
  const image = await imageOf(['sh', fifo], { timeoutMs: 500 })
  expect(image.script).toBe(null)
})

test.skipIf(!existsSync(BUSYBOX))('an applet of busybox is told from the others', async () => {
  const link = join(folder, 'echo')
  symlinkSync(BUSYBOX, link)
  expect(programKeyOf(await imageOf([link, 'x']))).toBe(`${realpathSync(BUSYBOX)} [echo]`)
  expect(programKeyOf(await imageOf([BUSYBOX, 'true']))).toBe(`${realpathSync(BUSYBOX)} [true]`)
})

test.skipIf(process.geteuid?.() !== 0 || !existsSync(BUSYBOX))(
  'a path is the one inside the root of its process',
  async () => {
    const root = join(folder, 'root')
    mkdirSync(join(root, 'bin'), { recursive: true })
    copyFileSync(BUSYBOX, join(root, 'bin', 'busybox'))
    chmodSync(join(root, 'bin', 'busybox'), 0o755)
    const { events } = await recordRun(['chroot', root, '/bin/busybox', 'true'])
    const images = events.flatMap((event) => (event.type === 'exec' ? [event.image.path] : []))
    expect(images).toEqual([realpathSync('/usr/sbin/chroot'), '/bin/busybox'])
  },
)
