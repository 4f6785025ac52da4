import { closeSync, openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Mounts, mountIdOf } from '../../src/source/mounts.ts'

const mounts = new Mounts(readFileSync('/proc/self/mountinfo', 'utf8'))

function isReadableFile(file: string): boolean {
  const fd = openSync(file, 'r')
  try {
    return mounts.isReadableFile(fd, mountIdOf(fd))
  } finally {
    closeSync(fd)
  }
}

test('what the kernel makes up may not be read, a file on a disk may', () => {
  expect(mounts.typeOf('/proc')).toBe('proc')
  expect(mounts.typeOf('/proc/self/status')).toBe('proc')
  expect(mounts.typeOf('/processes')).toBe(mounts.typeOf('/'))
  expect(mounts.isReadable('/sys/kernel')).toBe(false)
  expect(mounts.isReadable(process.execPath)).toBe(true)
})

test('an open file is known by its mount, and by the type of its file system when no table has its mount', () => {
  expect(isReadableFile('/proc/self/status')).toBe(false)
  expect(isReadableFile(process.execPath)).toBe(true)
  const none = new Mounts('')
  const fd = openSync('/proc/self/status', 'r')
  expect(none.isReadableFile(fd, mountIdOf(fd))).toBe(false)
  closeSync(fd)
})

test('a file in memory may be written through a mapping without a change of its times', () => {
  const table = new Mounts('7 1 0:5 / /m rw - tmpfs none rw\n8 1 8:1 / /d rw - ext4 /dev/sda rw\n')
  expect([table.keepsTimes(-1, '7'), table.keepsTimes(-1, '8')]).toEqual([false, true])
})
