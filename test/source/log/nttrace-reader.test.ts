import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TracefpError } from '../../../src/errors.ts'
import { nttraceFormat } from '../../../src/source/log/nttrace-format.ts'
import { windowsMapping } from '../../../src/syscall/builtin.ts'
import { namingMapping } from '../../../src/syscall/naming.ts'
import { type Told, tell } from './telling.ts'

const mapping = windowsMapping()

function read(...lines: readonly string[]): Told {
  return tell(nttraceFormat, lines.map((line) => `${line}\r\n`).join(''), { mapping })
}

/** What was told of a log without processes: one track, joined. */
function callsIn(told: Told): string[] {
  return told.events.flatMap((event) => (/^1 /.test(event) ? [event.slice(2)] : []))
}

describe('calls', () => {
  test('of both spellings, with and without names of arguments, with any result', () => {
    const told = read(
      'NtClose( Handle=0xa4 ) => 0',
      "NtClose(Handle=0xa4) => 0xc0000008 [6 'The handle is invalid.']",
      'NtCreateEvent(0x7ffb156fa478 [8], DELETE|0x3, null, 0 [NotificationEvent], false) => 0',
      'NtDelayExecution(0, 0) => 0x0000010200000001',
      'NtTestAlert() => -9',
    )
    expect(callsIn(told)).toEqual(['NtClose', 'NtClose', 'NtCreateEvent', 'NtDelayExecution', 'NtTestAlert'])
    expect(told.counts).toEqual({ lineCount: 5, unparsedLineCount: 0, firstUnparsed: [], unknownNameCount: 0 })
    expect(told.places).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5'])
  })

  test('are one symbol whether written with Nt, with Zw or with neither', () => {
    expect(callsIn(read('ZwClose(1) => 0', 'NtClose(1) => 0'))).toEqual(['NtClose', 'NtClose'])
    expect(callsIn(read('Close( 1 ) => 0', 'QueryAttributesFile( 1 ) => 0'))).toEqual([
      'NtClose',
      'NtQueryAttributesFile',
    ])
  })

  test('without Nt are none in a log that writes it', () => {
    const told = read('NtClose(1) => 0', 'Compute(1) => 0', 'NtClose(1) => 0')
    expect(callsIn(told)).toEqual(['NtClose', 'NtClose'])
    expect(told.counts.firstUnparsed).toEqual([{ line: 2, text: 'Compute(1) => 0' }])
  })

  test('that no list knows are symbols of their own, and counted once each', () => {
    const told = read('NtUserGetMessage(1) => 0', 'NtUserGetMessage(1) => 0', 'NtFrobnicate(1) => 0')
    expect(callsIn(told)).toEqual(['NtUserGetMessage', 'NtUserGetMessage', 'NtFrobnicate'])
    expect(told.counts.unknownNameCount).toBe(2)
  })

  test('have their time behind the line number', () => {
    const told = read(': NtClose(1) => 0', '+0.015: NtClose(1) => 0', '>999s: NtClose(1) => 0', '<0: NtClose(1) => 0')
    expect(told.places).toEqual(['line 1', 'line 2 at +0.015', 'line 3 at >999s', 'line 4 at <0'])
    const both = read('10:11:12.345 : NtClose(1) => 0', '10:11:12.345 +1.002: [ 104/ 208] NtClose(1) => 0')
    expect(both.places).toEqual(['line 1 at 10:11:12.345', 'line 2 at 10:11:12.345 +1.002'])
  })
})

describe('strings, which are not escaped', () => {
  test('may hold what looks like a result: the last one counts', () => {
    expect(callsIn(read('NtOpenFile(1, "a) => 0", "b\\") => 0xc0000034 [2 \'no ) => here\']'))).toEqual(['NtOpenFile'])
  })

  test('may hold line breaks: the call is one', () => {
    const told = read('NtWriteFile(4, "first', 'second, NtClose', '', 'third") => 0', 'NtClose(1) => 0')
    expect(callsIn(told)).toEqual(['NtWriteFile', 'NtClose'])
    expect(told.counts).toMatchObject({ lineCount: 5, unparsedLineCount: 0 })
  })

  test('of errors may hold line breaks too', () => {
    const told = read("NtClose(1) => 0xc0000008 [6 'first", 'second', "third']", 'NtClose(1) => 0')
    expect(callsIn(told)).toEqual(['NtClose', 'NtClose'])
    expect(told.counts.unparsedLineCount).toBe(0)
  })

  test('a call that another begins in is not understood, line by line, and a gap', () => {
    const told = read('NtWriteFile(4, "first', 'second', 'NtClose(1) => 0')
    expect(told.events).toEqual(['birth 1 of 0 in 1 join', 'gap 1 of 1', '1 NtClose', 'note one_track'])
    expect(told.counts.firstUnparsed).toEqual([
      { line: 1, text: 'NtWriteFile(4, "first' },
      { line: 2, text: 'second' },
    ])
  })

  test('a log that breaks off within a call still says which it was', () => {
    const told = tell(nttraceFormat, 'NtClose(1) => 0\nNtWriteFile(4, "fir', { mapping })
    expect(callsIn(told)).toEqual(['NtClose', 'NtWriteFile'])
    expect(told.counts.unparsedLineCount).toBe(0)
  })

  test('arguments that could not be read leave the call a call', () => {
    expect(callsIn(read('NtWriteFile(read error: 299', 'NtClose(1) => 0'))).toEqual(['NtWriteFile', 'NtClose'])
  })
})

describe('text of the program', () => {
  test('without a line break stands before the call', () => {
    const told = read('C:\\WWW>NtWriteFile(FileHandle=4) => 0', 'fooZwClose( 1 ) => 0', 'x[ 104/ 208] NtClose(1) => 0')
    expect(told.events.filter((event) => / Nt/.test(event))).toEqual(['1 NtWriteFile', '1 NtClose', '208 NtClose'])
    expect(told.counts.unparsedLineCount).toBe(0)
  })

  test('without a line break stands before an end', () => {
    expect(read('Process 8 starting at 40', 'NtClose(1) => 0', 'byeProcess 8 exit code: 3').events.at(-2)).toBe(
      'exit 8 3',
    )
  })

  test('on lines of its own is counted and shown', () => {
    const told = read('NtClose(1) => 0', 'hello', 'NtClose(1) => 0', 'total: 3', '[x]', 'a.exe + 0x12 main')
    expect(callsIn(told)).toHaveLength(2)
    expect(told.counts.firstUnparsed.map(({ text }) => text)).toEqual(['hello', 'total: 3', '[x]', 'a.exe + 0x12 main'])
  })

  test('under -nl has the prefix that only NtTrace writes', () => {
    expect(read('[ 104/ 208] NtClose(1) => 0', '[ 104/ 208] any words').counts.unparsedLineCount).toBe(0)
  })
})

describe('-pre', () => {
  test('each call is told once, where it was entered', () => {
    const told = read(
      '[ 104/ 208] NtWaitForSingleObject(0x10) ...',
      '[ 104/ 212] NtClose(1) ...',
      '[ 104/ 212] NtClose(1) => 0',
      '[ 104/ 208] NtWaitForSingleObject(0x10) => 0',
      '[ 104/ 208] NtTerminateProcess(-1, 0) ...',
    )
    expect(told.events.filter((event) => / Nt/.test(event))).toEqual([
      '208 NtWaitForSingleObject',
      '212 NtClose',
      '208 NtTerminateProcess',
    ])
    expect(nttraceFormat.order(Buffer.from('NtClose(1) ...\nNtClose(1) => 0\n'))).toBe('entry')
    expect(nttraceFormat.order(Buffer.from('NtClose(1) => 0\n'))).toBe('return')
  })

  test('a call entered within a call of the same name is another one', () => {
    const told = read('NtClose(1) ...', 'NtClose(2) ...', 'NtClose(2) => 0', 'NtClose(1) => 0', 'NtClose(3) ...')
    expect(callsIn(told)).toEqual(['NtClose', 'NtClose', 'NtClose'])
  })

  test('arguments that cannot be read are said twice of one call', () => {
    expect(
      callsIn(read('NtClose(1) ...', 'NtClose(1) => 0', 'NtWriteFile(read error: 299', 'NtWriteFile(read error: 299')),
    ).toEqual(['NtClose', 'NtWriteFile'])
  })

  test('that begins in the middle of a log makes two orders: a gap, and no verdict of authentic', () => {
    const told = read('NtClose(1) => 0', 'NtOpenFile(1) ...', 'NtOpenFile(1) => 0')
    expect(told.events.slice(1, 5)).toEqual(['1 NtClose', 'note mixed_order inconclusive', 'gap 0', '1 NtOpenFile'])
  })
})

describe('processes and threads', () => {
  test('with -pid -tid each thread is a track, and a child has the parent that made it', () => {
    const told = read(
      '[ 104/ 208] Process 104 starting at 00007FF7F3DE1267 with command line: "C:\\a b.exe" -x',
      'C:\\a b.exe',
      '[ 104/ 208] Loaded DLL at 00007FFB15590000 C:\\Windows\\SYSTEM32\\ntdll.dll',
      '[ 104/ 208] Initial breakpoint',
      '[ 104/ 212] Created thread: 212 at 00007FFB155E5F40',
      '[ 104/ 212] NtCreateUserProcess(1) => 0',
      '[ 300/ 304] Process 300 starting at 00007FF7F3DE1267 with command line: child',
      'C:\\child.exe',
      '[ 300/ 304] NtClose(1) => 0',
      '[ 104/ 212] Thread 212 exit code: 0',
      '[ 300/ 304] Process 300 exit code: 3221225477',
      '[ 104/ 208] Process 104 exit code: 0',
    )
    expect(told.events).toEqual([
      'birth 208 of 0 in 104 exec',
      'exec 208 C:\\a b.exe',
      'birth 212 of 208 in 104 thread',
      '212 NtCreateUserProcess',
      'birth 304 of 212 in 300 fork',
      'exec 304 C:\\child.exe',
      '304 NtClose',
      'exit 212 0',
      'exit 304 3221225477',
      'exit 208 0',
    ])
    expect(told.counts.unparsedLineCount).toBe(0)
  })

  test('with -pid alone a second thread marks the session', () => {
    const told = read(
      '[ 104] Process 104 starting at 40',
      'C:\\a.exe',
      '[ 104] Created thread: 212 at 40',
      '[ 104] NtClose(1) => 0',
    )
    expect(told.events).toEqual([
      'birth 104 of 0 in 104 exec',
      'exec 104 C:\\a.exe',
      'note threads_mixed inconclusive',
      '104 NtClose',
    ])
  })

  test('with -tid alone threads are told apart, and a second process marks the session', () => {
    const told = read(
      '[ 208] Process 104 starting at 40',
      'C:\\a.exe',
      '[ 212] Created thread: 212 at 40',
      '[ 212] NtClose(1) => 0',
      '[ 304] Process 300 starting at 40',
      'C:\\b.exe',
    )
    expect(told.events).toEqual([
      'birth 208 of 0 in 104 exec',
      'exec 208 C:\\a.exe',
      'birth 212 of 208 in 104 thread',
      '212 NtClose',
      'note processes_mixed inconclusive',
    ])
  })

  test('with neither, one process is one track, and it is said; a second one marks the session, unless one sequence is wanted', () => {
    const one = read('Process 104 starting at 40', 'C:\\a.exe', 'NtClose(1) => 0', 'Process 104 exit code: 0')
    expect(one.events).toEqual([
      'birth 104 of 0 in 104 exec',
      'exec 104 C:\\a.exe',
      '104 NtClose',
      'exit 104 0',
      'note one_track',
    ])
    const two = read(
      'Process 104 starting at 40',
      'C:\\a.exe',
      'Process 300 starting at 40',
      'C:\\b.exe',
      'NtClose(1) => 0',
    )
    expect(two.events.slice(2)).toEqual(['note processes_mixed inconclusive', '104 NtClose'])
    const log = 'Process 104 starting at 40\nC:\\a.exe\nProcess 300 starting at 40\nC:\\b.exe\n'
    expect(tell(nttraceFormat, log, { mapping, inOrder: true }).events.at(-1)).toBe('note processes_mixed')
  })

  test('a process without a path has the name of its command line, and one without either is joined', () => {
    expect(read('Process 8 starting at 40 with command line "cmd"', 'NtClose(1) => 0').events[1]).toBe('exec 8 cmd')
    expect(read('Process 8 starting at 40 with command line: "C:\\a b.exe" x', 'NtClose(1) => 0').events[1]).toBe(
      'exec 8 C:\\a b.exe',
    )
    expect(read('Process 8 starting at 40', 'NtClose(1) => 0').events.slice(0, 2)).toEqual([
      'birth 8 of 0 in 8 join',
      '8 NtClose',
    ])
  })

  test('a thread that was not born in the log is joined', () => {
    expect(read('[ 104/ 208] NtClose(1) => 0').events).toEqual(['birth 208 of 0 in 104 join', '208 NtClose'])
  })
})

test('every other line of NtTrace is understood and is no call', () => {
  const told = read(
    'NtClose(1) => 0',
    'Loaded DLL at 77F40000 ntdll.dll',
    'Loaded DLL at 0000000000000000 Null DLL',
    'Unload of DLL at 77F40000',
    'Unload of DLL at 77F40000 (C:\\Windows\\x.dll)',
    'Initial breakpoint',
    'Breakpoint at 00007FFB15590000 (first chance)',
    'WOW64 initialised',
    'Access violation at 00007FFB15590000: Write to 0000000000000000 (last chance)',
    'C++ exception at 00007FFB15590000',
    'C++ exception at 00007FFB15590000 rethrow',
    'C++ exception at 00007FFB15590000 type: class std::exception',
    'CLR exception, HR: 80131500',
    'CLR Notification: 0000000000000001',
    'MSVC Notification: 0000000000001002',
    'SetThreadName "worker "x""',
    'Exception: 40010006 at 00007FFB15590000 (first chance)',
    'Exception raised by attempted close of an invalid handle',
    'Ignoring unhandled exception from close of an invalid handle',
    'Setting SHOW_LDR_SNAPS',
    '',
    'NtClose(1) => 0',
    'ntdll.dll + 0x9d3c4            NtClose + 20',
    'my program.exe + 0x1234        main + 4   c:\\main.cpp(12) + 3 bytes',
    '[inline frame]                 std::x',
    '00007FFB15590000',
    '',
    '',
    'Total calls',
    '[File]',
    'NtClose: 2',
    'Grand total: 2',
  )
  expect(told.counts).toMatchObject({ lineCount: 32, unparsedLineCount: 0 })
  expect(callsIn(told)).toEqual(['NtClose', 'NtClose'])
})

describe('logs that cannot be judged', () => {
  test('totals only are refused: they have no order', () => {
    expect(() => read('', 'Total calls', '[File]', 'NtClose: 2', 'Grand total: 2')).toThrow(TracefpError)
    expect(() => read('Total calls', 'NtClose: 2')).toThrow(/-totals/)
  })

  test('errors only are a filtered log', () => {
    const failed = "NtOpenFile(1) => 0xc0000034 [2 'no such file']"
    expect(read(...Array(20).fill(failed)).events).toContain('note filtered inconclusive')
    expect(read(...Array(20).fill(failed), 'NtClose(1) => 0').events).not.toContain('note filtered inconclusive')
  })

  test('a process that starts without memory, or closes nothing, is one of a filtered log', () => {
    const start = ['Process 8 starting at 40', 'C:\\a.exe']
    const files = Array(100).fill('NtReadFile(1) => 0')
    const memory = 'NtAllocateVirtualMemory(1) => 0'
    const filtered = 'note filtered inconclusive'
    expect(read(...start, ...files).events).toContain(filtered)
    expect(read(...start, ...files, memory).events).toContain(filtered)
    expect(read(...start, ...files, memory, 'NtClose(1) => 0').events).not.toContain(filtered)
    expect(read(...files).events).not.toContain(filtered)
  })
})

describe('encodings', () => {
  const log = 'Process 8 starting at 40\r\nC:\\\u00fcber.exe\r\nNtClose(1) => 0\r\nZwClose(2) => 0\r\n'
  const told = tell(nttraceFormat, log, { mapping })

  test('UTF-16 of either order, with and without a mark, cut anywhere, tells what UTF-8 tells', () => {
    const little = Buffer.from(log, 'utf16le')
    const big = Buffer.from(little).swap16()
    const logs = [
      little,
      big,
      Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
      Buffer.concat([Buffer.from([0xfe, 0xff]), big]),
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(log)]),
    ]
    for (const bytes of logs) {
      for (const cuts of [[], [1], [3], [2, 5]]) expect(tell(nttraceFormat, bytes, { mapping, cuts })).toEqual(told)
      expect(nttraceFormat.recognise(bytes).sureness).toBeGreaterThan(0.8)
    }
    expect(told.events).toEqual([
      'birth 8 of 0 in 8 exec',
      'exec 8 C:\\über.exe',
      '8 NtClose',
      '8 NtClose',
      'note one_track',
    ])
  })

  test('line breaks of either kind, and doubled returns, are the same', () => {
    for (const end of ['\n', '\r\r\n'])
      expect(tell(nttraceFormat, log.replaceAll('\r\n', end), { mapping })).toEqual(told)
  })
})

describe('recognise', () => {
  function sureness(text: string): number {
    return nttraceFormat.recognise(Buffer.from(text)).sureness
  }

  test('is sure of calls with their result, and less so of names without Nt', () => {
    expect(sureness('NtClose(1) => 0\n')).toBeGreaterThan(0.9)
    expect(sureness('[ 104] Process 104 starting at 40\n')).toBeGreaterThan(0.9)
    expect(sureness('Close( 1 ) => 0\n')).toBe(0.5)
  })

  test('is not taken in by other logs', () => {
    for (const text of [
      '',
      '551 3\n',
      'read(3, "", 4) = 0\n',
      'main() => {\n',
      '104 close(3) = 0\n',
      '\0\0\0\0',
      'a: 1\n',
    ]) {
      expect(sureness(text)).toBe(0)
    }
  })
})

describe('whatever the bytes are', () => {
  const piece = fc.constantFrom(
    ...[
      'NtClose(',
      'ZwOpenFile(',
      'Foo(',
      '1',
      ') => 0',
      ") => 0xc0000034 [2 '",
      "']",
      ') ...',
      '"',
      '[ 104/ 208] ',
      '[ 104] ',
    ],
    ...[
      '10:11:12.345: ',
      '+0.1: ',
      ': ',
      'Process 104 starting at 40',
      'Process 104 exit code: 1',
      'Created thread: 208 at 40',
    ],
    ...[
      'C:\\a.exe',
      'Total calls',
      '[File]',
      'NtClose: 3',
      'Loaded DLL at 40 x',
      'ntdll.dll + 0x1 a',
      'read error: 299',
    ],
    ...['\n', '\n', '\n', '\r\n', ' ', '\0', '\u001b[2J', '\xff', '\x00\x00'],
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join(''), 'latin1')),
    fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join(''), 'utf16le')),
  )

  function readOrRefuse(log: Buffer, cuts: readonly number[]): Told | string {
    try {
      return tell(nttraceFormat, log, { mapping, cuts })
    } catch (error) {
      expect((error as TracefpError).code).toBe('TFP_ERR_SOURCE_LOG')
      return (error as TracefpError).message
    }
  }

  test('every cut into chunks tells the same', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (log, cuts) => {
        expect(readOrRefuse(log, cuts)).toEqual(readOrRefuse(log, []))
      }),
      { numRuns: 400 },
    )
  })

  test('no line is lost: all are counted, none tells two calls, and none that tells one is not understood', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
        (text) => {
          fc.pre(!/^.?.?.?\0/.test(text))
          const log = Buffer.from(text, 'latin1')
          const told = readOrRefuse(log, [])
          if (typeof told === 'string') return
          const lines = text.split('\n')
          if (lines.at(-1) === '') lines.pop()
          expect(told.counts.lineCount).toBe(lines.length)
          expect(new Set(told.places).size).toBe(told.places.length)
          const spoken = new Set(told.places.map((place) => Number(/^line (\d+)/.exec(place)?.[1])))
          if (told.counts.unparsedLineCount <= 5) {
            for (const { line } of told.counts.firstUnparsed) expect(spoken.has(line)).toBe(false)
          }
        },
      ),
      { numRuns: 400 },
    )
  })
})

test('a line of beginnings of names takes no longer than any other', () => {
  const before = performance.now()
  const told = read('NtA'.repeat(340_000), '['.repeat(1_000_000), '1'.repeat(1_000_000), ') => '.repeat(200_000))
  expect(told.counts).toMatchObject({ lineCount: 4, unparsedLineCount: 4 })
  expect(performance.now() - before).toBeLessThan(5000)
})

test('a line of a gigabyte is one call, and is not held', () => {
  const names: string[] = []
  const naming = namingMapping(mapping)
  const nothing = (): void => {}
  const reader = nttraceFormat.open({
    handler: {
      onBirth: nothing,
      onExec: nothing,
      onCall: (_tid, abi, nr) => void names.push(naming.symbolOf(abi, nr)),
      onRefused: nothing,
      onSignal: nothing,
      onExit: nothing,
      onGap: nothing,
      onNote: nothing,
    },
    mapping: naming,
    name: 'long',
  })
  const before = process.memoryUsage().rss
  reader.write(Buffer.from('NtWriteFile(4, "'))
  const chunk = Buffer.alloc(1 << 20, 0x78)
  for (let turn = 0; turn < 1024; turn += 1) reader.write(chunk)
  reader.write(Buffer.from('") => 0\nNtClose(4) => 0\n'))
  reader.end()
  expect(names).toEqual(['NtWriteFile', 'NtClose'])
  expect(reader.counts).toMatchObject({ lineCount: 2, unparsedLineCount: 0 })
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
})
