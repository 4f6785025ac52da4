import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readBuildId } from '../../src/source/elf.ts'

const folder = mkdtempSync(join(tmpdir(), 'elf-'))
afterAll(() => rmSync(folder, { recursive: true }))

function open<T>(file: string, use: (fd: number) => T): T {
  const fd = openSync(file, 'r')
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

function withBytes<T>(bytes: Buffer, use: (fd: number) => T): T {
  const file = join(folder, 'file')
  writeFileSync(file, bytes)
  return open(file, use)
}

test('the build-id is the one that the linker wrote', () => {
  const program = join(folder, 'program')
  const id = 'deadbeef00112233445566778899aabbccddeeff'
  execFileSync('cc', ['-x', 'c', '-', '-o', program, `-Wl,--build-id=0x${id}`], { input: 'int main(void){return 0;}' })
  expect(open(program, readBuildId)).toBe(id)
})

test('a file that is no ELF file has no build-id', () => {
  const script = Buffer.from('#!/bin/sh\necho hello world, this is long enough to be a header\n')
  expect(withBytes(script, readBuildId)).toBe(null)
  expect(withBytes(Buffer.alloc(0), readBuildId)).toBe(null)
})

test('a truncated or absurd ELF file has no build-id and harms nobody', () => {
  const whole = readFileSync('/proc/self/exe').subarray(0, 4096)
  for (let length = 0; length < 200; length += 7) {
    expect(withBytes(whole.subarray(0, length), readBuildId)).toBe(null)
  }
  for (let at = 4; at < 64; at++) {
    const bytes = Buffer.from(whole)
    bytes.fill(0xff, at, at + 8)
    expect(() => withBytes(bytes, readBuildId)).not.toThrow()
  }
})
