import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ABI_CODES } from '../../src/syscall/abi.ts'
import { BUILTIN_MAPPINGS, builtinMapping, windowsMapping } from '../../src/syscall/builtin.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import { openMapping, readMappingFile } from '../../src/syscall/mapping-file.ts'
import { ntNames } from '../../src/syscall/nt-names.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-mapping-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('built-in mappings', () => {
  test('are found by name, each of them', () => {
    for (const name of BUILTIN_MAPPINGS) expect(openMapping(name).name).toBe(name)
    expect(openMapping('linux-i386')).toBe(linuxMapping('i386'))
    expect(builtinMapping('linux-sparc')).toBeUndefined()
  })
})

describe('windows-nt', () => {
  const nt = windowsMapping()

  test('the names are sorted, once each, and services of Windows', () => {
    const names = ntNames()
    expect(names).toEqual([...new Set(names)].sort())
    expect(names.every((name) => /^Nt[A-Z]\w+$/.test(name))).toBe(true)
    expect(names.length).toBeGreaterThan(500)
  })

  test('a service is its name; a number is none', () => {
    const { abi, nr } = nt.numberOf('NtCreateFile') as { abi: number; nr: number }
    expect([abi, nt.symbolOf(abi, nr)]).toEqual([ABI_CODES['windows-nt'], 'NtCreateFile'])
    expect(nt.numberOf('sys_5')).toBeUndefined()
    expect(nt.hasNumbers).toBe(false)
  })

  test('its hash is one of names: it does not say which numbers this process gave them', () => {
    expect(nt.hashOf(['NtClose', 'NtOpenFile'])).not.toBe(nt.hashOf(['NtClose']))
    expect(nt.hashOf(['NtClose'])).toBe(createHash('sha256').update('? NtClose ?\n').digest('hex'))
  })
})

describe("a user's own", () => {
  test('has the name of its file and an ABI of its own', () => {
    const mapping = openMapping(file('sunos4.map', 'exit 1\nread 3\n'))
    expect([mapping.name, mapping.nativeAbi]).toEqual(['sunos4', 'user'])
    expect(mapping.symbolOf(ABI_CODES.user, 3)).toBe('read')
    expect(mapping.symbolOf(ABI_CODES.user, 4)).toBe('sys_4')
    expect(mapping.numberOf('exit')).toEqual({ abi: ABI_CODES.user, nr: 1 })
  })

  test('another numbering has another hash, although the names are the same', () => {
    const [a, b] = [openMapping(file('a.map', 'exit 1\nread 3\n')), openMapping(file('b.map', 'exit 0\nread 2\n'))]
    expect(a.hashOf(['read'])).not.toBe(b.hashOf(['read']))
    expect(a.hashOf(['read'])).not.toBe(linuxMapping('i386').hashOf(['read']))
  })

  test('never has the name of a built-in one', () => {
    expect(openMapping(file('linux-i386.map', 'read 3\n')).name).toBe('linux-i386 (file)')
  })

  test('a column of it is part of the name; a # in the name of a file is none', () => {
    const builds = 'name,7,10\nNtClose,12,15\n'
    const mapping = openMapping(`${file('nt.csv', builds)}#10`)
    expect([mapping.name, mapping.symbolOf(ABI_CODES.user, 15)]).toEqual(['nt#10', 'NtClose'])
    expect(openMapping(file('own#2.map', 'read 3\n')).name).toBe('own#2')
  })

  test('two names of one number are one symbol', () => {
    const { mapping, notes } = readMappingFile(file('alias.map', 'umount 22\numount2 22\numount 22\n'))
    expect(mapping.numberOf('umount2')).toEqual({ abi: ABI_CODES.user, nr: 22 })
    expect(mapping.symbolOf(ABI_CODES.user, 22)).toBe('umount')
    expect(notes).toEqual(['line 2: number 22 is umount already; umount2 is taken for the same call'])
  })

  test('two numbers of one name are two symbols, and both are told apart in both directions', () => {
    const { mapping, notes } = readMappingFile(file('twice.map', 'stat\nlseek\nstat\n'))
    expect([mapping.symbolOf(ABI_CODES.user, 0), mapping.symbolOf(ABI_CODES.user, 2)]).toEqual(['stat', 'stat#2'])
    expect([mapping.numberOf('stat')?.nr, mapping.numberOf('stat#2')?.nr]).toEqual([0, 2])
    expect(notes).toEqual(['line 3: stat has number 0 already; 2 is the symbol stat#2'])
  })

  test('numbers far apart cost no memory between them', () => {
    const mapping = openMapping(file('far.map', 'near 1\nfar 2147483647\n'))
    expect(mapping.symbolOf(ABI_CODES.user, 2147483647)).toBe('far')
    expect(mapping.symbolOf(ABI_CODES.user, 2147483646)).toBe('sys_2147483646')
  })

  test('what is not there names the way out; what cannot be read names the file', () => {
    expect(() => openMapping(join(folder, 'none.map'))).toThrow(/none\.map: there is no such file.*linux-x86_64/)
    expect(() => openMapping(folder)).toThrow(expect.objectContaining({ code: 'TFP_ERR_FILE' }))
    const bad = file('bad.map', 'read 0\nwrite\n')
    expect(() => openMapping(bad)).toThrow(`${bad}:2: expected "name number"`)
  })
})
