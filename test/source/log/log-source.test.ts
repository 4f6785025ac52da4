// Logs as files: packed, growing, rotated, in sets, in folders; and how their format is found.

import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { findFormat } from '../../../src/source/log/formats.ts'
import { openLogBytes } from '../../../src/source/log/log-bytes.ts'
import type { LogCounts } from '../../../src/source/log/log-reader.ts'
import { logInputsOf } from '../../../src/source/log/log-sets.ts'
import { openLog } from '../../../src/source/log/log-source.ts'
import { linuxMapping } from '../../../src/syscall/mapping.ts'
import { namingMapping } from '../../../src/syscall/naming.ts'
import { writerOf } from './telling.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-logs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const START = '10 execve("/bin/x", ["x"], NULL) = 0\n10 brk(NULL) = 0x562c74602000\n'
const BEGUN = ['birth 10 of 0 in 10 exec', 'exec 10 /bin/x', '10 brk']

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

interface Read {
  readonly events: string[]
  readonly ended: { readonly counts: LogCounts; readonly cut: string | null }[]
  readonly done: Promise<void>
}

function read(path: string, follow?: AbortSignal): Read {
  const naming = namingMapping(linuxMapping('x86_64'))
  const events: string[] = []
  const ended: { counts: LogCounts; cut: string | null }[] = []
  const run = async (): Promise<void> => {
    const [input] = await logInputsOf([path], { format: 'auto', ...(follow === undefined ? {} : { follow }) })
    const log = await input?.open()
    await log?.read({
      mapping: naming,
      inOrder: false,
      begin: () => writerOf(naming, events, () => {}),
      end: (counts, cut) => void ended.push({ counts, cut }),
    })
  }
  return { events, ended, done: run() }
}

describe('packed logs', () => {
  const lines = START + '10 getuid() = 0\n'.repeat(2000)

  test('gzip is unpacked, whatever the file is called, and so are several of them in one file', async () => {
    const half = Math.floor(lines.length / 2)
    const packed = Buffer.concat([gzipSync(lines.slice(0, half)), gzipSync(lines.slice(half))])
    const log = read(file('packed.log', packed))
    await log.done
    expect(log.events).toHaveLength(BEGUN.length + 2000)
    expect(log.ended).toMatchObject([{ cut: null, counts: { lineCount: 2002, unparsedLineCount: 0 } }])
  })

  const hasZstd = spawnSync('zstd', ['--version']).status === 0
  test.skipIf(!hasZstd)('zstd is unpacked', async () => {
    const path = file('plain.log', lines)
    spawnSync('zstd', ['-q', '-f', path, '-o', `${path}.zst`])
    const log = read(`${path}.zst`)
    await log.done
    expect(log.events).toHaveLength(BEGUN.length + 2000)
  })

  test('a packed log that was cut off is read as far as it goes, and says so', async () => {
    const noise = Array.from({ length: 3000 }, (_, index) => `10 getuid() = ${index * 7919}\n`).join('')
    const packed = gzipSync(START + noise)
    const log = read(file('cut.gz', packed.subarray(0, packed.length / 2)))
    await log.done
    expect(log.events.length).toBeGreaterThan(BEGUN.length)
    expect(log.ended).toMatchObject([{ cut: 'the packed file was cut off' }])
  })

  test('what is no packed file behind its first bytes is an error', async () => {
    const bytes = Buffer.concat([gzipSync(START).subarray(0, 10), Buffer.alloc(1000, 0xff)])
    await expect(read(file('broken.gz', bytes)).done).rejects.toMatchObject({ code: 'TFP_ERR_FILE' })
  })
})

describe('the bytes of a file', () => {
  test('come in chunks that end with a line, unless a line is long; none is lost', async () => {
    const lengths = Array.from({ length: 30_000 }, (_, index) => (index % 1000 === 7 ? 5000 + index : index % 90))
    const text = `${lengths.map((length, index) => `${index} ${'x'.repeat(length)}`).join('\n')}\nno end`
    const { chunks } = await openLogBytes(file('chunks.log', text), 'chunks.log')
    let told = ''
    let wholeCount = 0
    let chunkCount = 0
    for await (const chunk of chunks) {
      told += Buffer.from(chunk).toString('latin1')
      chunkCount += 1
      if (chunk.at(-1) === 10) wholeCount += 1
    }
    expect(told === text).toBe(true)
    expect(chunkCount).toBeGreaterThan(5)
    expect(wholeCount).toBeGreaterThan(chunkCount / 2)
  })

  test.each(['a', 'a\n', '\n', `${'x'.repeat(5000)}`])('a small file is told whole: case %#', async (text) => {
    const { chunks } = await openLogBytes(file('small.log', text), 'small.log')
    const all: Buffer[] = []
    for await (const chunk of chunks) all.push(Buffer.from(chunk))
    expect(Buffer.concat(all).toString()).toBe(text)
  })
})

describe('logs that are still being written', () => {
  test('lines are told as they come; a rotated file is read to its end, then the new one; an emptied one anew', async () => {
    const path = file('growing.log', START)
    const stopping = new AbortController()
    const log = read(path, stopping.signal)
    const come = (event: string): Promise<void> => vi.waitFor(() => expect(log.events).toContain(event), 10_000)
    await come('10 brk')
    appendFileSync(path, '10 getuid() = 0\n10 getg')
    await come('10 getuid')
    appendFileSync(path, 'id() = 0\n')
    await come('10 getgid')
    appendFileSync(path, '10 geteuid() = 0\n')
    renameSync(path, `${path}.old`)
    writeFileSync(path, '10 getegid() = 0\n')
    await come('10 getegid')
    truncateSync(path)
    await new Promise((resolve) => setTimeout(resolve, 500))
    appendFileSync(path, '10 sync() = 0\n')
    await come('10 sync')
    stopping.abort()
    await log.done
    const calls = ['getuid', 'getgid', 'geteuid', 'getegid'].map((name) => `10 ${name}`)
    expect(log.events).toEqual([...BEGUN, ...calls, 'gap 0', 'note log_emptied inconclusive', '10 sync'])
    expect(log.ended).toHaveLength(1)
  })

  test('what is left of a line when its file is rotated is no beginning of the next one', async () => {
    const path = file('halves.log', START)
    const stopping = new AbortController()
    const log = read(path, stopping.signal)
    const come = (event: string): Promise<void> => vi.waitFor(() => expect(log.events).toContain(event), 10_000)
    appendFileSync(path, '10 getuid() = 0\n10 getppid(')
    await come('10 getuid')
    renameSync(path, `${path}.old`)
    writeFileSync(path, '10 getegid() = 0\n10 umask(')
    await come('10 getegid')
    truncateSync(path)
    await new Promise((resolve) => setTimeout(resolve, 500))
    appendFileSync(path, '10 sync() = 0\n')
    await come('10 sync')
    stopping.abort()
    await log.done
    const calls = ['brk', 'getuid', 'getppid', 'getegid', 'umask', 'sync'].map((name) => `10 ${name}`)
    expect(log.events.filter((event) => event.startsWith('10 '))).toEqual(calls)
  })

  test('a file that was emptied between two looks is read anew behind a gap, however long it is again', async () => {
    const path = file('emptied.log', `${START}10 read(3,  <unfinished ...>\n11 getu`)
    const stopping = new AbortController()
    const log = read(path, stopping.signal)
    await vi.waitFor(() => expect(log.events).toContain('10 read'), 10_000)
    writeFileSync(path, `10 sync() = 0\n${'10 getgid() = 0\n'.repeat(1000)}10 geteuid() = 0\n`)
    await vi.waitFor(() => expect(log.events).toContain('10 geteuid'), 10_000)
    truncateSync(path)
    stopping.abort()
    await log.done
    const calls = [...Array<string>(1000).fill('10 getgid'), '10 geteuid']
    const gap = ['gap 0', 'note log_emptied inconclusive']
    expect(log.events).toEqual([...BEGUN, '10 read', ...gap, '10 sync', ...calls, ...gap])
    expect(log.ended).toMatchObject([{ counts: { unparsedLineCount: 1 } }])
  })

  test('whoever writes to an emptied file may go on where it stood: the zeros before that are no line', async () => {
    const path = file('hole.log', START)
    const stopping = new AbortController()
    const log = read(path, stopping.signal)
    await vi.waitFor(() => expect(log.events).toContain('10 brk'), 10_000)
    const writer = openSync(path, 'r+')
    truncateSync(path)
    writeSync(writer, '10 sync() = 0\n', 3_000_000)
    closeSync(writer)
    await vi.waitFor(() => expect(log.events).toContain('10 sync'), 10_000)
    stopping.abort()
    await log.done
    expect(log.events).toEqual([...BEGUN, 'gap 0', 'note log_emptied inconclusive', '10 sync'])
    expect(log.ended).toMatchObject([{ counts: { unparsedLineCount: 0 } }])
  })

  test('a pipe in the place of a file is not waited for', async () => {
    const path = file('piped.log', START)
    const stopping = new AbortController()
    const log = read(path, stopping.signal)
    await vi.waitFor(() => expect(log.events).toContain('10 brk'), 10_000)
    rmSync(path)
    expect(spawnSync('mkfifo', [path]).status).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 500))
    stopping.abort()
    await log.done
    expect(log.ended).toHaveLength(1)
  })

  test('only a file can be followed', async () => {
    await expect(read(folder, new AbortController().signal).done).rejects.toMatchObject({ code: 'TFP_ERR_FILE' })
  })
})

describe('sets of files', () => {
  test('an exec by a thread: the files of both are read before it is told', async () => {
    file(
      'set.20',
      [
        'execve("/bin/x", ["x"], NULL) = 0',
        'brk(NULL) = 0x562c74602000',
        'clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND) = 21',
        'pause( <unfinished ...>',
        '+++ superseded by execve in pid 21 +++',
        '<... execve resumed>) = 0',
        'exit_group(0) = ?',
        '+++ exited with 0 +++',
        '',
      ].join('\n'),
    )
    file('set.21', 'getuid() = 0\nexecve("/bin/y", ["y"], NULL <pid changed to 20 ...>\n')
    const naming = namingMapping(linuxMapping('x86_64'))
    const events: string[] = []
    const inputs = await logInputsOf([join(folder, 'set.21'), join(folder, 'set.20')], { format: 'auto' })
    expect(inputs).toHaveLength(1)
    const log = await inputs[0]?.open()
    const begin = (): ReturnType<typeof writerOf> => writerOf(naming, events, () => {})
    await log?.read({ mapping: naming, inOrder: false, begin, end: () => {} })
    expect(events).toEqual([
      'birth 20 of 0 in 20 exec',
      'exec 20 /bin/x',
      '20 brk',
      '20 clone',
      'birth 21 of 20 in 20 thread',
      '20 pause',
      '21 getuid',
      '21 execve',
      'exec 20 was 21 /bin/y',
      '20 exit_group',
      'exit 20 0',
    ])
  })

  const ROOT = 'execve("/bin/x", ["x"], NULL) = 0\nbrk(NULL) = 0x562c74602000\nfork() = 31\n'

  async function readSet(paths: readonly string[]) {
    const naming = namingMapping(linuxMapping('x86_64'))
    const [events, ended]: [string[], { counts: LogCounts; cut: string | null }[]] = [[], []]
    const [input, ...others] = await logInputsOf(paths, { format: 'auto' })
    expect(others).toEqual([])
    const log = await input?.open()
    const begin = (): ReturnType<typeof writerOf> => writerOf(naming, events, () => {})
    const end = (counts: LogCounts, cut: string | null): void => void ended.push({ counts, cut })
    const failed = await log?.read({ mapping: naming, inOrder: false, begin, end }).catch(String)
    return { events, ended, failed }
  }

  test('a packed file of a set that was cut off is said', async () => {
    const packed = gzipSync(`getuid() = 0\n${Array.from({ length: 5000 }, (_, i) => `read(${i}) = ${i}\n`).join('')}`)
    const paths = [file('torn.30', ROOT), file('torn.31.gz', packed.subarray(0, 6000))]
    const { events, ended } = await readSet(paths)
    expect(events).toContain('31 getuid')
    expect(ended).toMatchObject([{ cut: expect.stringMatching(/torn\.31\.gz: the packed file was cut off/) }])
  })

  test('of a set with a damaged file what was told stands', async () => {
    const packed = gzipSync(`getuid() = 0\n${Array.from({ length: 5000 }, (_, i) => `read(${i}) = ${i}\n`).join('')}`)
    packed.fill(0x55, 6000, 6050)
    const { ended, failed } = await readSet([file('spoilt.30', ROOT), file('spoilt.31.gz', packed)])
    expect(failed).toMatch(/spoilt\.31\.gz: it could not be unpacked/)
    expect(ended).toMatchObject([{ cut: 'it could not be read to its end', counts: { unparsedLineCount: 0 } }])
    expect(ended[0]?.counts.lineCount).toBeGreaterThanOrEqual(3)
  })

  test('a file that is not there is a log of its own, whose failure is not that of the others', async () => {
    const paths = [join(folder, 'nothing.7'), file('there.log', START)]
    const inputs = await logInputsOf(paths, { format: 'auto' })
    expect(inputs.map(({ name }) => name)).toEqual(paths)
    await expect(inputs[0]?.open()).rejects.toMatchObject({ code: 'TFP_ERR_FILE' })
  })

  test('a log with pids in its lines is a log of its own, also when a number ends its name', async () => {
    const paths = [file('rotated.1', START), file('rotated.2', START)]
    expect(await logInputsOf(paths, { format: 'auto' })).toHaveLength(2)
  })
})

describe('the format of a log', () => {
  test.each([
    ['strace', START],
    ['strace', 'read(3, "a", 1) = 1\n'],
    ['nttrace', "NtClose( Handle=0x38 ) => 0\nNtOpenKey( KeyHandle=0x1 ) => 0xc0000034 [2 'x']\n"],
    ['numbers', '6 6 63 6 42 120\n'],
    ['numbers', '552 5\n552 3\n'],
  ])('%s is found', (name, text) => {
    expect(findFormat(Buffer.from(text), 'auto', 'x').format.name).toBe(name)
  })

  test.each([
    ['words', 'hello, world\nhow are you\n'],
    ['nothing', ''],
    ['zeros', '\0'.repeat(1000)],
  ])('%s are none', (_, text) => {
    expect(() => findFormat(Buffer.from(text), 'auto', 'x')).toThrow(
      expect.objectContaining({ code: 'TFP_ERR_SOURCE_FORMAT' }),
    )
  })

  test('a folder and a file that is not there are said', async () => {
    await expect(openLog(folder, { format: 'auto' })).rejects.toThrow(/folder/)
    await expect(openLog(join(folder, 'nothing'), { format: 'auto' })).rejects.toMatchObject({ code: 'TFP_ERR_FILE' })
  })
})
