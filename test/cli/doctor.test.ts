// Doctor says what is so: its words for every machine from injected facts, and its trials on this one.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { defineDoctor } from '../../src/cli/doctor.ts'
import { bpfFactsOf } from '../../src/cli/doctor-bpf.ts'
import { type Check, diagnose, type Status } from '../../src/cli/doctor-checks.ts'
import { type Facts, hidepidOf, tryEngine, tryStore } from '../../src/cli/doctor-facts.ts'
import type { Trial } from '../../src/cli/doctor-trial.ts'
import { capture, hasCommand, temporaryFolder, tracefp } from './cli.ts'

const TRIAL: Trial = {
  uid: 0,
  addonFile: '/p/build/Release/tracefp.node',
  failedOperation: '',
  errno: 0,
  errorText: '',
  callCount: 29,
  engine: 'notify',
  ebpf: '',
  hasKprobe: true,
  exitCode: 0,
  notes: [],
  addedUsPerCall: 4.2,
}
const GOOD: Facts = {
  tracefp: '1.0.0',
  node: 'v20.17.0',
  platform: 'linux',
  arch: 'x64',
  kernel: '6.18.4-amd64',
  glibc: '2.36',
  uid: 0,
  own: TRIAL,
  nobody: TRIAL,
  tracer: null,
  noNewPrivs: false,
  isFiltered: false,
  hasPtraceCapability: true,
  ptraceScope: null,
  seccompActions: ['kill_process', 'user_notif', 'trace', 'allow'],
  cpuCount: 4,
  usableCpuCount: 4,
  proc: { hidepid: 'off' },
  store: { home: '/h', exists: true, problem: '', isOpen: false },
  hasVdso: true,
  bpf: {
    missing: [],
    hasKprobes: true,
    hasCgroup2: true,
    hasBpffs: true,
    lockdown: 'none',
    unprivilegedDisabled: 2,
    pinned: [],
    torn: [],
  },
}

function checkOf(id: string, facts: Partial<Facts>): Check {
  const found = diagnose({ ...GOOD, ...facts }).checks.find((check) => check.id === id)
  if (found === undefined) throw new Error(`no check ${id}`)
  return found
}

function failing(failedOperation: string, errno = 1): Trial {
  return { ...TRIAL, failedOperation, errno, errorText: 'Operation not permitted', callCount: 0, addedUsPerCall: null }
}

test('a machine that has everything is all ok', () => {
  const { works, checks } = diagnose(GOOD)
  expect(works).toBe(true)
  expect(checks.filter(({ status, cost, remedy }) => status !== 'ok' || cost !== '' || remedy !== '')).toEqual([])
})

describe('what engine ebpf needs', () => {
  const symbols = ['__x64_sys_bpf', 'bpf_ringbuf_query', 'bpf_task_storage_get', 'bpf_loop', 'bpf_send_signal']
  const all = {
    kallsyms: [...symbols, 'bpf_iter_run_prog', 'register_kprobe']
      .map((name) => `0000000000000000 T ${name}\n`)
      .join(''),
    mountinfo: '31 23 0:26 / /sys/fs/bpf rw - bpf bpf rw\n32 23 0:27 / /sys/fs/cgroup rw - cgroup2 none rw\n',
    lockdown: '[none] integrity confidentiality\n',
    unprivileged: '2\n',
    hasBtf: true,
  }

  test('is read from what the kernel says of itself', () => {
    expect({ ...bpfFactsOf(all), pinned: [], torn: [] }).toEqual(GOOD.bpf)
    expect(bpfFactsOf({ kallsyms: '', mountinfo: '', lockdown: '', unprivileged: '', hasBtf: true })).toEqual({
      missing: [],
      hasKprobes: false,
      hasCgroup2: false,
      hasBpffs: false,
      lockdown: null,
      unprivilegedDisabled: null,
    })
  })

  test.each([
    ['bpf_ringbuf_query', 'the ring buffer'],
    ['bpf_task_storage_get', 'task storage'],
    ['bpf_loop', 'bpf_loop (Linux 5.17)'],
    ['bpf_send_signal', 'bpf_send_signal'],
    ['bpf_iter_run_prog', 'iterators over tasks'],
  ])('is named where it is missing: %s', (symbol, name) => {
    const lacking = { ...all, kallsyms: all.kallsyms.replace(` ${symbol}\n`, ' other\n') }
    const { status, message, cost } = checkOf('ebpf-kernel', { bpf: { ...bpfFactsOf(lacking), pinned: [], torn: [] } })
    expect([status, message, cost]).toEqual(['note', `the kernel lacks ${name}`, 'engine ebpf is not possible'])
  })

  test('is BTF, no lockdown of confidentiality, and for some of it cgroup2 and a BPF file system', () => {
    expect(
      checkOf('ebpf-kernel', { bpf: { ...bpfFactsOf({ ...all, hasBtf: false }), pinned: [], torn: [] } }).message,
    ).toMatch(/lacks BTF/)
    expect(checkOf('ebpf-kernel', { bpf: { ...GOOD.bpf, lockdown: 'confidentiality' } }).remedy).toMatch(
      /lockdown=integrity/,
    )
    expect(checkOf('ebpf-kernel', { bpf: { ...GOOD.bpf, hasKprobes: false } }).message).toMatch(/; no kprobes;/)
    expect(checkOf('cgroup2', { bpf: { ...GOOD.bpf, hasCgroup2: false } }).cost).toMatch(/--cgroup/)
    expect(checkOf('pins', { bpf: { ...GOOD.bpf, hasBpffs: false } }).remedy).toBe('mount -t bpf bpf /sys/fs/bpf')
  })

  test('may be pinned, which is listed with the way to end it', () => {
    const pinned = [
      { stamp: 'tracefp 1.0.0 abc', session: 's', name: 'host', readAt: 0, folder: '/sys/fs/bpf/tracefp/host' },
    ]
    const { status, message, remedy } = checkOf('pins', { bpf: { ...GOOD.bpf, pinned } })
    expect([status, message]).toEqual([
      'note',
      'pinned: host (tracefp 1.0.0, last read 1970-01-01T00:00:00.000Z, /sys/fs/bpf/tracefp/host)',
    ])
    expect(remedy).toContain('tracefp attach --unpin')
  })

  test('may be half pinned, by somebody who was killed at it, and what is pinned may say what it likes', () => {
    const torn = ['/sys/fs/bpf/tracefp/pid-7']
    const half = checkOf('pins', { bpf: { ...GOOD.bpf, torn } })
    expect([half.status, half.message]).toEqual(['note', expect.stringContaining("'rm -r /sys/fs/bpf/tracefp/pid-7'")])
    const pinned = [
      { stamp: '\x1b[2J', session: '', name: 'a\nb\x1b[31m', readAt: 2 ** 64, folder: '/sys/fs/bpf/tracefp/host' },
    ]
    expect(checkOf('pins', { bpf: { ...GOOD.bpf, pinned } }).message).not.toMatch(/[\x00-\x1f]/)
  })
})

test('whatever is missing says what it costs and what to do', () => {
  const bad = [
    { own: failing('ptrace(PTRACE_SEIZE)') },
    { own: failing('ptrace(PTRACE_GET_SYSCALL_INFO)') },
    { own: failing('seccomp') },
    { own: { problem: 'addon', detail: 'none' } as const },
    { own: { problem: 'timeout', detail: 'no end' } as const, proc: null },
    { node: 'v18.0.0', kernel: '4.19.0', glibc: null, platform: 'darwin', ptraceScope: 3 },
  ]
  const missing = bad
    .flatMap((facts) => diagnose({ ...GOOD, ...facts }).checks)
    .filter(({ status }) => status === 'missing')
  expect(new Set(missing.map(({ id }) => id))).toEqual(
    new Set(['run', 'ptrace', 'call-info', 'seccomp', 'addon', 'proc', 'node', 'kernel', 'yama']),
  )
  for (const { id, cost, remedy } of missing) expect([id, cost !== '', remedy !== '']).toEqual([id, true, true])
})

test.each<[string, string, Partial<Facts>, Status, RegExp]>([
  ['an old Node', 'node', { node: 'v20.16.9' }, 'missing', /older than 20\.17/],
  ['a new Node', 'node', { node: 'v100.0.0' }, 'ok', /v100/],
  ['a kernel before PTRACE_GET_SYSCALL_INFO', 'kernel', { kernel: '5.2.21' }, 'missing', /needs 5\.3/],
  ['the first kernel that has it', 'kernel', { kernel: '5.3.0-generic' }, 'ok', /5\.3\.0/],
  ['another system', 'kernel', { platform: 'darwin' }, 'missing', /darwin/],
  ['musl where an addon was built', 'libc', { glibc: null }, 'note', /not glibc/],
  ['an old glibc', 'libc', { glibc: '2.31', own: { problem: 'addon', detail: 'x' } }, 'missing', /2\.31/],
  ['an addon built here', 'addon', {}, 'ok', /tracefp\.node \(built here\)/],
  [
    'a prebuilt addon',
    'addon',
    { own: { ...TRIAL, addonFile: '/p/prebuilds/linux-x64/t.node' } },
    'ok',
    /\(prebuilt\)/,
  ],
  ['no addon', 'addon', { own: { problem: 'addon', detail: 'none for this machine' } }, 'missing', /none for this/],
  ['nothing to try', 'run', { own: { problem: 'addon', detail: 'none' } }, 'missing', /without the addon/],
  ['engine notify', 'run', {}, 'ok', /engine notify/],
  ['a kernel without engine notify', 'run', { own: { ...TRIAL, engine: 'trace' } }, 'note', /notify is not possible/],
  ['calls that are not seen', 'run', { own: { ...TRIAL, callCount: 0 } }, 'missing', /none of its calls/],
  [
    'a trial that hangs',
    'run',
    { own: { problem: 'timeout', detail: 'no end after 20 s' } },
    'missing',
    /no end after/,
  ],
  ['no room for a filter', 'seccomp', { own: failing('seccomp', 22) }, 'missing', /seccomp: /],
  ['a kernel without RET_TRACE', 'seccomp', { own: failing('x'), seccompActions: ['allow'] }, 'missing', /RET_TRACE/],
  ['an old ptrace', 'call-info', { own: failing('ptrace(PTRACE_GET_SYSCALL_INFO)', 5) }, 'missing', /GET_SYSCALL_INFO/],
  ['an old ptrace that seizes', 'ptrace', { own: failing('ptrace(PTRACE_GET_SYSCALL_INFO)', 5) }, 'ok', /seized/],
  ['no_new_privs on tracefp', 'no-new-privs', { noNewPrivs: true }, 'note', /on tracefp itself/],
  ['no_new_privs on programs', 'no-new-privs', { own: { ...TRIAL, notes: ['no_new_privs'] } }, 'note', /every program/],
  ['an ordinary user', 'unprivileged', { uid: 1000, nobody: null }, 'ok', /without root \(uid 1000\)/],
  [
    'nobody who is refused',
    'unprivileged',
    { nobody: failing('ptrace(PTRACE_SEIZE)') },
    'note',
    /user nobody it fails/,
  ],
  [
    'files for root only',
    'unprivileged',
    { nobody: { problem: 'unreadable', detail: 'EACCES' } },
    'note',
    /cannot read/,
  ],
  ['no other users', 'unprivileged', { nobody: { problem: 'refused', detail: 'EPERM' } }, 'note', /not tried/],
  ['Yama as distributions set it', 'yama', { ptraceScope: 1 }, 'ok', /is 1/],
  ['Yama for administrators, as one', 'yama', { ptraceScope: 2 }, 'ok', /CAP_SYS_PTRACE/],
  ['Yama for administrators', 'yama', { ptraceScope: 2, hasPtraceCapability: false }, 'missing', /is 2/],
  ['no user notification', 'user-notification', { seccompActions: null }, 'note', /does not offer/],
  ['an early user notification', 'user-notification', { kernel: '6.5.0' }, 'note', /without synchronous/],
  ['no eBPF', 'ebpf', { own: { ...TRIAL, ebpf: 'bpf(BPF_PROG_LOAD): EPERM' } }, 'note', /not possible: bpf.*EPERM/],
  ['one CPU', 'cpus', { usableCpuCount: 1 }, 'note', /1 of 4/],
  ['a dear stop', 'stop-cost', { own: { ...TRIAL, addedUsPerCall: 70 } }, 'note', /70\.0 us/],
  ['no dd', 'stop-cost', { own: { ...TRIAL, addedUsPerCall: null } }, 'note', /no dd/],
  ['no /proc', 'proc', { proc: null }, 'missing', /not mounted/],
  ['a /proc that hides', 'proc', { proc: { hidepid: 'invisible' }, uid: 1000 }, 'note', /hidepid=invisible/],
  ['a /proc that hides nothing from root', 'proc', { proc: { hidepid: '2' } }, 'ok', /hidepid 2/],
  ['a store on a read-only disk', 'store', { store: { ...GOOD.store, problem: 'EROFS' } }, 'note', /EROFS/],
  ['a store of everybody', 'store', { store: { ...GOOD.store, isOpen: true } }, 'note', /by others/],
  ['a store that is yet to come', 'store', { store: { ...GOOD.store, exists: false } }, 'ok', /not there yet/],
  ['no vDSO', 'vdso', { hasVdso: false }, 'ok', /are system calls/],
])('%s', (_, id, facts, status, message) => {
  const check = checkOf(id, facts)
  expect([check.status, check.message]).toEqual([status, expect.stringMatching(message)])
})

test.each<[string, Partial<Facts>, number, RegExp]>([
  ['another tracer', { tracer: { pid: 7, name: 'gdb' }, isFiltered: true }, 1, /process 7 \(gdb\) traces tracefp/],
  ['an emulator', {}, 38, /emulated/],
  ['Yama that forbids it', { ptraceScope: 3 }, 1, /until the next boot/],
  ['Yama for administrators', { ptraceScope: 2, hasPtraceCapability: false }, 1, /leaves it to CAP_SYS_PTRACE/],
  ['a container', { isFiltered: true }, 1, /seccomp filter is on tracefp/],
  ['something else', {}, 1, /security module/],
])('the cause of a refused ptrace is told: %s', (_, facts, errno, why) => {
  const own = failing('ptrace(PTRACE_SEIZE)', errno)
  expect(checkOf('ptrace', { ...facts, own }).message).toMatch(why)
  expect(diagnose({ ...GOOD, ...facts, own }).works).toBe(false)
})

describe('the command', () => {
  async function run(facts: Facts, ...args: readonly string[]): Promise<{ code: unknown; stdout: string }> {
    const output = capture()
    const program = new Command('tracefp')
    defineDoctor(program, output, async () => facts)
    const before = process.exitCode
    await program.parseAsync(['doctor', ...args], { from: 'user' })
    const code = process.exitCode
    process.exitCode = before
    return { code, stdout: output.stdout.join('') }
  }

  test('ends with 0 where run works, else with 5', async () => {
    expect((await run(GOOD)).code).toBe(0)
    expect((await run({ ...GOOD, own: failing('seccomp') })).code).toBe(5)
  })

  test('prints a line per check, and below it the cost and the remedy', async () => {
    const { stdout } = await run({ ...GOOD, noNewPrivs: true })
    expect(stdout).toContain(
      [
        'note     no-new-privs       set on tracefp itself, so on all it starts',
        '                            costs: setuid programs (sudo, su, ping) gain no privileges under tracefp',
        '                            try:   start tracefp without it',
        'ok       unprivileged       ',
      ].join('\n'),
    )
    expect(stdout).toMatch(/\n\ntracefp run works here\n$/)
  })

  test('prints the same as JSON', async () => {
    const value = JSON.parse((await run(GOOD, '--json')).stdout) as object
    expect(value).toMatchObject({ works: true, addedUsPerCall: 4.2, checks: diagnose(GOOD).checks })
  })
})

test('hidepid is that of the mount on top', () => {
  const line = (options: string): string => `22 27 0:21 / /proc rw,relatime shared:5 - proc proc ${options}`
  expect(hidepidOf(line('rw'))).toBe('off')
  expect(hidepidOf(line('rw,gid=4,hidepid=invisible'))).toBe('invisible')
  expect(hidepidOf(`${line('rw,hidepid=2')}\n${line('rw,hidepid=0')}\n`)).toBe('off')
  expect(hidepidOf('1 2 0:3 / / rw - ext4 /dev/hidepid=2 rw')).toBe('off')
})

test('the store is tried by writing, where it is or where it would be made', () => {
  const home = temporaryFolder()
  expect(tryStore(home)).toEqual({ home, exists: true, problem: '', isOpen: false })
  expect(tryStore(join(home, 'a/b'))).toEqual({ home: join(home, 'a/b'), exists: false, problem: '', isOpen: false })
  mkdirSync(join(home, 'open'), { mode: 0o700 })
  spawnSync('chmod', ['777', join(home, 'open')])
  expect(tryStore(join(home, 'open')).isOpen).toBe(true)
  expect(tryStore('/proc/tracefp').problem).not.toBe('')
})

describe('a trial that comes to nothing', () => {
  const trial = (text: string): string => {
    const file = join(temporaryFolder(), 'trial.mjs')
    writeFileSync(file, text)
    return file
  }

  test('says so when it dies', async () => {
    const died = await tryEngine(null, trial("process.kill(process.pid, 'SIGSEGV')"))
    expect(died).toEqual({ problem: 'died', detail: expect.stringContaining('SIGSEGV') })
  })

  test('says so when the addon is missing', async () => {
    const entry = trial('process.stdout.write(\'{"code":"TFP_ERR_ADDON_MISSING","message":"none"}\')')
    expect(await tryEngine(null, entry)).toEqual({ problem: 'addon', detail: 'none' })
  })

  test('says so when its files cannot be read', async (context) => {
    if (process.geteuid?.() !== 0) context.skip('needs root')
    const entry = trial('')
    spawnSync('chmod', ['700', join(entry, '..')])
    expect(await tryEngine(65_534, entry)).toMatchObject({ problem: 'unreadable' })
  })
})

describe('on this machine', () => {
  interface Told {
    readonly works: boolean
    readonly addedUsPerCall: number | null
    readonly checks: readonly Check[]
  }
  const messageOf = (told: Told, id: string): string => told.checks.find((check) => check.id === id)?.message ?? ''

  test('its answer is the one that run gives', async () => {
    const ended = await tracefp(['doctor', '--json'])
    const told = JSON.parse(ended.stdout) as Told
    const ran = await tracefp(['run', '--exit-status', 'program', '--', 'true'])
    expect([ended.code, told.works]).toEqual(ran.code === 0 ? [0, true] : [5, false])
    expect(messageOf(told, 'addon')).toMatch(/\.node \((built here|prebuilt)\)$/)
    if (told.works && hasCommand('dd')) expect(told.addedUsPerCall).toBeGreaterThan(0.1)
  })

  test('below strace it finds the other tracer', async (context) => {
    if (!hasCommand('strace')) context.skip('strace is not installed')
    const ended = await tracefp(['doctor', '--json'], ['strace', '-f', '-o', '/dev/null'])
    if (ended.stdout === '') context.skip('strace cannot trace here')
    expect(ended.code).toBe(5)
    expect(messageOf(JSON.parse(ended.stdout) as Told, 'ptrace')).toMatch(/process \d+ \(strace\) traces tracefp/)
  })

  test('below a filter that refuses ptrace it finds the filter', async (context) => {
    if (!hasCommand('cc')) context.skip('there is no C compiler')
    const refuse = join(temporaryFolder(), 'refuse-ptrace')
    const source = fileURLToPath(new URL('refuse-ptrace.c', import.meta.url))
    expect(spawnSync('cc', ['-o', refuse, source]).status).toBe(0)
    const ended = await tracefp(['doctor', '--json'], [refuse])
    expect(ended.code).toBe(5)
    const told = JSON.parse(ended.stdout) as Told
    expect(messageOf(told, 'ptrace')).toContain('a seccomp filter is on tracefp')
    expect(messageOf(told, 'no-new-privs')).toContain('on tracefp itself')
  })
})
