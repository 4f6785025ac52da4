// Engine ebpf on overlayfs, which is what containers run from: which file an exec began, and what is known again. By the file in the
// layer, whose pages are what runs; the overlay's own inode stays the same while that becomes another one.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { Shell, seeExecs } from './followed-shell.ts'
import { whyNoEbpf } from './record.ts'

const folder = mkdtempSync(join(tmpdir(), 'overlay-'))
const mounted: string[] = []
const whyNot = (await whyNoEbpf()) ?? whyNotHere()
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
const seen = seeExecs()

afterAll(() => {
  for (const point of mounted.reverse()) execFileSync('umount', ['-l', point])
  rmSync(folder, { recursive: true })
})

function whyNotHere(): string | null {
  if (![0xef53, 0x58465342].includes(statfsSync(folder).type))
    return `${folder} is on a file system that is not looked up`
  try {
    mkdirSync(join(folder, 'empty'))
    overlay('tried', join(folder, 'empty'), folder)
    return null
  } catch {
    return 'no overlay can be mounted here'
  }
}

function mount(type: string, point: string, options: string): void {
  execFileSync('mount', ['-t', type, type, '-o', options, point], { stdio: 'ignore' })
  mounted.push(point)
}

/** An overlay over folder `lower`, what is written going to `upper`. */
function overlay(name: string, lower: string, upper: string): string {
  const point = join(folder, name)
  const [over, work] = [join(upper, `${name}-upper`), join(upper, `${name}-work`)]
  for (const place of [point, over, work]) mkdirSync(place, { recursive: true })
  mount('overlay', point, `lowerdir=${lower},upperdir=${over},workdir=${work}`)
  return point
}

function copy(name: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), to)
}

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
/** Older than the clock by which files are dated can tell. */
const settled = (): Promise<void> => sleep(200)

describe.skipIf(whyNot !== null)('a program on an overlay', () => {
  test('is known again, from the lower layer as from the upper, and not once it is copied up or changed', async () => {
    const lower = join(folder, 'lower')
    copy('env', join(lower, 'tool'))
    const one = overlay('one', lower, folder)
    const tool = join(one, 'tool')
    copy('env', join(one, 'own'))
    await settled()
    const shell = await Shell.begin(folder)
    const again = async (name = 'tool'): Promise<boolean[]> => [
      await shell.do(`one/${name} > /dev/null`),
      await shell.do(`one/${name} > /dev/null`),
    ]
    expect(await again()).toEqual([false, true])
    expect(await again('own')).toEqual([false, true])
    const before = hashOf(tool)
    // Its number on the overlay stays what it is.
    chmodSync(tool, 0o700)
    await settled()
    expect(await again()).toEqual([false, true])
    expect(shell.images.at(-1)?.sha256).toBe(before)
    const when = new Date(1_700_000_000_000)
    utimesSync(tool, when, when)
    await settled()
    expect(await again()).toEqual([false, true])
    appendFileSync(tool, 'x')
    utimesSync(tool, when, when)
    await settled()
    expect(await again()).toEqual([false, true])
    expect(shell.images.at(-1)?.sha256).toBe(hashOf(tool))
    expect(hashOf(tool)).not.toBe(before)
    await shell.end()
  })

  test('is known again in another container of the same layer; what another one has in its place is not', async () => {
    const lower = join(folder, 'image')
    copy('sleep', join(lower, 'tool'))
    for (const name of ['box1', 'box2', 'box3']) overlay(name, lower, folder)
    appendFileSync(join(folder, 'box3', 'tool'), 'x')
    mkdirSync(join(folder, 'root'))
    await settled()
    const shell = await Shell.begin(folder)
    const run = (name: string, seconds = 0): Promise<boolean> =>
      shell.do(`unshare -m sh -c 'mount --bind ${name} root && exec root/tool ${seconds}'`)
    const image = () => shell.images.at(-1)
    // It may be gone before it is looked at: then it has no hash.
    for (let i = 0; i === 0 || (i < 20 && image()?.sha256 === null); i++) expect(await run('box1', 0.2)).toBe(false)
    expect(image()).toMatchObject({ path: join(folder, 'root', 'tool'), sha256: hashOf(join(lower, 'tool')) })
    expect([await run('box2'), image()?.sha256]).toEqual([true, hashOf(join(lower, 'tool'))])
    expect([await run('box3', 0.2), image()?.path]).toEqual([false, join(folder, 'root', 'tool')])
    expect([null, hashOf(join(folder, 'box3', 'tool'))]).toContain(image()?.sha256)
    expect([await run('box1'), await run('box2')]).toEqual([true, true])
    await shell.end()
  })

  test('whose layers are on several file systems is the file that it is; in memory a file is not known by its times', async () => {
    const [lower, memory] = [join(folder, 'below'), join(folder, 'memory')]
    copy('env', join(lower, 'tool'))
    copy('env', join(lower, 'named'))
    linkSync(join(lower, 'named'), join(lower, 'other-name'))
    mkdirSync(memory)
    mount('tmpfs', memory, 'mode=755')
    const mixed = overlay('mixed', lower, memory)
    const plain = overlay('plain', lower, folder)
    copy('id', join(mixed, 'own'))
    await settled()
    const shell = await Shell.begin(folder)
    const again = async (path: string): Promise<boolean[]> => {
      const known: boolean[] = []
      for (let i = 0; i < 2; i++) {
        known.push(await shell.do(`${path} > /dev/null`))
        expect(shell.images.at(-1)).toMatchObject({ path, sha256: hashOf(path) })
      }
      return known
    }
    expect(await again(join(mixed, 'tool'))).toEqual([false, true])
    expect(await again(join(mixed, 'own'))).toEqual([false, false])
    for (const point of [mixed, plain]) {
      expect(await again(join(point, 'named'))).toEqual([false, true])
      for (const name of ['tool', 'named']) chmodSync(join(point, name), 0o700)
      await settled()
      for (const name of ['tool', 'named']) expect(await again(join(point, name))).toEqual([false, point === plain])
    }
    await shell.end()
  })

  test('a script of an overlay is known by its name, and read each time', async () => {
    const lower = join(folder, 'scripts')
    mkdirSync(lower)
    writeFileSync(join(lower, 'script'), '#!/bin/sh\n:\n', { mode: 0o755 })
    const point = overlay('scripted', lower, folder)
    await settled()
    const shell = await Shell.begin(folder)
    expect([await shell.do('scripted/script'), await shell.do('scripted/script')]).toEqual([false, true])
    appendFileSync(join(point, 'script'), ': more\n')
    expect(await shell.do('scripted/script')).toBe(true)
    expect(shell.images.at(-1)?.script?.sha256).toBe(hashOf(join(point, 'script')))
    await shell.end()
  })

  test('that was changed before it was looked at is not taken for what the layer still holds', async () => {
    const lower = join(folder, 'late')
    copy('env', join(lower, 'tool'))
    const point = overlay('changed', lower, folder)
    await settled()
    const shell = await Shell.begin(folder)
    seen.looksLate = true
    expect(await shell.do('changed/tool > /dev/null; printf x >> changed/tool')).toBe(false)
    seen.looksLate = false
    const changed = hashOf(join(point, 'tool'))
    execFileSync('umount', [point])
    mounted.splice(mounted.indexOf(point), 1)
    rmSync(join(folder, 'changed-upper'), { recursive: true })
    overlay('changed', lower, folder)
    const known = [await shell.do('changed/tool > /dev/null'), await shell.do('changed/tool > /dev/null')]
    expect(known).toEqual([false, true])
    expect(shell.images.at(-1)?.sha256).toBe(hashOf(join(lower, 'tool')))
    expect(shell.images.at(-1)?.sha256).not.toBe(changed)
    await shell.end()
  })
})
