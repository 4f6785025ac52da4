import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
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

test('a folder given to node is the file that it runs', async () => {
  mkdirSync(join(folder, 'app', 'lib'), { recursive: true })
  put('app/package.json', '{ "main": "lib/start" }')
  const main = put('app/lib/start.js', '')
  expect((await imageOf(['node', 'app'], { cwd: folder })).script).toEqual({ path: main, sha256: sha256(main) })
  mkdirSync(join(folder, 'plain'))
  const index = put('plain/index.js', '')
  expect((await imageOf(['node', 'plain'], { cwd: folder })).script?.path).toBe(index)
  expect((await imageOf(['node', './plain/index'], { cwd: folder })).script?.path).toBe(index)
})

test('text given to an interpreter is no script', async () => {
  expect((await imageOf(['sh', '-c', 'true'])).script).toBe(null)
})

test('a FIFO named as a script is not opened, but it is the script', async () => {
  const fifo = join(folder, 'fifo')
  await recordRun(['mkfifo', fifo])
  const image = await imageOf(['sh', fifo], { timeoutMs: 500 })
  expect(image.script).toEqual({ path: fifo, sha256: null })
})

test('a script that is not there is a script without a hash, never the bare interpreter', async () => {
  const image = await imageOf(['sh', 'nosuch'], { cwd: folder })
  expect(image.script).toEqual({ path: join(folder, 'nosuch'), sha256: null })
})

test.each(['/proc/version', '/sys/kernel/uevent_seqnum', '/proc/self/status'])(
  'a file that the kernel makes up is never hashed: %s',
  async (file) => {
    expect((await imageOf(['sh', file])).script).toEqual({ path: file, sha256: null })
  },
)

test('a file over 1 GiB is not hashed', async () => {
  const file = put('large', '')
  truncateSync(file, 2 ** 30 + 1)
  expect((await imageOf(['sh', file], { timeoutMs: 500 })).script).toEqual({ path: file, sha256: null })
  rmSync(file)
})

test.each(['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'])("%s is the tracee's", async (name) => {
  const script = put('from-stdin.sh', 'true\n')
  const fd = openSync(script, 'r')
  const image = await imageOf(['sh', name], { launch: { stdio: [fd, -1, -1] } })
  closeSync(fd)
  expect(image.script).toEqual({ path: script, sha256: sha256(script) })
})

test("a link to the tracee's own entry in /proc is not followed to ours", async () => {
  const link = join(folder, 'link-to-self')
  symlinkSync('/proc/self/exe', link)
  const image = await imageOf(['sh', link], { timeoutMs: 500 })
  expect(image.script).toEqual({ path: link, sha256: sha256('/bin/sh') })
})

test.skipIf(!existsSync(BUSYBOX))('an applet of busybox is told from the others', async () => {
  const link = join(folder, 'echo')
  symlinkSync(BUSYBOX, link)
  expect(programKeyOf(await imageOf([link, 'x']))).toBe(`${realpathSync(BUSYBOX)} [echo]`)
  expect(programKeyOf(await imageOf([BUSYBOX, 'true']))).toBe(`${realpathSync(BUSYBOX)} [true]`)
})

test('one file under several names is told apart by the name that it was called by', async () => {
  const file = join(folder, 'redis-check-rdb')
  copyFileSync('/bin/true', file)
  const link = join(folder, 'redis-server')
  symlinkSync(file, link)
  expect(programKeyOf(await imageOf([link, 'x.conf']))).toBe(`${file} [redis-server]`)
  expect(programKeyOf(await imageOf([file]))).toBe(`${file} [redis-check-rdb]`)
})

const CHROOT = '/usr/sbin/chroot'
const withoutChroot = [
  process.geteuid?.() === 0 ? '' : 'not root',
  existsSync(BUSYBOX) ? '' : `no ${BUSYBOX}`,
  existsSync(CHROOT) ? '' : `no ${CHROOT}`,
].filter((reason) => reason !== '')

describe.skipIf(withoutChroot.length > 0)(`in a chroot (${withoutChroot.join(', ') || 'run'})`, () => {
  test('a path is the one inside the root of its process', async () => {
    const root = join(folder, 'root')
    mkdirSync(join(root, 'bin'), { recursive: true })
    copyFileSync(BUSYBOX, join(root, 'bin', 'busybox'))
    chmodSync(join(root, 'bin', 'busybox'), 0o755)
    const { events } = await recordRun([CHROOT, root, '/bin/busybox', 'true'])
    const images = events.flatMap((event) => (event.type === 'exec' ? [event.image.path] : []))
    expect(images).toEqual([realpathSync(CHROOT), '/bin/busybox'])
  })

  test('a link in a root leads nowhere outside of it', async () => {
    const root = join(folder, 'shell-root')
    mkdirSync(join(root, 'bin'), { recursive: true })
    mkdirSync(join(root, 'etc'))
    copyFileSync(BUSYBOX, join(root, 'bin', 'dash'))
    chmodSync(join(root, 'bin', 'dash'), 0o755)
    writeFileSync(join(root, 'etc', 'inside'), 'true\n')
    symlinkSync('/etc/passwd', join(root, 'outside'))
    symlinkSync('/etc/inside', join(root, 'inside'))
    symlinkSync('../../../../../etc/passwd', join(root, 'above'))
    const scriptOf = async (name: string): Promise<Image['script']> => {
      const { events } = await recordRun([CHROOT, root, '/bin/dash', name])
      const image = events.flatMap((event) => (event.type === 'exec' ? [event.image] : [])).at(-1)
      return image?.script ?? null
    }
    expect(await scriptOf('/outside')).toEqual({ path: '/outside', sha256: null })
    expect(await scriptOf('/above')).toEqual({ path: '/above', sha256: null })
    expect(await scriptOf('/inside')).toEqual({ path: '/inside', sha256: sha256(join(root, 'etc', 'inside')) })
  })
})
