import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { libcVersion } from '../../src/source/libc.ts'

/** `ldd (Debian GLIBC 2.36-9+deb12u10) 2.36`; none with another C library. */
const told = /^ldd \((.*)\) /.exec(spawnSync('ldd', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1]
const isGlibc = /\/libc\.so\.6$/m.test(readFileSync('/proc/self/maps', 'utf8'))

describe.runIf(told !== undefined && isGlibc)('the C library', () => {
  it('is named with the version that its distribution gave it', () => {
    expect(libcVersion()).toBe(`glibc ${(told as string).split(' ').at(-1)}`)
  })
})

describe.runIf(!isGlibc)('another C library than glibc', () => {
  it('has no version', () => {
    expect(libcVersion()).toBe('')
  })
})
