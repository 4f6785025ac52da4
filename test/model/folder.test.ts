// Making folders, also where none can be made.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../src/model/folder.ts'

test('a folder is made with those above it, for its owner alone, and may be there already', () => {
  const top = mkdtempSync(join(tmpdir(), 'tracefp-folder-'))
  const folder = join(top, 'a', 'b', 'c')
  makeFolder(folder)
  makeFolder(folder)
  expect([statSync(folder).mode & 0o777, statSync(join(top, 'a')).mode & 0o777]).toEqual([0o700, 0o700])
  rmSync(top, { recursive: true })
})

test('below /proc it fails at once', () => {
  expect(() => makeFolder('/proc/tracefp/a/b')).toThrow(/ENOENT|EACCES|EPERM/)
})
