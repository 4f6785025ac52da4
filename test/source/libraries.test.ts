// Which libraries a program gets: as ldd(1) says it, for programs of this machine and for what can be made of an environment.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { librariesOf } from '../../src/source/libraries.ts'
import { linkEnvironmentOf } from '../../src/source/link-environment.ts'

const none = { preloads: [], paths: [] }

/** What the linker itself says, without the vDSO. */
function ldd(program: string, env: Record<string, string> = {}): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8', env: { ...process.env, ...env } })
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path as string).sort()
}

test.each(['/bin/ls', '/usr/bin/git', '/usr/bin/perl', '/usr/bin/vim.tiny', process.execPath, '/bin/bash'])(
  '%s gets what ldd says',
  (program) => {
    const told = ldd(program)
    if (told.length === 0) return
    expect(librariesOf(program, none)?.sort()).toEqual(told)
  },
)

test('what the environment brings is among them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-libraries-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'x.c'), 'int evil(void) { return 1; }\n')
  const preload = join(folder, 'evil.so')
  expect(spawnSync('cc', ['-shared', '-fPIC', '-o', preload, join(folder, 'x.c')]).status).toBe(0)
  const env = linkEnvironmentOf([`LD_PRELOAD=${preload}`, 'LD_LIBRARY_PATH=/opt/none:relative', 'HOME=/'])
  expect(env).toEqual({ preloads: [preload], paths: ['/opt/none'] })
  expect(librariesOf('/bin/ls', env)).toContain(preload)
  expect(librariesOf('/bin/ls', env)?.sort()).toEqual(ldd('/bin/ls', { LD_PRELOAD: preload }))
  // It goes before all others of its name.
  expect(spawnSync('cp', [preload, join(folder, 'libc.so.6')]).status).toBe(0)
  expect(librariesOf('/bin/ls', { preloads: [], paths: [folder] })).toContain(join(folder, 'libc.so.6'))
})

test('a static program has none, and what is no program is not known', () => {
  expect(librariesOf('/usr/bin/busybox', none) ?? []).toEqual([])
  expect(librariesOf('/etc/hostname', none)).toBeNull()
  expect(librariesOf('/nonexistent', none)).toBeNull()
})
