// Engine ebpf: which execs the kernel half takes for ones that were identified before. Those are judged from their first call on;
// of all others every call is told until they are identified.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { learn } from '../../src/index.ts'
import { Checker } from '../../src/match/checker.ts'
import { Walker } from '../../src/match/walker.ts'
import type { Image } from '../../src/model/stream.ts'
import { TransitionTable } from '../../src/model/table.ts'
import { readFingerprint } from '../../src/store/fingerprint-file.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { Shell, seeExecs } from './followed-shell.ts'
import { whyNoEbpf } from './record.ts'

const folder = mkdtempSync(join(tmpdir(), 'known-'))
const whyNot = (await whyNoEbpf()) ?? whyNotHere(folder) ?? whyNotHere('/bin/sh')
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
const mapping = linuxMapping()
const tool = join(folder, 'tool')
const seen = seeExecs()

afterAll(() => rmSync(folder, { recursive: true }))

/** ext2 to ext4, XFS. */
function whyNotHere(path: string): string | null {
  return [0xef53, 0x58465342].includes(statfsSync(path).type)
    ? null
    : `${path} is on a file system that is not looked up`
}

function pathOf(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
}

/** A file that is older than the clock by which files are dated can tell. */
async function makeTool(): Promise<void> {
  rmSync(tool, { force: true })
  copyFileSync(pathOf('env'), tool)
  await sleep(200)
}

describe.skipIf(whyNot !== null)('an exec of what was identified before', () => {
  test('is judged from its first call on, by what the first was judged by', async () => {
    const line = `perl -e 'getppid for 1 .. 2000'`
    const file = join(folder, 'loop.tfp')
    await learn(['sh', '-c', `${line}; true`], { stdio: 'ignore', home: folder, file, engine: 'notify' })
    const checker = new Checker({ fingerprints: [readFingerprint(file)], mapping })
    const walker = new Walker(checker, { mapping, tracks: 'thread', rootPpid: 0, rootAncestors: [] })
    const shell = await Shell.begin(folder, (tid) => walker.programOf(tid)?.known?.table.buffer ?? null, walker)
    expect(await shell.do(line)).toBe(false)
    for (let i = 0; i < 2; i++) {
      expect(await shell.do(line)).toBe(true)
      expect(shell.skipped).toBeGreaterThan(1900)
    }
    // The first calls, the last ones and those after an interruption; never those before an answer.
    expect(shell.told).toBeLessThan(300)
    expect(shell.images[1]).toEqual(shell.images[0])
    expect(shell.images[2]?.sha256).toMatch(/^[0-9a-f]{64}$/)
    await shell.end()
    expect(walker.gapCount).toBe(0)
    expect(checker.programs.find(({ key }) => key.endsWith('/perl'))?.missCount).toBe(0)
  })

  test('is not known where the file was changed, by its content, its times or another in its place', async () => {
    const shell = await Shell.begin(folder)
    await makeTool()
    const again = async (): Promise<boolean[]> => [
      await shell.do('./tool > /dev/null'),
      await shell.do('./tool > /dev/null'),
    ]
    expect(await again()).toEqual([false, true])
    appendFileSync(tool, 'x')
    await sleep(200)
    expect(await again()).toEqual([false, true])
    chmodSync(tool, 0o700)
    await sleep(200)
    expect(await again()).toEqual([false, true])
    copyFileSync(tool, `${tool}.new`)
    renameSync(`${tool}.new`, tool)
    await sleep(200)
    expect(await again()).toEqual([false, true])
    const hashes = shell.images.map(({ sha256 }) => sha256)
    expect(new Set(hashes).size).toBe(2)
    await shell.end()
  })

  test('is not known by another path, nor as a file that is deleted', async () => {
    const shell = await Shell.begin(folder)
    await makeTool()
    mkdirSync(join(folder, 'bound'), { recursive: true })
    expect([await shell.do('./tool > /dev/null'), await shell.do('./tool > /dev/null')]).toEqual([false, true])
    const bind = `mount --bind . bound && ./bound/tool > /dev/null`
    expect(await shell.do(`unshare -m sh -c '${bind}'`)).toBe(false)
    expect(await shell.do('exec 3< tool; rm tool; /proc/self/fd/3 > /dev/null; exec 3<&-')).toBe(false)
    expect(shell.images.at(-1)?.path).toBe(`${tool} (deleted)`)
    await shell.end()
  })

  test('is not known after all were forgotten', async () => {
    const shell = await Shell.begin(folder)
    expect([await shell.do('env true'), await shell.do('env true')]).toEqual([false, true])
    shell.forget()
    expect([await shell.do('env true'), await shell.do('env true')]).toEqual([false, true])
    await shell.end()
  })

  test('of a script is known by its name, wherever that leads from; of what it interprets no more is taken for granted', async () => {
    const shell = await Shell.begin(folder)
    for (const place of ['one', 'two']) {
      mkdirSync(join(folder, place))
      writeFileSync(join(folder, place, 'script'), `#!/bin/sh\n: ${place}\n`, { mode: 0o755 })
    }
    const script = (): string | undefined => shell.images.at(-1)?.script?.path
    for (const command of ['./script', 'sh script', 'sh ./script a b']) {
      for (const place of ['one', 'two']) {
        const line = `(cd ${place}; exec ${command})`
        expect([command, await shell.do(line), script()]).toEqual([command, false, join(folder, place, 'script')])
        expect([command, await shell.do(line), script()]).toEqual([command, true, join(folder, place, 'script')])
      }
    }
    const before = shell.images.at(-1)?.script?.sha256
    appendFileSync(join(folder, 'two', 'script'), ': more\n')
    expect(await shell.do('(cd two; exec sh ./script a b)')).toBe(true)
    expect(shell.images.at(-1)?.script?.sha256).not.toBe(before)
    expect(await shell.do(`${join(folder, 'one', 'script')}`)).toBe(false)
    await shell.end()
  })

  test('in another root is known by the path in it, and a script there is what it is there', async () => {
    const jail = join(folder, 'jail')
    const [script, there] = [join(folder, 'name'), join(jail, folder, 'name')]
    for (const name of ['usr', 'etc', folder]) mkdirSync(join(jail, name), { recursive: true })
    for (const name of ['bin', 'lib', 'lib64']) symlinkSync(join('usr', name), join(jail, name))
    const lines = ['#!/bin/sh\n: here\n', '#!/bin/sh\n: there, longer\n'] as const
    writeFileSync(script, lines[0], { mode: 0o755 })
    writeFileSync(there, lines[1], { mode: 0o755 })
    copyFileSync(pathOf('env'), join(folder, 'program'))
    copyFileSync(pathOf('id'), join(jail, folder, 'program'))
    await sleep(200)
    const inJail = (command: string): string =>
      `unshare -m sh -c 'mount --rbind /usr ${jail}/usr && exec chroot ${jail} ${command}'`
    const shell = await Shell.begin(folder)
    const image = (): Image => shell.images.at(-1) as Image
    await shell.do('env true > /dev/null')
    const known = image()
    expect([known.path, await shell.do(inJail('true')), image()]).toEqual([known.path, true, known])
    const program = join(folder, 'program')
    await shell.do(`${program} > /dev/null`)
    const other = image()
    expect([await shell.do(inJail(program)), image().path]).toEqual([false, other.path])
    expect(image().sha256).not.toBe(other.sha256)
    const hashes = lines.map((text) => createHash('sha256').update(text).digest('hex'))
    await shell.do(script)
    expect(image().script).toEqual({ path: script, sha256: hashes[0] })
    // It may be gone before it is looked at.
    for (let i = 0; i === 0 || (i < 50 && image().script?.sha256 === null); i++) {
      const isKnown = await shell.do(inJail(script))
      expect([i > 0 || !isKnown, image().script?.path]).toEqual([true, script])
    }
    expect(image().script?.sha256).toBe(hashes[1])
    // Gone before it was looked at: then nothing is known of it, but never what has its name here.
    seen.looksLate = true
    for (const command of [script, `sh ${script}`]) {
      await shell.do(inJail(command))
      expect(image().script).toEqual({ path: script, sha256: null })
    }
    await shell.end()
  })

  test('of an interpreter without a script is known by its first option', async () => {
    const shell = await Shell.begin(folder)
    const lines = [`sh -c ': 1'`, `sh -c ': 2' a`, `cd /; sh -c :; cd - > /dev/null`, 'sh < /dev/null', `sh -e -c :`]
    const known: boolean[] = []
    for (const line of lines) known.push(await shell.do(line))
    expect(known).toEqual([false, true, true, false, false])
    // Which argument says so is not the first: not known at all.
    expect(await shell.do('sh -e -c :')).toBe(false)
    expect(await shell.do('sh < /dev/null')).toBe(true)
    expect(shell.images.map(({ script }) => script)).toEqual(shell.images.map(() => null))
    await shell.end()
  })

  test('of one file that is many programs is known by the name it is called by', async () => {
    const shell = await Shell.begin(folder)
    const many = join(folder, 'busybox')
    copyFileSync(pathOf('sh'), many)
    await sleep(200)
    const exec = (name: string): string => `perl -e 'exec { "./busybox" } "${name}", "-c", ":"'`
    const known: boolean[] = []
    for (const name of ['one', 'one', 'two', 'two', 'busybox', 'busybox']) known.push(await shell.do(exec(name)))
    expect(known).toEqual([false, true, false, true, false, false])
    const names = shell.images.filter(({ path }) => path === many).map(({ argv0 }) => argv0)
    expect(names).toEqual(['one', 'one', 'two', 'two', '-c', '-c'])
    await shell.end()
  })

  test('that was something else after all is told: there is a gap, and what began alike is judged by nothing', async () => {
    const file = join(folder, 'torn.tfp')
    await learn(['true'], { stdio: 'ignore', home: folder, file, engine: 'notify' })
    const program = [...readFingerprint(file).programs.values()][0]
    const tables = [0, 1].map(() => TransitionTable.compile(program as NonNullable<typeof program>, mapping).buffer)
    let index = 0
    const shell = await Shell.begin(folder, () => tables[index] as SharedArrayBuffer)
    const line = `perl -e 'getppid for 1 .. 2000'`
    expect([await shell.do(line), await shell.do(line)]).toEqual([false, true])
    expect(shell.gaps).toEqual([])
    index = 1
    expect(await shell.do(line)).toBe(true)
    for (let i = 0; i < 500 && shell.gaps.length === 0; i++) await sleep(10)
    expect(shell.gaps).toEqual([1])
    expect(await shell.do(line)).toBe(false)
    await shell.end()
  })
})
