// Image integrity of libraries: one that was changed or put before others is a finding beside the verdict, with an alert of its own.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, tracefp } from '../cli/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-libraries-'))
const [program, library, fingerprint, report] = ['main', 'libf.so', 'main.tfp', 'report.json'].map((name) =>
  join(folder, name),
) as [string, string, string, string]

function cc(...args: string[]): void {
  expect(spawnSync('cc', args, { cwd: folder, encoding: 'utf8' }).stderr).toBe('')
}

function makeLibrary(value: number, file = library): void {
  cc('-shared', '-fPIC', `-DVALUE=${value}`, '-o', file, 'f.c')
}

const run = (home: string, ...args: string[]): Promise<Ended> =>
  tracefp(args, ['env', `TRACEFP_HOME=${join(folder, home)}`])
const check = (home: string, env: string[] = []): Promise<Ended> =>
  run(home, 'run', '-f', fingerprint, '--report', report, '--', 'env', ...env, program)

async function alertsOf(home: string): Promise<unknown[]> {
  return JSON.parse((await run(home, 'alerts', '--json')).stdout)
}

beforeAll(async () => {
  writeFileSync(join(folder, 'f.c'), 'int f(void) { return VALUE; }\n')
  writeFileSync(join(folder, 'main.c'), 'int f(void);\nint main(void) { return f() == 7 ? 3 : 0; }\n')
  makeLibrary(1)
  cc('-o', program, 'main.c', '-L.', '-lf', '-Wl,-rpath,$ORIGIN')
  expect((await run('learn', 'learn', '-o', fingerprint, '--runs', '1', '--', 'env', program)).code).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('libraries that are as learned are no news', async () => {
  expect(readFileSync(join(folder, 'main.libraries'), 'latin1')).toContain(`\nlibrary ${library} `)
  const { code, stderr } = await check('same')
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('library')])
  expect(await alertsOf('same')).toEqual([])
})

test('one that was changed is told and has an alert; the verdict stays what it is', async () => {
  makeLibrary(2)
  try {
    const { code, stderr } = await check('changed')
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /^tracefp: library changed: \S+main\[\d+\] \S+libf\.so is sha256 \w{12}, learned was sha256 \w{12}$/m,
    )
    expect(stderr).toMatch(/^tracefp: authentic: env: 0 misses/m)
    expect(await alertsOf('changed')).toMatchObject([{ program, severity: 'high', missCount: 1 }])
    const { verdict, missCount, notes } = JSON.parse(readFileSync(report, 'utf8'))
    expect([verdict, missCount]).toEqual(['authentic', 0])
    expect(notes).toMatchObject([{ code: 'library_changed', library: { program, path: library } }])
    expect((await run('x', 'explain', report)).stdout).toMatch(
      /runs with another library than it was learned with: \S+libf/,
    )
  } finally {
    makeLibrary(1)
  }
})

test('a list that is damaged is a note', async () => {
  const list = join(folder, 'main.libraries')
  const text = readFileSync(list, 'latin1')
  writeFileSync(list, text.replace(/library /, 'libraby '))
  try {
    const { code, stderr } = await check('damaged')
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/note: .*main\.libraries.*: libraries were not looked at$/m),
    ])
  } finally {
    writeFileSync(list, text)
  }
})

test('one that the environment puts before the others is told', async () => {
  const evil = join(folder, 'evil.so')
  makeLibrary(7, evil)
  const { code, stderr } = await check('preload', [`LD_PRELOAD=${evil}`])
  expect(stderr).toMatch(
    /^tracefp: library changed: \S+main\[\d+\] \S+evil\.so is sha256 \w{12}, it had no such library$/m,
  )
  // That it was loaded is seen in its calls, too.
  expect(code).toBe(100)
})
