import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ImageCache as Hashes, hashOf, withImageFile } from '../../src/source/image-file.ts'
import { Mounts } from '../../src/source/mounts.ts'
import { ImageCache } from '../../src/store/image-cache.ts'

let folder: string
const mounts = new Mounts(readFileSync('/proc/self/mountinfo', 'latin1'))

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracefp-image-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Whatever file system holds it. */
function hash(path: string, cache: Hashes, keepsTimes = true): string | null {
  return withImageFile(path, mounts, (file) => hashOf({ ...file, keepsTimes }, cache))
}

describe('the hash of an image', () => {
  it('is not remembered while the file may change once more with the same times', async () => {
    const path = join(folder, 'fresh')
    const cache = new Map<string, string>()
    writeFileSync(path, 'one')
    const first = hash(path, cache)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(cache.size).toBe(0)
    writeFileSync(path, 'two')
    expect(hash(path, cache)).not.toBe(first)
    await pause(250)
    const last = hash(path, cache)
    expect([...cache.values()]).toEqual([last])
  })

  it('is not remembered where the times of a file do not tell that it was changed', async () => {
    const path = join(folder, 'timeless')
    writeFileSync(path, 'one')
    await pause(250)
    const cache = new Map<string, string>()
    const read = hash(path, cache, false)
    expect(cache.size).toBe(0)
    expect(hash(path, cache)).toBe(read)
    for (const key of cache.keys()) cache.set(key, 'of before')
    expect([hash(path, cache), hash(path, cache, false)]).toEqual(['of before', read])
  })

  it('is not remembered when the file changes while it is read', async () => {
    const path = join(folder, 'changing')
    writeFileSync(path, 'one')
    await pause(250)
    const remembered: string[] = []
    const cache: Hashes = {
      get: () => {
        writeFileSync(path, 'two')
        return undefined
      },
      set: (_, sha256) => void remembered.push(sha256),
    }
    expect(hash(path, cache)).not.toBeNull()
    expect(remembered).toEqual([])
  })
})

describe('the hashes that are kept between runs', () => {
  const key = (inode: number, size: number): string => `1:${inode}:${size}:5:6`
  const sha256 = (n: number): string => n.toString(16).padStart(64, '0')

  it('are those of files that take longer to hash than to look up', async () => {
    const home = mkdtempSync(join(folder, 'home-'))
    const cache = new ImageCache(home)
    cache.set(key(1, 16_384), sha256(1))
    cache.set(key(2, 16_383), sha256(2))
    await cache.save()
    expect(readFileSync(join(home, 'image-hashes'), 'utf8')).toBe(`${key(1, 16_384)} ${sha256(1)}\n`)
    expect(new ImageCache(home).get(key(1, 16_384))).toBe(sha256(1))
  })

  it('are the 512 that were asked for last', async () => {
    const home = mkdtempSync(join(folder, 'home-'))
    const cache = new ImageCache(home)
    for (let inode = 0; inode < 512; inode++) cache.set(key(inode, 20_000), sha256(inode))
    await cache.save()
    const next = new ImageCache(home)
    expect(next.get(key(0, 20_000))).toBe(sha256(0))
    next.set(key(600, 20_000), sha256(600))
    await next.save()
    const last = new ImageCache(home)
    expect([0, 1, 2, 600].map((inode) => last.get(key(inode, 20_000)) !== undefined)).toEqual([true, false, true, true])
  })

  it('are neither read from a pipe nor written to what a link leads to', async () => {
    const home = mkdtempSync(join(folder, 'home-'))
    const file = join(home, 'image-hashes')
    execFileSync('mkfifo', [file])
    const cache = new ImageCache(home)
    expect(cache.get(key(1, 20_000))).toBeUndefined()
    cache.set(key(1, 20_000), sha256(1))
    await cache.save()
    rmSync(file)
    writeFileSync(join(home, 'precious'), 'precious')
    symlinkSync(join(home, 'precious'), file)
    await cache.save()
    expect(readFileSync(join(home, 'precious'), 'utf8')).toBe('precious')
  })
})
