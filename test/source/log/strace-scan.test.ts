// The reader with the native scanner tells exactly what the reader alone tells: the same events, at the same places, with the same
// counts. While a log is watched for signs of a filter the scanner follows what is opened, too; both are tried, since the watch is long.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { prefixOf } from '../../../src/source/log/scan-names.ts'
import { straceFormat } from '../../../src/source/log/strace-format.ts'
import { StraceReader } from '../../../src/source/log/strace-reader.ts'
import { linuxMapping } from '../../../src/syscall/mapping.ts'
import { tell } from './telling.ts'

const watch = vi.hoisted(() => ({ isOff: true }))

vi.mock('../../../src/source/log/strace-filter.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../../src/source/log/strace-filter.ts')>()
  class SomeSigns extends original.FilterSigns {
    override isWatching = !watch.isOff
  }
  return { ...original, FilterSigns: SomeSigns }
})

let ordinaryCount = 0

class CountingReader extends StraceReader {
  override told(...[last, callCount]: Parameters<StraceReader['told']>): void {
    super.told(last, callCount)
    ordinaryCount += callCount
  }
}

class PlainReader extends StraceReader {
  override write(chunk: Uint8Array): void {
    this.splitter.push(chunk)
    while (this.next());
  }
}

const MAPPING = linuxMapping('x86_64')
const scanned = { ...straceFormat, open: (options) => new CountingReader(options) } satisfies typeof straceFormat
const plain = { ...straceFormat, open: (options) => new PlainReader(options) } satisfies typeof straceFormat

/** How many lines the scanner told. */
function compare(log: string | Uint8Array, cuts: readonly number[] = []): number {
  ordinaryCount = 0
  const options = { mapping: MAPPING, cuts }
  expect(tell(scanned, log, options)).toEqual(tell(plain, log, options))
  return ordinaryCount
}

const PREFIXES = [
  '',
  '03:12:48 ',
  '03:12:48.112836 ',
  '1795403568.296479 ',
  '     0.000205 ',
  '03:12:48.112836 (+     0.000205) ',
  '[00007f43c6a21ad7] ',
  '[????????????????] ',
  '[  59] ',
]
const CALLS = [
  'read(3, "a", 1) = 1',
  'read(3, 0x7f, 1)                        = -1 EAGAIN (Resource temporarily unavailable)',
  'write(1, ") = 5\\n", 6) = 6',
  'close(3) = 0',
  'close(3) = 0 <0.000109>',
  'openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3</etc/hosts>',
  'mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, -1, 0) = 0x7f860f031000',
  'rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0',
  'no_such_call(1, 2) = 0',
  'syscall_0x270f(0x1) = -1 ENOSYS (Function not implemented)',
]
const LINES = [
  'read(3,  <unfinished ...>',
  '<... read resumed>"a", 1) = 1',
  'read(3, "", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
  '<... read resumed>"", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
  'nanosleep({tv_sec=1}, NULL) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)',
  'restart_syscall(<... resuming interrupted nanosleep ...>) = 0',
  'rt_sigaction(SIGALRM, {sa_handler=0x559f9197a289, sa_mask=[], sa_flags=0}, NULL, 8) = 0',
  '--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---',
  'rt_sigreturn({mask=[]}) = 0',
  'rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)',
  'execve("/bin/true", ["true"], 0x7fff /* 3 vars */) = 0',
  'execve("/bin/true", ["true"], 0x7fff /* 3 vars */ <unfinished ...>',
  '<... execve resumed>) = 0',
  'clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 9',
  'clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88 <unfinished ...>',
  '<... clone3 resumed>) = 8',
  'kill(8, SIGKILL) = 0',
  'exit_group(0) = ?',
  '+++ exited with 0 +++',
  '+++ killed by SIGKILL +++',
  '+++ superseded by execve in pid 8 +++',
  '[ Process PID=8 runs in 32 bit mode. ]',
  '???( <unfinished ...>',
  '<... ??? resumed>) = ?',
  'wait4(9, strace: Process 9 attached',
  'openat(AT_FDCWD, "/etc/hosts", O_RDONLY <unfinished ...>',
  '<... openat resumed>) = 3',
  '<... openat resumed>) = -1 ENOENT (No such file or directory)',
  'close(3 <unfinished ...>',
  '<... close resumed>) = 0',
  'close(-1) = -1 EBADF (Bad file descriptor)',
  'socket(AF_INET, SOCK_STREAM, 0) = 1023',
  'socket(AF_INET, SOCK_STREAM, 0) = 1024<socket:[7]>',
  'close(1023) = 0',
  'close(1024<socket:[7]>) = 0',
  'close_range(3, 4294967295, 0) = 0',
  'gettid() = 7',
]
const BARE = [
  'strace: Process 9 attached',
  ' <unfinished ...>',
  '',
  ', child_tidptr=0x7f) = 9',
  ' > /usr/lib/libc.so(x+1) [0x1]',
]

/** A log whose lines all have the prefix that a run of strace gives them, now and then something else between them. */
const logs = fc
  .record({
    prefix: fc.constantFrom(...PREFIXES),
    hasColumn: fc.boolean(),
    end: fc.constantFrom('\n', '\n', '\n', '\r\n'),
    lines: fc.array(
      fc.record({
        tid: fc.constantFrom(7, 7, 7, 8, 8, 9),
        kind: fc.constantFrom('call', 'call', 'call', 'call', 'line', 'line', 'bare'),
        pick: fc.nat(1000),
      }),
      { minLength: 20, maxLength: 150 },
    ),
  })
  .map(({ prefix, hasColumn, end, lines }) => {
    const pick = (list: readonly string[], index: number): string => list[index % list.length] as string
    return lines
      .map(({ tid, kind, pick: index }) => {
        if (kind === 'bare') return pick(BARE, index) + end
        const pid = hasColumn ? `${tid}     ` : index % 3 === 0 ? '' : `[pid     ${tid}] `
        return pid + prefix + pick(kind === 'call' ? CALLS : LINES, index) + end
      })
      .join('')
  })

describe.each([{ isOff: true }, { isOff: false }])('with the scanner as without it, watch off: $isOff', ({ isOff }) => {
  beforeEach(() => {
    watch.isOff = isOff
  })

  test('most of a long log is told by the scanner', () => {
    const start = '7     execve("/bin/a", ["a"], 0x7f /* 3 vars */) = 0\n7     brk(NULL) = 0x55f470d92000\n'
    const lines = CALLS.map((call) => `7     ${call}\n`).join('')
    // The first line of each name is read by the reader.
    const nameCount = new Set(CALLS.map((call) => call.replace(/\(.*/, ''))).size
    expect(compare(start + lines.repeat(50))).toBe(50 * CALLS.length - nameCount)
  })

  test('nobody has the tid 0, whatever lines without one say', () => {
    const fork = 'clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8\n'
    compare(`${fork}+++ superseded by execve in pid 8 +++\ngetpid() = 7\n${fork}`)
  })

  test('the end of the watch is at the same call', () => {
    const start = '7     execve("/bin/a", ["a"], 0x7f /* 3 vars */) = 0\n7     brk(NULL) = 0x55f470d92000\n'
    const opening = '7     openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3\n'
    // The second opening of a descriptor that was not closed is a sign, while calls are watched.
    for (const count of [19_990, 19_995, 20_000, 20_005])
      compare(`${start}${opening}${'7     getpid() = 7\n'.repeat(count)}${opening}${opening}`)
  })

  test('threads, signals, births and ends may come in any order, and any of them be missing', () => {
    let count = 0
    fc.assert(
      fc.property(logs, fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }), (log, cuts) => {
        count += compare(log, cuts)
      }),
      { numRuns: 400 },
    )
    expect(count).toBeGreaterThan(isOff ? 1000 : 200)
  })

  test('bytes of a log may be any others', () => {
    const bytes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(logs, bytes, fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }), (log, changes, cuts) => {
        const changed = Buffer.from(log)
        for (const [at, byte] of changes) changed[at % changed.length] = byte
        compare(changed, cuts)
      }),
      { numRuns: 400 },
    )
  })

  const folder = path.join(import.meta.dirname, '../../fixtures/strace')
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^(?!c\.).*\.log/.test(name)) : []
  test.each(names)('%s', (name) => {
    const log = readFileSync(path.join(folder, name))
    compare(log)
    compare(log, [1000, 7, 301])
    // A log read twice: the second half finds names, prefix and threads known.
    compare(Buffer.concat([log, log]))
  })
})

test('the form of a prefix is known where the scanner has it', () => {
  const none = { pid: 'bracket', time: 'none', hasDelta: false, hasPointer: false }
  expect(prefixOf('')).toEqual(none)
  expect(prefixOf('[pid  5925] ')).toEqual(none)
  expect(prefixOf('5910  03:12:48.112836 ')).toEqual({ ...none, pid: 'column', time: 'clock' })
  expect(prefixOf('6324<demo> ')).toEqual({ ...none, pid: 'column' })
  expect(prefixOf('1795403568.296479 ')).toEqual({ ...none, time: 'epoch' })
  expect(prefixOf('5935  1795403568.296479 ')).toEqual({ ...none, pid: 'column', time: 'epoch' })
  expect(prefixOf('5965       0.000170 ')).toEqual({ ...none, pid: 'column', hasDelta: true })
  expect(prefixOf('     0.000170 ')).toEqual({ ...none, hasDelta: true })
  expect(prefixOf('03:12:48.725427 (+     0.000251) [00007f43c6a21ad7] ')).toEqual({
    pid: 'bracket',
    time: 'clock',
    hasDelta: true,
    hasPointer: true,
  })
  expect(prefixOf('6049  [  59] ')).toBeUndefined()
  expect(prefixOf('6049  [unconfined_u:unconfined_r:unconfined_t:s0] ')).toBeUndefined()
})
