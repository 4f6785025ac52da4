import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../src/errors.ts'
import type { ParsedMapping } from '../../src/syscall/mapping-text.ts'
import { parseMapping } from '../../src/syscall/parse-mapping.ts'

function parse(text: string, column: string | null = null): ParsedMapping {
  return parseMapping(text, 'own.map', column)
}

function pairsOf(parsed: ParsedMapping): [string, number][] {
  return parsed.entries.map(({ name, nr }) => [name, nr])
}

const READ_WRITE = [
  ['read', 0],
  ['write', 1],
]

describe('every form says the same', () => {
  test.each([
    ['pairs', 'read 0\nwrite 1\n'],
    ['pairs', '# kernel 6.1\n\n0 read\r\n1   write'],
    ['pairs', 'name number\nread 0x0\nwrite 0x01\n'],
    ['list', '\ufeffread\nwrite\n\n'],
    ['csv', 'name,number\nread,0\nwrite,1\n'],
    ['csv', '0;read\n1;write\n'],
    ['csv', '"number","name","comment"\n"0","read","a ""b"", c"\n1,write,\n'],
    ['tsv', 'read\t0\nwrite\t1\n'],
    ['tsv', 'Number\tName\tSince\n0\tread\tv1\n1\twrite\tv1\n'],
    ['tbl', '# comment\n0\tcommon\tread\t\t\tsys_read\n1\tcommon\twrite\n'],
    [
      'header',
      '/* generated */\n#ifndef A_H\n#define A_H\n#define __NR_read 0\n# define __NR_write 1 /* x */\n#endif\n',
    ],
    ['header', '#define SYS_read 0\n#define SYS_write 1\n#define SYS_MAXSYSCALL 2\n'],
  ])('%s: %j', (form, text) => {
    const parsed = parse(text)
    expect(parsed.form).toBe(form)
    expect(pairsOf(parsed)).toEqual(READ_WRITE)
    expect(parsed.leftOut).toEqual([])
  })
})

describe('a bare list', () => {
  test('has number 0 in its first line, and a blank line is a number without a name', () => {
    expect(parse('exit\n\nread\n').entries).toEqual([
      { name: 'exit', nr: 0, line: 1 },
      { name: 'read', nr: 2, line: 3 },
    ])
  })

  test('holds no comment: it would take a number', () => {
    expect(() => parse('exit\n# two\nread\n')).toThrow('own.map:2: "# two" is not the name of a call')
  })
})

describe('the table of the kernel', () => {
  test('rows of other ABIs are left out, and said to be', () => {
    const parsed = parse('0 common read sys_read\n13 64 rt_sigaction sys_rt_sigaction\n512 x32 rt_sigaction compat_x\n')
    expect(pairsOf(parsed)).toEqual([
      ['read', 0],
      ['rt_sigaction', 13],
    ])
    expect(parsed.leftOut).toEqual([{ line: 3, why: 'rt_sigaction: of ABI x32' }])
  })

  test('one of a 32-bit ABI alone is taken whole', () => {
    expect(pairsOf(parse('0 i386 restart_syscall sys_restart\n1\ti386\texit\tsys_exit\n'))).toEqual([
      ['restart_syscall', 0],
      ['exit', 1],
    ])
  })
})

describe('a header', () => {
  test('marker bits and bases are no part of the number', () => {
    const text = '#define __NR_read (__X32_SYSCALL_BIT + 5)\n#define __NR_write (__NR_SYSCALL_BASE+6)\n'
    expect(pairsOf(parse(text))).toEqual([
      ['read', 5],
      ['write', 6],
    ])
  })

  test('a name may stand for another macro, and what has no number is left out with its line', () => {
    const text =
      '#define __NR3264_fcntl 25\n#define __NR_fcntl __NR3264_fcntl\n#define __NR_odd FOO(1)\n#define __NR_syscalls 463\n'
    const parsed = parse(text)
    expect(pairsOf(parsed)).toEqual([['fcntl', 25]])
    expect(parsed.leftOut).toEqual([{ line: 3, why: 'odd: "FOO(1)" is not a number' }])
  })
})

describe('a table of several builds', () => {
  const builds = 'System call,Windows 7 (SP1),Windows 10 (22H2)\nNtClose,0x000c,0x000f\nNtCreateEnclave,,0x00b9\n'

  test('is asked which, and all are named', () => {
    expect(() => parse(builds)).toThrow(
      'own.map:1: it has several columns of numbers: choose one as FILE#COLUMN: "Windows 7 (SP1)", "Windows 10 (22H2)"',
    )
    expect(() => parse(builds, 'Windows 8')).toThrow(/no column "Windows 8": give one of "Windows 7/)
  })

  test('gives the numbers of one; a call that it lacks is left out', () => {
    expect(pairsOf(parse(builds, 'Windows 10 (22H2)'))).toEqual([
      ['NtClose', 15],
      ['NtCreateEnclave', 185],
    ])
    const old = parse(builds, 'Windows 7 (SP1)')
    expect(pairsOf(old)).toEqual([['NtClose', 12]])
    expect(old.leftOut).toEqual([{ line: 3, why: '"NtCreateEnclave": no number here' }])
  })
})

describe('what cannot be understood is refused with its line', () => {
  test.each([
    ['', 'own.map: it holds no name with a number'],
    ['\n \n# nothing\n', 'own.map: it holds no name with a number'],
    ['read 0\nwrite\n', 'own.map:2: expected "name number", found "write"'],
    ['read 0\nwrite 1 2\n', 'own.map:2: expected "name number"'],
    ['read 0\nwrite 4294967296\n', 'own.map:2: expected "name number"'],
    ['read 0\nwr\u001b[2Jite 1\n', 'own.map:2: "wr\\u001b[2Jite" is not the name of a call'],
    ['i386:read 0\n', 'own.map:1: "i386:read" is not the name of a call'],
    ['sys_5 6\n', 'own.map:1: sys_5 would be number 5'],
    ['name,number\nread,zero\n', 'own.map:2: "zero" is not a number'],
    ['name,kind\nread,file\n', 'own.map: no column holds numbers'],
    ['name,number\nread,0\nwrite,zero\n', 'own.map:3: "zero" is not a number'],
    ['name,number\n"read,0\n', 'own.map:2: a cell is not quoted rightly'],
    ['0,1\n2,3\n', 'own.map:1: no column holds names'],
    ['0 common read\nx common write\n', 'own.map:2: expected "number abi name"'],
    [`${'a'.repeat(300)} 1\n`, 'own.map:1: "aaaa'],
    [`read 0\n${' '.repeat(5000)}\n`, 'own.map:2: a line of more than 4096 characters'],
  ])('%j', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })
})

test('whatever the text is, it is a mapping or a FormatError with its code; nothing else happens', () => {
  const word = fc.constantFrom(
    'read',
    '0',
    '0x1',
    'common',
    '#define',
    '__NR_a',
    ',',
    '"',
    '\t',
    '\n',
    ' ',
    ';',
    '64',
    '\0',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
    fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
  )
  fc.assert(
    fc.property(text, (wanted) => {
      let parsed: ParsedMapping
      try {
        parsed = parse(wanted)
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError)
        expect((error as FormatError).code).toBe('TFP_ERR_SYSCALL_MAPPING')
        expect((error as FormatError).message).toMatch(/^[ -~]*$/)
        return
      }
      const lineCount = wanted.split(/\r?\n|\r/).length
      for (const { name, nr, line } of parsed.entries) {
        expect(name).toMatch(/^[\w.?-]+$/)
        expect(Number.isInteger(nr) && nr >= 0 && nr < 2 ** 31).toBe(true)
        expect(line >= 1 && line <= lineCount).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})
