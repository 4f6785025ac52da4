// What strace writes, trap by trap: the stream that a live engine would tell of the same run.

import { describe, expect, test } from 'vitest'
import { straceFormat } from '../../../src/source/log/strace-format.ts'
import { linuxMapping } from '../../../src/syscall/mapping.ts'
import { callsOf, type Told, tell } from './telling.ts'

const MAPPING = linuxMapping('x86_64')

function told(...lines: readonly string[]): Told {
  return tell(straceFormat, `${lines.join('\n')}\n`, { mapping: MAPPING })
}

/** A program that runs natively: the first lines of thread 10. */
const START = [
  '10 execve("/bin/x", ["x"], 0x7ffd7dee3e08 /* 35 vars */) = 0',
  '10 brk(NULL)                         = 0x562c74602000',
]
const BEGUN = ['birth 10 of 0 in 10 exec', 'exec 10 /bin/x', '10 brk']

function since(...lines: readonly string[]): readonly string[] {
  const { events } = told(...START, ...lines)
  expect(events.slice(0, BEGUN.length)).toEqual(BEGUN)
  return events.slice(BEGUN.length)
}

/** Of which no line says a tid. */
const NAMELESS = ['execve("/bin/x", ["x"], 0x7ffd7dee3e08 /* 35 vars */) = 0', 'brk(NULL) = 0x562c74602000']

describe('numbers', () => {
  test.each([
    [
      [...NAMELESS, 'fork() = 1', '[pid 1] getuid() = 0'],
      ['1 fork', 'birth 8388609 of 1 in 8388609 fork', '8388609 getuid'],
    ],
    [
      [...NAMELESS, '[pid 7] sync() = 0', '[pid 1] getuid() = 0'],
      ['1 sync', 'birth 8388609 of 0 in 8388609 join', '8388609 getuid'],
    ],
  ])(
    'are not told of two: one is made up for the init of a container beside a tracee without a name, case %#',
    (lines, events) => {
      expect(told(...lines).events.slice(3)).toEqual(events)
    },
  )
})

describe('calls', () => {
  test('the exec that strace makes is no record, and what was before it is nothing', () => {
    expect(told(...START).events).toEqual(BEGUN)
  })

  test('a call is told where it is entered, and once', () => {
    const lines = ['10 read(3,  <unfinished ...>', '10 <... read resumed>"a", 1) = 1', '10 close(3) = 0']
    expect(since(...lines)).toEqual(['10 read', '10 close'])
  })

  test('the name is what counts, whatever stands in strings', () => {
    const lines = [
      '10 write(1, "close(3) = 0\\n+++ exited with 0 +++", 33) = 33',
      '10 openat(AT_FDCWD, "/a) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", O_RDONLY) = 3',
      '10 openat(AT_FDCWD, "/a) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", O_RDONLY) = 4',
    ]
    expect(since(...lines)).toEqual(['10 write', '10 openat', '10 openat'])
  })

  test('a number without a name is that number, of 32 bits', () => {
    const lines = ['10 syscall_0x270f(0x1) = -1 ENOSYS (x)', '10 syscall_0xffffffffffffffff(0) = -1 ENOSYS (x)']
    expect(since(...lines)).toEqual(['10 sys_9999', '10 sys_-1'])
  })

  test('a name that no mapping has is a symbol of its own and is counted once', () => {
    const { events, counts } = told(...START, '10 frobnicate(1) = 0', '10 frobnicate(2) = 0')
    expect(events.slice(3)).toEqual(['10 frobnicate', '10 frobnicate'])
    expect(counts.unknownNameCount).toBe(1)
  })

  test('a log that ends within a line has the call that was entered', () => {
    expect(tell(straceFormat, `${START.join('\n')}\n10 read(3, "ab`, { mapping: MAPPING }).events).toEqual([
      ...BEGUN,
      '10 read',
    ])
  })

  test.each([
    ['10 03:12:48 close(3) = 0'],
    ['10 03:12:48.112836 close(3) = 0'],
    ['10 1795403568.296479 close(3) = 0 <0.000109>'],
    ['10 1795403568 close(3) = 0'],
    ['10      0.000205 close(3) = 0'],
    ['10 03:12:48.834986 (+     0.000205) close(3) = 0'],
    ['10 [   3] close(3) = 0'],
    ['10 [00007f8ca782fa07] close(3) = 0'],
    ['10 [????????????????] close(3) = 0'],
    ['10 [unconfined_u:unconfined_r:unconfined_t:s0] close(3) = 0'],
    ['10 03:12:48 [   3] [00007f8ca782fa07] close(3</etc/passwd>) = 0'],
    ['10<a [b] (c)> close(3) = 0'],
    ['[pid    10] close(3) = 0'],
    ['[pid    10<x>] 03:12:48 close(3) = 0'],
    ['\u001b[33m10\u001b[0m \u001b[1mclose\u001b[0m(3) = \u001b[32m0\u001b[0m'],
  ])('%s is a call', (line) => {
    const { events, counts } = told(...START, line)
    expect(events.slice(3)).toEqual(['10 close'])
    expect(counts.unparsedLineCount).toBe(0)
  })

  test('a place is the line, with the time that the log has', () => {
    const { places } = told(...START, '10 03:12:48.112836 close(3) = 0')
    expect(places).toEqual(['line 2', 'line 3 at 03:12:48.112836'])
  })
})

describe('restarts', () => {
  const interrupted = '10 read(0, "", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)'
  const handler = '10 rt_sigaction(SIGALRM, {sa_handler=0x55, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) = 0'

  test('a call that an ignored signal interrupted is repeated by the kernel', () => {
    expect(since(interrupted, '10 --- SIGWINCH {si_signo=SIGWINCH} ---', '10 read(0, "a", 1) = 1')).toEqual([
      '10 read',
      '10 read again',
    ])
  })

  test('rt_sigreturn says whether the interrupted call is repeated', () => {
    const signal = ['10 --- SIGALRM {si_signo=SIGALRM} ---', '10 getpid() = 10']
    const events = ['10 rt_sigaction', '10 read', 'signal 10 14', '10 getpid', '10 rt_sigreturn']
    expect(since(handler, interrupted, ...signal, '10 rt_sigreturn({mask=[]}) = 0', '10 read(0, "a", 1) = 1')).toEqual([
      ...events,
      '10 read again',
    ])
    const interruptedForGood = '10 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)'
    expect(since(handler, interrupted, ...signal, interruptedForGood, '10 read(0, "a", 1) = 1')).toEqual([
      ...events,
      '10 read',
    ])
  })

  test('what a handler calls is no repetition of what it interrupted', () => {
    const lines = [handler, interrupted, '10 --- SIGALRM {si_signo=SIGALRM} ---', '10 read(0, "a", 1) = 1']
    expect(since(...lines).at(-1)).toBe('10 read')
  })

  test('restart_syscall goes on with an interrupted call and is one by itself otherwise', () => {
    const restart = '10 restart_syscall(<... resuming interrupted nanosleep ...>) = 0'
    const slept = '10 nanosleep({tv_sec=1}, NULL) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)'
    const stop = ['10 --- SIGTSTP {si_signo=SIGTSTP} ---', '10 --- stopped by SIGTSTP ---']
    expect(since(slept, ...stop, '10 --- SIGCONT {si_signo=SIGCONT} ---', restart)).toEqual([
      '10 nanosleep',
      '10 restart_syscall again',
    ])
    expect(since(restart)).toEqual(['10 restart_syscall'])
  })

  test('a clone is repeated without any signal in between', () => {
    const lines = [
      '10 clone(child_stack=NULL, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)',
      '10 clone(child_stack=NULL, flags=SIGCHLD) = 11',
      '11 getpid() = 11',
    ]
    expect(since(...lines)).toEqual(['10 clone', '10 clone again', 'birth 11 of 10 in 11 fork', '11 getpid'])
  })
})

describe('signals', () => {
  test('only a signal with a handler begins a frame', () => {
    const lines = [
      '10 rt_sigaction(SIGUSR1, {sa_handler=SIG_IGN, sa_mask=[]}, NULL, 8) = 0',
      '10 --- SIGUSR1 {si_signo=SIGUSR1} ---',
      '10 --- SIGCHLD {si_signo=SIGCHLD} ---',
      '10 rt_sigaction(SIGUSR1, {sa_handler=0x5, sa_mask=[]}, {sa_handler=SIG_IGN}, 8) = 0',
      '10 --- SIGUSR1 {si_signo=SIGUSR1} ---',
    ]
    expect(since(...lines)).toEqual(['10 rt_sigaction', '10 rt_sigaction', 'signal 10 10'])
  })

  test.each([
    ['rt_sigaction(SIGRT_1, {sa_handler=0x5, sa_mask=[], sa_flags=0}, NULL, 8) = 0', 'SIGRT_1', 33],
    ['rt_sigaction(14, {sa_handler=0x5605bce1d289, sa_mask=[], sa_flags=0x4000000}, NULL, 8) = 0', 'SIGALRM', 14],
    ['rt_sigaction(14 /* SIGALRM */, {sa_handler=0x56, sa_mask=[]}, NULL, 8) = 0', 'SIGALRM', 14],
    ['rt_sigaction(signum=SIGALRM, act={sa_handler=0x56, sa_mask=[]}, oldact=NULL, 8) = 0', 'SIGALRM', 14],
    [
      'rt_sigaction(SIGALRM, {sa_handler=0x5},  <unfinished ...>\n10 <... rt_sigaction resumed>NULL, 8) = 0',
      'SIGALRM',
      14,
    ],
  ])('%s sets a handler', (action, name, signal) => {
    expect(since(`10 ${action}`, `10 --- ${name} {si_signo=${name}} ---`)).toContain(`signal 10 ${signal}`)
  })

  test('a handler that did not come to be, or was only asked for, is none', () => {
    const lines = [
      '10 rt_sigaction(SIGALRM, {sa_handler=0x5}, NULL, 7) = -1 EINVAL (Invalid argument)',
      '10 rt_sigaction(SIGALRM, NULL, {sa_handler=SIG_DFL}, 8) = 0',
      '10 --- SIGALRM {si_signo=SIGALRM} ---',
    ]
    expect(since(...lines)).toEqual(['10 rt_sigaction', '10 rt_sigaction'])
  })

  test('SA_RESETHAND: the handler runs once', () => {
    const signal = '10 --- SIGALRM {si_signo=SIGALRM} ---'
    const action = '10 rt_sigaction(SIGALRM, {sa_handler=0x5, sa_mask=[], sa_flags=SA_RESETHAND}, NULL, 8) = 0'
    expect(since(action, signal, signal)).toEqual(['10 rt_sigaction', 'signal 10 14'])
  })

  test('a fork has the handlers of its parent, an exec has none', () => {
    const lines = [
      '10 rt_sigaction(SIGALRM, {sa_handler=0x5}, NULL, 8) = 0',
      '10 clone(child_stack=NULL, flags=SIGCHLD) = 11',
      '11 --- SIGALRM {si_signo=SIGALRM} ---',
      '11 execve("/bin/y", ["y"], 0x7ffd7dee3e08) = 0',
      '11 --- SIGALRM {si_signo=SIGALRM} ---',
    ]
    expect(since(...lines)).toEqual([
      '10 rt_sigaction',
      '10 clone',
      'birth 11 of 10 in 11 fork',
      'signal 11 14',
      '11 execve',
      'exec 11 /bin/y',
    ])
  })

  test('a thread shares the handlers that are set after it was born', () => {
    const lines = [
      '10 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD) = 11',
      '10 rt_sigaction(SIGALRM, {sa_handler=0x5}, NULL, 8) = 0',
      '11 --- SIGALRM {si_signo=SIGALRM} ---',
    ]
    expect(since(...lines)).toContain('signal 11 14')
  })

  test('where it is not known whether there is a handler, there is a gap', () => {
    const { events } = told('10 read(3, "a", 1) = 1', '10 --- SIGALRM {si_signo=SIGALRM} ---', '10 close(3) = 0')
    expect(events).toEqual(['birth 10 of 0 in 10 join', '10 read', 'gap 10', '10 close'])
  })
})

describe('births', () => {
  test.each([
    ['clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND, parent_tid=[11]) = 11', 'in 10 thread'],
    ['clone3({flags=CLONE_VM|CLONE_THREAD, child_tid=0x7f, stack=0x7f} => {parent_tid=[11]}, 88) = 11', 'in 10 thread'],
    ['clone3({flags=0x3d0f00, child_tid=0x7f990, exit_signal=0} => {parent_tid=[11]}, 88) = 11', 'in 10 thread'],
    ['clone(child_stack=NULL, flags=0x1200000|17, child_tidptr=0x7f) = 11', 'in 11 fork'],
    ['clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 11', 'in 11 fork'],
    ['clone(0x3d0f00, 0x7f, 0x7f, 0x7f, 0x7f) = 0xb', 'in 10 thread'],
    ['fork() = 11', 'in 11 fork'],
    ['vfork() = 11', 'in 11 fork'],
  ])('%s is a birth %s', (call, birth) => {
    expect(since(`10 ${call}`, '11 getpid() = 11')).toContain(`birth 11 of 10 ${birth}`)
  })

  test('a child that comes before its clone has returned belongs to it', () => {
    const lines = ['10 vfork( <unfinished ...>', '11 getpid() = 11', '10 <... vfork resumed>) = 11', '10 getpid() = 10']
    expect(since(...lines)).toEqual(['10 vfork', 'birth 11 of 10 in 11 fork', '11 getpid', '10 getpid'])
  })

  test('two children whose clones are both open wait until one of them returns', () => {
    const lines = [
      '10 clone(child_stack=NULL, flags=SIGCHLD) = 11',
      '11 execve("/bin/y", ["y"], 0x7ffd7dee3e08) = 0',
      '11 brk(NULL) = 0x562c74602000',
      '10 vfork( <unfinished ...>',
      '11 vfork( <unfinished ...>',
      '12 getuid() = 0',
      '13 getgid() = 0',
      '12 getuid() = 0',
      '11 <... vfork resumed>) = 12',
      '10 <... vfork resumed>) = 13',
    ]
    const { events, places } = told(...START, ...lines)
    expect(events).toContain('birth 12 of 11 in 12 fork')
    expect(events).toContain('birth 13 of 10 in 13 fork')
    expect(events.filter((event) => event.startsWith('12 '))).toEqual(['12 getuid', '12 getuid'])
    expect(places).toContain('line 8')
  })

  test('children that are not in the log are said, and make the session inconclusive', () => {
    const { events } = told('brk(NULL) = 0x562c74602000', 'fork() = 11', 'exit_group(0) = ?', '+++ exited with 0 +++')
    expect(events).toContain('note children_unseen inconclusive')
  })

  test('CLONE_UNTRACED makes a child that is not in the log', () => {
    expect(since('10 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_UNTRACED|SIGCHLD) = 11')).toEqual([
      '10 clone',
      'note untraced inconclusive',
    ])
  })

  test('a pid namespace of its own: the child is found although its pid is another there', () => {
    const lines = [
      '10 unshare(CLONE_NEWPID) = 0',
      '10 clone(child_stack=NULL, flags=SIGCHLD) = 11',
      '11 clone(child_stack=NULL, flags=SIGCHLD) = 2',
      '12 getuid() = 0',
      '12 getgid() = 0',
    ]
    const events = since(...lines)
    const birth = events.find((event) => event.includes(' of 11 '))
    const made = /^birth (\d+) /.exec(birth ?? '')?.[1]
    expect(events.slice(-2)).toEqual([`${made} getuid`, `${made} getgid`])
  })

  test('--pidns-translation says which pid it is', () => {
    const lines = ["10 clone(child_stack=NULL, flags=SIGCHLD) = 2 /* 12 in strace's PID NS */", '12 getuid() = 0']
    expect(since(...lines)).toEqual(['10 clone', 'birth 12 of 10 in 12 fork', '12 getuid'])
  })

  test('a process that strace was attached to is joined', () => {
    const { events } = told('strace: Process 10 attached', 'read(3, "a", 1) = 1', 'close(3) = 0')
    expect(events).toEqual(['birth 10 of 0 in 10 join', '10 read', '10 close'])
  })
})

describe('execs', () => {
  test('an exec is a call of the old image and then the new one; one that fails is a call', () => {
    const lines = [
      '10 execve("/nowhere", ["x"], 0x7ffd7dee3e08) = -1 ENOENT (No such file or directory)',
      '10 execve("/a b\\"\\n\\303\\244", ["x"], 0x7ffd7dee3e08) = 0',
    ]
    expect(since(...lines)).toEqual(['10 execve', '10 execve', 'exec 10 /a b"\nä'])
  })

  test('/proc/self/exe is the program that runs', () => {
    expect(since('10 execve("/proc/self/exe", ["again"], NULL) = 0')).toEqual(['10 execve', 'exec 10 /bin/x'])
  })

  test('-y shows which program execveat starts, and without it nobody knows', () => {
    expect(since('10 execveat(3</usr/bin/true>, "", ["true"], NULL, AT_EMPTY_PATH) = 0')).toContain(
      'exec 10 /usr/bin/true',
    )
    expect(since('10 execveat(3, "", ["true"], NULL, AT_EMPTY_PATH) = 0')).toContain('note unknown_image inconclusive')
  })

  const threads = ['10 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND) = 11', '11 getuid() = 0']
  const born = ['10 clone', 'birth 11 of 10 in 10 thread', '11 getuid']

  test('the thread that calls exec takes the tid of its leader', () => {
    const lines = [
      '10 pause( <unfinished ...>',
      '11 execve("/bin/y", ["y"], 0x7ffd7dee3e08 <pid changed to 10 ...>',
      '10 +++ superseded by execve in pid 11 +++',
      '10 <... execve resumed>) = 0',
      '10 getuid() = 0',
      '10 exit_group(0) = ?',
      '10 +++ exited with 0 +++',
    ]
    expect(since(...threads, ...lines)).toEqual([
      ...born,
      '10 pause',
      '11 execve',
      'exec 10 was 11 /bin/y',
      '10 getuid',
      '10 exit_group',
      'exit 10 0',
    ])
  })

  test('so it is where strace is told not to say it', () => {
    const lines = ['10 pause( <unfinished ...>', '11 execve("/bin/y", ["y"], NULL <pid changed to 10 ...>']
    expect(since(...threads, ...lines, '10 <... execve resumed>) = 0').at(-1)).toBe('exec 10 was 11 /bin/y')
  })

  test('a script is its own path where the kernel starts it, and the operand of an interpreter', () => {
    const { events } = tell(straceFormat, '10 execve("/usr/bin/perl", ["perl", "-w", "a.pl"], NULL) = 0\n', {
      mapping: MAPPING,
    })
    expect(events).toContain('exec 10 /usr/bin/perl')
  })
})

describe('ends', () => {
  test.each([
    ['+++ exited with 3 +++', 'exit 10 3'],
    ['+++ killed by SIGKILL +++', 'exit 10 0 by 9'],
    ['+++ killed by SIGABRT (core dumped) +++', 'exit 10 0 by 6'],
    ['+++ killed by SIGRT_2 +++', 'exit 10 0 by 34'],
  ])('%s', (line, event) => {
    expect(since('10 exit_group(3) = ?', `10 ${line}`).at(-1)).toBe(event)
  })

  test('-qq hides ends: who called exit has ended', () => {
    expect(since('10 exit_group(3) = ?')).toEqual(['10 exit_group', 'exit 10 3'])
  })

  test('a call of which strace does not know what it was is a gap when the thread goes on, and nothing when it ends', () => {
    expect(since('10 ???( <unfinished ...>', '10 getuid() = 0')).toEqual(['gap 10 of 1', '10 getuid'])
    expect(since('10 ???()  = ?', '10 +++ killed by SIGKILL +++')).toEqual(['exit 10 0 by 9'])
  })

  test('what strace says of a thread while its process is being killed is believed when it is so', () => {
    const thread = '10 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND) = 11'
    const dying = [
      '10 exit_group(0 <unfinished ...>',
      '11 exit_group(0 <unfinished ...>',
      '10 <... exit_group resumed>) = ?',
    ]
    expect(since(thread, ...dying, '11 +++ exited with 0 +++')).not.toContain('11 exit_group')
    const going = ['10 exit_group(0 <unfinished ...>', '11 getuid( <unfinished ...>', '11 <... getuid resumed>) = 0']
    expect(since(thread, ...going)).toContain('11 getuid')
  })
})

describe('32-bit programs', () => {
  test('what strace says counts until it says otherwise', () => {
    const lines = [
      '10 [ Process PID=10 runs in 32 bit mode. ]',
      '10 getppid() = 1',
      '10 [ Process PID=10 runs in 64 bit mode. ]',
      '10 getppid() = 1',
      '10 [ Process PID=10 runs in x32 mode. ]',
      '10 getppid() = 1',
    ]
    expect(since(...lines)).toEqual(['10 i386:getppid', '10 getppid', '10 x32:getppid'])
  })

  test('-n tells it of every call', () => {
    expect(since('10 [ 110] getppid() = 1', '10 [  64] getppid() = 1', '10 [1073741934] getppid() = 1')).toEqual([
      '10 getppid',
      '10 i386:getppid',
      '10 x32:getppid',
    ])
  })

  test('a program whose first telling call is of one mode only is of that mode from its exec on', () => {
    const exec = '10 execve("/bin/x", ["x"], 0x7ffd7dee3e08) = 0'
    const unclear = ['10 brk(NULL) = 0x57e3a000', '10 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (x)']
    expect(callsOf(told(exec, ...unclear, '10 mmap2(NULL, 8192, PROT_READ, MAP_PRIVATE, -1, 0) = 0xf7f'))).toEqual([
      '10 i386:brk',
      '10 i386:access',
      '10 i386:mmap2',
    ])
    expect(callsOf(told(exec, ...unclear, '10 arch_prctl(ARCH_SET_FS, 0x31a84380) = 0'))).toEqual([
      '10 brk',
      '10 access',
      '10 arch_prctl',
    ])
    expect(callsOf(told(exec, '10 brk(NULL) = 0x562c74602000', '10 access("/", R_OK) = 0'))).toEqual([
      '10 brk',
      '10 access',
    ])
    const { places } = told(exec, ...unclear, '10 mmap2(NULL, 8192, PROT_READ, MAP_PRIVATE, -1, 0) = 0xf7f')
    expect(places).toEqual(['line 2', 'line 3', 'line 4'])
  })
})

describe('stderr', () => {
  const first = [
    'execve("/bin/x", ["x"], 0x7ffd7dee3e08) = 0',
    'brk(NULL) = 0x562c74602000',
    'set_tid_address(0x7f) = 10',
  ]

  test('lines without a pid are of the only process, whoever that is', () => {
    const { events } = told(
      ...first,
      'clone3({flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND, child_tid=0x7f}strace: Process 11 attached',
      ' => {parent_tid=[11]}, 88) = 11',
      '[pid    11] getuid() = 0',
      '[pid    10] exit(0) = ?',
      '[pid    10] +++ exited with 0 +++',
      'getgid() = 0',
    )
    expect(events).toEqual([
      ...BEGUN,
      '10 set_tid_address',
      '10 clone3',
      'birth 11 of 10 in 10 thread',
      '11 getuid',
      '10 exit',
      'exit 10 0',
      '11 getgid',
    ])
  })

  test('"attached" is glued into an open call, whose rest comes later', () => {
    const { events, counts } = told(
      ...first,
      'clone(child_stack=NULL, flags=SIGCHLD) = 11',
      'wait4(11, strace: Process 11 attached',
      ' <unfinished ...>',
      '[pid    11] exit_group(0) = ?',
      '[pid    11] +++ exited with 0 +++',
      '<... wait4 resumed>NULL, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
      '--- SIGCHLD {si_signo=SIGCHLD} ---',
      'wait4(11, NULL, 0, NULL) = 11',
    )
    expect(callsOf({ events, counts, places: [] }).slice(2)).toEqual([
      '10 clone',
      '10 wait4',
      '11 exit_group',
      '10 wait4 again',
    ])
    expect(counts.unparsedLineCount).toBe(0)
  })

  test('what the program itself writes is glued into lines, or is a line that is not understood', () => {
    const { events, counts } = told(
      ...first,
      'write(1, "hello\\n", 6hello',
      ')                  = 6',
      'hello(world',
      'prompt> getuid() = 0',
      'write(1, "> ", 2> )                  = 2',
    )
    expect(callsOf({ events, counts, places: [] }).slice(2)).toEqual(['10 write', '10 getuid', '10 write'])
    expect(counts).toMatchObject({ unparsedLineCount: 1, firstUnparsed: [{ line: 6, text: 'hello(world' }] })
  })

  test('-qq hides who ended: a line that may be of two threads is a gap', () => {
    const { events } = told(
      ...first,
      'clone3({flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND}, 88) = 11',
      '[pid    11] getuid() = 0',
      'getgid() = 0',
    )
    expect(events.slice(-2)).toEqual(['gap 0 of 1', 'note unclear_thread inconclusive'])
  })
})

describe('what is no call', () => {
  test('stack frames, dumps, blank lines, messages and the summary of -C are understood', () => {
    const { counts, events } = told(
      ...START,
      ' > /usr/lib/libc.so.6(read+0x1) [0x1ab70]',
      ' | 00000  7f 45 4c 46 02 01 01 03  00 00 00 00 00 00 00 00  .ELF............ |',
      '',
      'strace: Process 11 detached',
      '% time     seconds  usecs/call     calls    errors syscall',
      '------ ----------- ----------- --------- --------- ----------------',
      ' 28.57    0.000396          99         4           clone',
      '------ ----------- ----------- --------- --------- ----------------',
      '100.00    0.001388          12       115         6 total',
    )
    expect(counts.unparsedLineCount).toBe(0)
    expect(events).toEqual(BEGUN)
  })

  test('a summary alone is refused: it has no order', () => {
    const summary = ['% time     seconds  usecs/call     calls    errors syscall', '100.00  0.001388  12  115  6 total']
    expect(() => told(...summary)).toThrow(expect.objectContaining({ code: 'TFP_ERR_SOURCE_LOG' }))
  })

  test('a line of a thread that is not understood may have been a call: there is a gap', () => {
    const { events, counts } = told(...START, '10 \0\0\0garbage', '10 getuid() = 0')
    expect(events.slice(3)).toEqual(['gap 10 of 1', '10 getuid'])
    expect(counts).toMatchObject({ lineCount: 4, unparsedLineCount: 1 })
  })

  test('of lines that are not understood the first five are kept, and all are counted', () => {
    const { counts } = told(...START, ...Array.from({ length: 7 }, (_, index) => `garbage ${index} ${'x'.repeat(300)}`))
    expect(counts.unparsedLineCount).toBe(7)
    expect(counts.firstUnparsed.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7])
    expect(counts.firstUnparsed[0]?.text).toHaveLength(200)
  })
})
