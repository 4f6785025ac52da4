// The command `bench` as far as it does not measure.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cli } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a part that there is not is a usage error that names those there are', async () => {
  expect(await cli('bench', '--part', 'nonsense')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'tracefp: there is no part nonsense; there are watching, matching, replay, scale, host\n',
  })
})

test('a file of ratios that is none is told before anything is measured', async () => {
  const file = join(folder, 'ratios.json')
  writeFileSync(file, '{ "a": { "value": 1 } }')
  expect(await cli('bench', '--against', file)).toEqual({
    code: 5,
    stdout: '',
    stderr: `tracefp: ${file}: holds no ratios\n`,
  })
  expect(await cli('bench', '--against', join(folder, 'none.json'))).toMatchObject({ code: 5, stdout: '' })
})
