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

test('so may one of an overlay that is in memory, which its mount says', () => {
  const table = (upper: string, lower: string): Mounts =>
    new Mounts(
      `7 1 0:5 / /m\\040m rw - tmpfs none rw\n8 1 8:1 / /d rw - ext4 /dev/sda rw\n` +
        `9 1 0:6 / /o rw - overlay overlay rw,lowerdir=${lower}${upper},workdir=/m\\040m/w,uuid=on\n`,
    )
  const keeps = (upper: string, lower = '/d/1:/d/2'): boolean => table(upper, lower).keepsTimes(-1, '9')
  expect([keeps(',upperdir=/d/u'), keeps(''), keeps(',upperdir=u')]).toEqual([true, true, true])
  expect([keeps(',upperdir=/m\\040m/u'), keeps('', '/d/1:/m\\040m/2')]).toEqual([false, false])
  expect(keeps('', '/d/1,lowerdir+=/m\\040m/2')).toBe(false)
})
