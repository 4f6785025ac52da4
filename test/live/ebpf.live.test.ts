// What engine ebpf does otherwise than the engines that stop the program: it may lose records and says so, it refuses nothing,
// and it tells who began although nobody waited.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { check, learn, type Report, record } from '../../src/index.ts'
import { Checker } from '../../src/match/checker.ts'
import { Walker } from '../../src/match/walker.ts'
import type { StreamHandler } from '../../src/model/stream.ts'
import { launchOptionsOf } from '../../src/source/launch.ts'
import { LiveSource } from '../../src/source/live.ts'
import { tee } from '../../src/source/tee.ts'
import { readFingerprint } from '../../src/store/fingerprint-file.ts'
import { linuxMapping } from '../../src/syscall/mapping.ts'
import type { StreamEvent } from './events.ts'
import { recordRun, whyNoEbpf } from './record.ts'
import { compileTracee, listTracees, type Tracee } from './tracees.ts'

const whyNot = await whyNoEbpf()
if (whyNot !== null) console.log(`skipped: ${whyNot}`)
const folder = mkdtempSync(join(tmpdir(), 'ebpf-'))
const calls = join(folder, 'calls')
const GETPPID = 110
const COMMAND = {
  cwd: '',
  env: process.env,
  stdio: [-1, -1, -1],
  uid: null,
  gid: null,
  pin: 'auto',
  stopsWithRoot: false,
  hidesHost: false,
} as const
const NOTHING: StreamHandler = {
  onBirth: () => {},
  onExec: () => {},
  onCall: () => {},
  onSignal: () => {},
  onExit: () => {},
  onRefused: () => {},
  onGap: () => {},
  onNote: () => {},
}
const SILENT = { stdio: [-1, -1, -1] } as const

beforeAll(() => {
  writeFileSync(
    `${calls}.c`,
    `#include <stdlib.h>
     #include <sys/syscall.h>
     #include <unistd.h>
     int main(int count, char **words) {
       for (long i = atol(words[1]); i > 0; i--) syscall(SYS_getppid);
       return 0;
     }`,
  )
  execFileSync('cc', ['-O1', '-o', calls, `${calls}.c`])
})
afterAll(() => rmSync(folder, { recursive: true }))

function countOf(events: readonly StreamEvent[], nr: number): number {
  return events.filter((event) => event.type === 'call' && event.nr === nr).length
}

function gapsOf(events: readonly StreamEvent[]): number {
  return events.reduce((sum, event) => sum + (event.type === 'gap' ? event.count : 0), 0)
}

function traceeOf(name: string): string {
  return compileTracee(listTracees().find((tracee) => tracee.name === name) as Tracee)
}

describe.skipIf(whyNot !== null)('engine ebpf', () => {
  test('every call that finds no room is counted: records and gaps together are what the program did', async () => {
    const few = await recordRun([calls, '0'], { engine: 'ebpf' })
    const launch = { ...SILENT, kernelRingBytes: 65_536 }
    const { events } = await recordRun([calls, '400000'], { engine: 'ebpf', launch })
    expect(gapsOf(events)).toBeGreaterThan(0)
    expect(countOf(events, GETPPID)).toBeGreaterThan(0)
    const callCount = events.filter(({ type }) => type === 'call').length
    expect(callCount + gapsOf(events)).toBe(few.events.filter(({ type }) => type === 'call').length + 400_000)
    expect(events.filter(({ type }) => type === 'exit').length).toBe(1)
  })

  test('a gap is of the track that lost something', async () => {
    const both = `${calls} 400000 & ${calls} 10; wait`
    const launch = { ...SILENT, kernelRingBytes: 65_536 }
    const { events } = await recordRun(['sh', '-c', both], { engine: 'ebpf', launch })
    const tids = new Set(events.flatMap((event) => (event.type === 'gap' ? [event.tid] : [])))
    expect(tids.has(0)).toBe(false)
    expect(tids.size).toBeGreaterThan(0)
  })

  test('of a million calls each is told, or counted as lost', async () => {
    const { events } = await recordRun([calls, '1000000'], { engine: 'ebpf', launch: SILENT })
    expect(gapsOf(events) + countOf(events, GETPPID)).toBe(1_000_000)
  })

  test('each of 10,000 processes of a storm is born, ends, and has its calls', async () => {
    const source = join(folder, 'storm.c')
    const storm = join(folder, 'storm')
    writeFileSync(
      source,
      `#include <sys/syscall.h>
       #include <sys/wait.h>
       #include <unistd.h>
       int main(void) {
         for (int i = 0; i < 10000; i++) {
           if (fork() == 0) { for (int j = 0; j < 3; j++) syscall(SYS_getppid); _exit(0); }
           if (i % 50 == 49) while (wait(0) > 0) continue;
         }
         return 0;
       }`,
    )
    execFileSync('cc', ['-O1', '-o', storm, source])
    const { events } = await recordRun([storm], { engine: 'ebpf', launch: SILENT, timeoutMs: 60_000 })
    expect(gapsOf(events)).toBe(0)
    expect(events.filter((event) => event.type === 'birth' && event.kind === 'fork').length).toBe(10000)
    expect(events.filter(({ type }) => type === 'exit').length).toBe(10001)
    expect(countOf(events, GETPPID)).toBe(30000)
  }, 90_000)

  test('a child that asks not to be traced is a track like any other', async () => {
    const { events } = await recordRun([traceeOf('clone_untraced')], { engine: 'ebpf', cwd: folder })
    expect(events.filter((event) => event.type === 'birth').map(({ kind }) => kind)).toEqual(['exec', 'fork'])
    expect(countOf(events, 83)).toBe(1)
  })

  test('who was executed is known although it is gone: its name, its hash, its script', async () => {
    const script = join(folder, 'script.sh')
    writeFileSync(script, '#!/bin/sh\n:\n', { mode: 0o755 })
    const chain = `for i in 1 2 3 4 5 6 7 8 9; do ${script}; /bin/true; done`
    const { events } = await recordRun(['sh', '-c', chain], { engine: 'ebpf', launch: SILENT })
    const images = events.flatMap((event) => (event.type === 'exec' ? [event.image] : []))
    expect(images.length).toBe(19)
    expect(images.filter(({ script: own }) => own?.path === script && own.sha256 !== null).length).toBe(9)
    expect(images.filter(({ path, sha256 }) => path.endsWith('/true') && sha256 !== null).length).toBe(9)
  })

  test('a session that is stopped while the kernel takes the program is not told that the kernel cannot', async () => {
    for (const delayMs of [20, 60, 100]) {
      const session = check(['true'], { engine: 'ebpf', stdio: 'ignore', home: folder })
      setTimeout(() => session.stop(), delayMs)
      const code = await session.report.then(
        () => '',
        (error) => error.code as string,
      )
      expect(code).not.toBe('TFP_ERR_ENGINE_KERNEL')
    }
  })

  test('stopping a session ends all that it started', async () => {
    const mark = `6173.${process.pid}`
    const session = check(['sh', '-c', `sleep ${mark} & sleep ${mark}`], {
      engine: 'ebpf',
      stdio: 'ignore',
      home: folder,
    })
    const pid = await session.pid
    session.stop()
    const report = await session.report
    expect(report.exit.signal).toBe('SIGKILL')
    expect(() => process.kill(pid, 0)).toThrow()
    expect(spawnSync('pgrep', ['-f', `^sleep ${mark}$`]).stdout.length).toBe(0)
  })

  test('what cannot be stopped is not promised: guard and faults are refused', async () => {
    const denied = check(['true'], { engine: 'ebpf', onMiss: 'deny', stdio: 'ignore', home: folder })
    await expect(denied.report).rejects.toThrow(/can no longer be stopped/)
  })

  test('a command that cannot be executed fails as under the other engines', async () => {
    const file = join(folder, 'no-program')
    writeFileSync(file, '#!/no/such/interpreter\n', { mode: 0o755 })
    await expect(check([file], { engine: 'ebpf', stdio: 'ignore', home: folder }).report).rejects.toThrow(/interpreter/)
  })

  test('a capture of it holds its records', async () => {
    const options = { engine: 'ebpf', stdio: 'ignore', home: folder } as const
    const run = await record(['ls', '/'], join(folder, 'ls.tfc'), options)
    expect(run.recordCount).toBeGreaterThan(30)
    expect(run.failure).toBe(null)
  })
})

/** Learned from the first; both are then checked: what is allowed is only counted, what is not is told. */
const JUDGED: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ['find', '/etc', '-maxdepth', '1'],
    ['find', '/etc', '-maxdepth', '1', '-name', 'hosts', '-exec', 'true', ';'],
  ],
  [
    ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=2000'],
    ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=2000', 'status=none'],
  ],
  [
    ['perl', '-e', '$SIG{USR1} = sub { getppid for 1 .. 40 }; for (1 .. 60) { kill USR1 => $$; getppid for 1 .. 50 }'],
    ['perl', '-e', '$SIG{USR1} = sub { chdir "/" }; for (1 .. 60) { kill USR1 => $$; getppid for 1 .. 50 } mkdir "/"'],
  ],
]

describe.skipIf(whyNot !== null)('a check in the kernel', () => {
  test.each(JUDGED)(
    '%j: comes to the same report',
    async (learnedFrom, other) => {
      const common = { stdio: 'ignore', home: join(folder, 'home') } as const
      const file = join(folder, `judged-${JUDGED.findIndex(([each]) => each === learnedFrom)}.tfp`)
      for (let run = 0; run < 2; run++) await learn(learnedFrom, { ...common, engine: 'notify', file })
      for (const argv of [learnedFrom, other]) {
        for (const depth of [2, 6]) {
          const told = await check(argv, { ...common, engine: 'notify', fingerprint: file, depth }).report
          const judged = await check(argv, { ...common, engine: 'ebpf', fingerprint: file, depth }).report
          expect(factsOf(judged)).toEqual(factsOf(told))
          // Of pairs alone some of what the others do is right.
          if (argv === learnedFrom || depth > 2) expect(judged.verdict).toBe(argv === other ? 'abnormal' : 'authentic')
        }
      }
    },
    120_000,
  )

  test('what is allowed does not leave the kernel', async () => {
    // It waits now and then: the reader's answer may be slow on a busy machine.
    const argv = ['perl', '-e', 'for (1 .. 5) { select undef, undef, undef, 0.4; getppid for 1 .. 20000 }']
    const file = join(folder, 'waits.tfp')
    await learn(argv, { stdio: 'ignore', home: folder, file, engine: 'notify' })
    const mapping = linuxMapping()
    const checker = new Checker({ fingerprints: [readFingerprint(file)], mapping })
    const walker = new Walker(checker, { mapping, tracks: 'thread', rootPpid: 0, rootAncestors: [] })
    let toldCount = 0
    let skippedCount = 0
    const counting: StreamHandler = tee(walker, {
      ...NOTHING,
      onCall: () => {
        toldCount += 1
      },
    })
    const launch = launchOptionsOf({ ...COMMAND, argv })
    const tableOf = (tid: number): SharedArrayBuffer | null => walker.programOf(tid)?.known?.table.buffer ?? null
    const options = { engine: 'ebpf', launch, imageCache: new Map(), tableOf } as const
    await new LiveSource(options, () => ({
      ...counting,
      onSkipped: (tid, count, transparentCount) => {
        skippedCount += count
        walker.onSkipped(tid, count, transparentCount)
      },
    })).run()
    expect([checker.missCount, walker.gapCount]).toEqual([0, 0])
    expect(walker.recordCount).toBe(toldCount + skippedCount)
    expect(walker.recordCount).toBeGreaterThan(100_000)
    // Until the reader has said what the program is judged by it is told; how long that takes is the machine's affair.
    expect(skippedCount).toBeGreaterThan(0)
  }, 120_000)
})

const FLOOD = `#include <stdlib.h>
  #include <sys/syscall.h>
  #include <unistd.h>
  int main(int count, char **words) {
    for (int i = 0; i < 50; i++) syscall(SYS_getppid);
    for (int i = 0; i < 50; i++) syscall(SYS_getuid);
    // Until the reader has said what it is judged by.
    if (count > 1) usleep(300000);
    for (long i = count > 1 ? atol(words[1]) : 0; i > 0; i--) {
      syscall(SYS_getppid);
      syscall(SYS_getuid);
      if (i % 8 == 0) syscall(SYS_getgid);
    }
    return 0;
  }`

const WAITS = `#include <pthread.h>
  #include <unistd.h>
  static int ends[2];
  static void *wait_for(void *unused) {
    char byte;
    return read(ends[0], &byte, 1) == 1 ? unused : 0;
  }
  int main(void) {
    pthread_t thread;
    if (pipe(ends) != 0 || pthread_create(&thread, 0, wait_for, 0) != 0) return 1;
    usleep(1000000);
    if (write(ends[1], "x", 1) != 1) return 1;
    pthread_join(thread, 0);
    return 0;
  }`

describe.skipIf(whyNot !== null)('a call that the kernel repeats', () => {
  test('in a thread that no signal is delivered to is no miss', async () => {
    const program = join(folder, 'waits')
    const file = join(folder, 'waits-once.tfp')
    writeFileSync(`${program}.c`, WAITS)
    execFileSync('cc', ['-O1', '-pthread', '-o', program, `${program}.c`])
    const common = { stdio: 'ignore', home: folder } as const
    for (let run = 0; run < 3; run++) await learn([program], { ...common, file, engine: 'notify' })
    const session = check([program], { ...common, engine: 'ebpf', fingerprint: file })
    const pid = await session.pid
    // The main thread takes each SIGSTOP; the other one only stops with it, and its read begins anew.
    for (let i = 0; i < 5; i++) {
      await sleep(80)
      process.kill(pid, 'SIGSTOP')
      await sleep(20)
      process.kill(pid, 'SIGCONT')
    }
    const { misses, exit } = await session.report
    expect(exit.code).toBe(0)
    expect(misses.map(({ from, to }) => [from, to])).not.toContainEqual(['read', 'read'])
  }, 30_000)
})

describe.skipIf(whyNot !== null)('misses that come too fast', () => {
  test('are counted where they are not told: the numbers are those of an engine that tells all', async () => {
    const source = join(folder, 'flood.c')
    const flood = join(folder, 'flood')
    const file = join(folder, 'flood.tfp')
    writeFileSync(source, FLOOD)
    execFileSync('cc', ['-O1', '-o', flood, source])
    const common = { stdio: 'ignore', home: folder } as const
    for (let run = 0; run < 2; run++) await learn([flood], { ...common, file, engine: 'notify' })
    const reports = []
    for (const engine of ['notify', 'ebpf'] as const) {
      reports.push(await check([flood, '40000'], { ...common, engine, fingerprint: file, depth: 6 }).report)
    }
    const [told, counted] = reports.map(({ recordCount, transitionCount, missCount, alarmCount, gapCount }) => {
      return [recordCount, transitionCount, missCount, alarmCount, gapCount]
    })
    expect(counted).toEqual(told)
    expect(reports[1]?.missCount).toBeGreaterThan(40_000)
    expect(reports.map(({ notes }) => notes.some(({ code }) => code === 'flood'))).toEqual([false, true])
  }, 60_000)
})

describe.skipIf(whyNot !== null)('a table', () => {
  test('is replaced a thousand times while calls are judged by it: none of them is a miss', async () => {
    const argv = ['perl', '-e', 'for (1 .. 40) { select undef, undef, undef, 0.05; getppid for 1 .. 5000 }']
    const file = join(folder, 'replaced.tfp')
    await learn(argv, { stdio: 'ignore', home: folder, file, engine: 'notify' })
    const mapping = linuxMapping()
    const checker = new Checker({ fingerprints: [readFingerprint(file)], mapping, depth: 6 })
    const walker = new Walker(checker, { mapping, tracks: 'thread', rootPpid: 0, rootAncestors: [] })
    const tableOf = (tid: number): SharedArrayBuffer | null => walker.programOf(tid)?.known?.table.buffer ?? null
    const launch = launchOptionsOf({ ...COMMAND, argv })
    const live = new LiveSource({ engine: 'ebpf', launch, imageCache: new Map(), tableOf }, () => walker)
    let table: SharedArrayBuffer | undefined
    let count = 0
    const replace = (old: SharedArrayBuffer): SharedArrayBuffer => {
      const now = new SharedArrayBuffer(old.byteLength)
      new Uint8Array(now).set(new Uint8Array(old))
      if (!live.replaceTable(old, now, 0)) return old
      count += 1
      return now
    }
    const timer = setInterval(() => {
      table ??= checker.root?.known?.table.buffer
      for (let i = 0; i < 10 && count < 1000 && table !== undefined; i++) table = replace(table)
    }, 10)
    await live.run()
    clearInterval(timer)
    expect([count, checker.missCount, walker.gapCount]).toEqual([1000, 0, 0])
    expect(walker.recordCount).toBeGreaterThan(200_000)
  }, 60_000)
})

describe.skipIf(whyNot !== null)('what is learned', () => {
  test('of runs that the kernel tells once is what is learned of all their calls: the same bytes', async () => {
    const argv = [
      'perl',
      '-e',
      '$SIG{USR1} = sub { getppid for 1 .. 9 }; for (1 .. 9) { kill USR1 => $$; chdir "/" for 1 .. 70 }',
    ]
    const [all, once] = ['notify', 'ebpf'].map((engine) => join(folder, `learned-${engine}.tfp`)) as [string, string]
    for (let run = 0; run < 3; run++) {
      const common = { stdio: 'ignore', home: folder } as const
      await learn(argv, { ...common, file: all, engine: 'notify' })
      await learn(argv, { ...common, file: once, engine: 'ebpf' })
    }
    expect(readFileSync(once, 'utf8')).toBe(readFileSync(all, 'utf8'))
  }, 60_000)
})

/** What must not depend on the engine: numbers of threads do, and what two tracks did at the same time. */
function factsOf(report: Report): object {
  const { verdict, recordCount, trackCount, transitionCount, missCount, gapCount, misses, programs } = report
  return {
    counts: { verdict, recordCount, trackCount, transitionCount, missCount, gapCount },
    programs: programs.map(({ coverage, recordCount: count }) => [coverage, count]),
    misses: misses
      .map(({ kind, index, context, to, depth, expected }) =>
        JSON.stringify([kind, index, context, to, depth, expected]),
      )
      .sort(),
  }
}

const PROGRAMS: readonly (readonly string[])[] = [
  ['ls', '-la', '/usr'],
  ['find', '/etc', '-maxdepth', '1'],
  ['sh', '-c', 'cat /etc/passwd | sort | head -3 | wc -l'],
  ['sh', '-c', 'for i in 1 2 3; do ls / >/dev/null; done; exit 3'],
  ['grep', '-r', 'root', '/etc/passwd'],
  ['awk', 'BEGIN { for (i = 0; i < 9; i++) print i }'],
  ['sed', 's/a/b/', '/etc/passwd'],
  ['tar', 'cf', '/dev/null', '/etc/default'],
  ['gzip', '-c', '/etc/passwd'],
  ['perl', '-e', 'print "x" x 9'],
  ['python3', '-S', '-c', 'import os; print(os.getpid())'],
  ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=500'],
]

describe.skipIf(whyNot !== null)('programs learned under notify', () => {
  // How often a shell is interrupted by the end of a child varies from run to run, under every engine: then it is learned too.
  test.each(PROGRAMS)(
    '%s %s %s: authentic under ebpf',
    async (...argv) => {
      const command = argv.filter((argument) => argument !== undefined)
      const options = {
        stdio: 'ignore',
        home: join(folder, 'home'),
        file: join(folder, `${argv.join().replaceAll('/', '-')}.tfp`),
      } as const
      const verdicts: string[] = []
      for (let attempt = 0; attempt < 5 && !verdicts.includes('authentic'); attempt++) {
        for (let run = 0; run < 2; run++) await learn(command, { ...options, engine: 'notify' })
        const report = await check(command, { ...options, engine: 'ebpf', fingerprint: options.file }).report
        expect([report.source.engine, report.gapCount]).toEqual(['ebpf', 0])
        verdicts.push(report.verdict)
      }
      expect(verdicts).toContain('authentic')
    },
    120_000,
  )
})
