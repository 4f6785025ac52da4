import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readMappingFile } from '../../src/syscall/mapping-file.ts'
import { cli } from './cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-mapping-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('mapping list', () => {
  test('names every built-in mapping and says which has names only', async () => {
    const { stdout, code } = await cli('mapping', 'list')
    expect(code).toBe(0)
    for (const name of ['linux-x86_64', 'linux-i386', 'linux-x32', 'linux-aarch64']) {
      expect(stdout).toMatch(new RegExp(`^${name} +\\d{3} calls$`, 'm'))
    }
    expect(stdout).toMatch(/^windows-nt +\d{3} calls, by name/m)
  })

  test('is data as JSON', async () => {
    const list = JSON.parse((await cli('mapping', 'list', '--json')).stdout) as { name: string; hasNumbers: boolean }[]
    expect(list.find(({ name }) => name === 'windows-nt')?.hasNumbers).toBe(false)
    expect(list).toHaveLength(5)
  })
})

describe('mapping show', () => {
  test('prints what can be read back as a mapping file', async () => {
    const { stdout } = await cli('mapping', 'show', 'linux-i386')
    expect(stdout).toMatch(/^restart_syscall 0\nexit 1\nfork 2\n/)
    const again = readMappingFile(file('again.map', stdout))
    expect(again.notes).toEqual([])
    expect(again.entries).toHaveLength(stdout.trimEnd().split('\n').length)
  })

  test('a mapping without numbers is names', async () => {
    expect((await cli('mapping', 'show', 'windows-nt')).stdout).toMatch(/^NtAcceptConnectPort\nNtAccessCheck\n/)
    const json = JSON.parse((await cli('mapping', 'show', 'windows-nt', '--json')).stdout) as { calls: unknown[] }
    expect(json.calls[0]).toEqual({ name: 'NtAcceptConnectPort', nr: null })
  })

  test('shows a file too, with its hash', async () => {
    const { stdout } = await cli('mapping', 'show', file('own.map', 'read 3\nexit 1\n'), '--json')
    const shown = JSON.parse(stdout) as { name: string; sha256: string; calls: unknown[] }
    expect(shown.name).toBe('own')
    expect(shown.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(shown.calls).toEqual([
      { name: 'exit', nr: 1 },
      { name: 'read', nr: 3 },
    ])
  })

  test('of nothing that is there says what there is', async () => {
    const ended = await cli('mapping', 'show', 'linux-sparc')
    expect([ended.code, ended.stdout]).toEqual([5, ''])
    expect(ended.stderr).toMatch(/^tracefp: linux-sparc: there is no such file.*linux-x86_64/)
    expect((await cli('mapping', 'show')).code).toBe(2)
  })
})

describe('mapping check', () => {
  test('says how a file was read, what was left out, and which built-in mapping it is like', async () => {
    const path = file('i386.csv', 'name,number\nrestart_syscall,0\nexit,1\nfork,2\nfork2,2\nnone,\n')
    const { stdout, code } = await cli('mapping', 'check', path)
    expect(code).toBe(0)
    expect(stdout).toBe(
      [
        'i386: 4 calls, numbers 0 to 2, read as csv',
        'as linux-i386 in 3 of 4',
        '1 line left out',
        '  line 6: "none": no number here',
        '  line 5: number 2 is fork already; fork2 is taken for the same call',
        '',
      ].join('\n'),
    )
  })

  test('a file that is no mapping is an answer: exit code 1, with file and line', async () => {
    const path = file('bad\u001b[2J.map', 'read 0\nwr\u001b[2Jite\n')
    const ended = await cli('mapping', 'check', path)
    expect([ended.code, ended.stdout]).toEqual([1, ''])
    expect(ended.stderr).toMatch(/bad\?\[2J\.map:2: expected "name number", found "wr\\u001b\[2Jite"\n$/)
    const json = JSON.parse((await cli('mapping', 'check', path, '--json')).stdout) as {
      isValid: boolean
      line: number
    }
    expect([json.isValid, json.line]).toEqual([false, 2])
  })

  test('a file that is not there is a failure', async () => {
    expect((await cli('mapping', 'check', join(folder, 'none'))).code).toBe(5)
  })
})
