import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { LinuxAbiName } from '../../src/syscall/abi.ts'
import { syscallTable } from '../../src/syscall/tables.ts'

const csv = readFileSync(new URL('../../native/syscall/syscalls.csv', import.meta.url), 'utf8')

test('the generated tables are what the list says', () => {
  const script = new URL('../../scripts/generate-syscalls.mjs', import.meta.url).pathname
  expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow()
})

test('every number of the list is in the unpacked tables, and nothing else', () => {
  const [head = '', ...lines] = csv.trimEnd().split('\n')
  const abis = head.split(',').slice(1) as LinuxAbiName[]
  for (const [column, abi] of abis.entries()) {
    const numbers = new Map<string, number>()
    for (const line of lines) {
      const words = line.split(',')
      if (words[column + 1] !== '') numbers.set(words[0]!, Number(words[column + 1]))
    }
    expect(new Map([...syscallTable(abi).numbers].sort())).toEqual(new Map([...numbers].sort()))
    for (const [name, nr] of numbers) expect(syscallTable(abi).names[nr]).toBe(name)
  }
})

test('calls newer than most installed headers are there, under one number for every ABI', () => {
  for (const abi of ['x86_64', 'i386', 'x32', 'aarch64'] as const) {
    const { numbers } = syscallTable(abi)
    expect([
      numbers.get('mseal'),
      numbers.get('open_tree_attr'),
      numbers.get('file_getattr'),
      numbers.get('listns'),
    ]).toEqual([462, 467, 468, 470])
  }
})

// The installed headers may be older than the list: what they have must be in it, with the same number.
describe('installed kernel headers', () => {
  const folders = ['/usr/include/asm', '/usr/include/x86_64-linux-gnu/asm', '/usr/include/i386-linux-gnu/asm']
  for (const [abi, file] of [
    ['x86_64', 'unistd_64.h'],
    ['i386', 'unistd_32.h'],
    ['x32', 'unistd_x32.h'],
  ] as const) {
    const path = folders.map((folder) => `${folder}/${file}`).find(existsSync)
    test.skipIf(path === undefined)(`agree with ${abi}${path === undefined ? ` (skipped: no ${file})` : ''}`, () => {
      const text = readFileSync(path!, 'utf8')
      const defined = [...text.matchAll(/^#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ )?(\d+)\)?$/gm)]
      expect(defined.length).toBeGreaterThan(300)
      for (const [, name, nr] of defined)
        expect([name, syscallTable(abi).numbers.get(name!)]).toEqual([name, Number(nr)])
    })
  }

  const generic = '/usr/include/asm-generic/unistd.h'
  const has = existsSync(generic)
  test.skipIf(!has)(`agree with aarch64${has ? '' : ' (skipped: no asm-generic/unistd.h)'}`, () => {
    const text = readFileSync(generic, 'utf8')
    const direct = [...text.matchAll(/^#define (__NR(?:3264)?_\w+) (\d+)$/gm)].map(
      ([, n, v]) => [n!, Number(v)] as const,
    )
    const numbers = new Map(direct)
    for (const [, name, target] of text.matchAll(/^#define (__NR_\w+) (__NR3264_\w+)$/gm)) {
      numbers.set(name!, numbers.get(target!)!)
    }
    const notOn64Bit =
      /^__NR3264_|64$|_time64$|_syscalls$|arch_specific_syscall$|sync_file_range2$|_mmap2$|_llseek$|_64$/
    const isOurs = (name: string): boolean => syscallTable('aarch64').numbers.has(name.replace('__NR_', ''))
    const compared = [...numbers].filter(([name]) => !notOn64Bit.test(name) || isOurs(name))
    expect(compared.length).toBeGreaterThan(280)
    for (const [name, nr] of compared) {
      expect([name, syscallTable('aarch64').numbers.get(name.replace('__NR_', ''))]).toEqual([name, nr])
    }
  })
})
