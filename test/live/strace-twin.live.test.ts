// The twin test: what is learned from a log of strace is what is learned live, transition by transition. One program cannot be
// under both at once, so these tracees do the same every time.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type LearnedSession, learnLogs } from '../../src/learn-logs.ts'
import { readFingerprintFile } from '../../src/model/files.ts'
import type { Fingerprint, Settings } from '../../src/model/fingerprint.ts'
import { learnProgram } from '../../src/session/learn-program.ts'
import { compileTracee, listTracees } from './tracees.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracefp-twin-'))
afterAll(() => rmSync(folder, { recursive: true }))
const home = join(folder, 'home')
const hasStrace = spawnSync('strace', ['--version']).status === 0
if (!hasStrace) console.log('skipped: the twin test, which needs strace')

/** Waiting varies with the scheduler, here as anywhere. Pairs: how long threads of some tracees go on varies, too. */
const SETTINGS: Partial<Settings> = { depth: 2, transparent: ['futex', 'sched_yield'] }

/**
 * Threads, forks, execs, signals, restarts, ABIs and odd numbers, one behaviour each. Not `fork_beside_threads`: how long its threads
 * go on, and what glibc does with their stacks, is another in every run.
 */
const TWINS: readonly string[] = [
  ...['clone3_fork', 'clone3_thread', 'clone_parent', 'clone_vfork_vm', 'fork_and_wait'],
  ...['fork_chain', 'fork_from_thread', 'vfork_and_exit', 'vfork_then_exec', 'posix_spawn_self', 'pipeline'],
  ...['exec_fails', 'exec_from_thread', 'exec_self', 'leader_exits_first', 'thread_exits_group', 'pthreads_counted'],
  ...['handler_execs', 'handler_forks', 'handler_siglongjmp', 'nested_handlers', 'queued_signals', 'sa_resethand'],
  ...['segv_handled', 'sigaltstack_handler', 'signal_to_process', 'signal_to_thread', 'sigsuspend', 'sigwait'],
  ...['stacked_handlers', 'sigreturn_without_frame', 'nanosleep_handled_signal', 'nanosleep_ignored_signal'],
  ...['nanosleep_stopped', 'poll_stopped', 'read_eintr_retried', 'read_sa_restart', 'restart_hijacked'],
  ...['wait4_sigchld_default', 'wait4_sigchld_handled', 'wait4_sigchld_ignored', 'kill_self', 'pid_namespace'],
  ...['int80', 'm32', 'x32', 'unknown_numbers', 'high_bits'],
]

function strace(log: string, options: readonly string[], argv: readonly string[], cwd: string): void {
  const { status, signal, stderr } = spawnSync('strace', [...options, '-o', log, ...argv], { cwd, encoding: 'utf8' })
  if (status === null && signal === null) throw new Error(`strace did not run: ${stderr}`)
}

async function learnFrom(logs: readonly string[], file: string): Promise<Fingerprint> {
  const sessions: LearnedSession[] = []
  await learnLogs({
    logs,
    format: 'auto',
    mapping: null,
    file,
    name: null,
    scenario: 'twin',
    settings: SETTINGS,
    neverLearned: [],
    home,
    onSession: (session) => sessions.push(session),
    onWritten: () => {},
    onFailure: (error) => {
      throw error
    },
  })
  expect(sessions.map(({ refusal }) => refusal)).toEqual([null])
  return await readFingerprintFile(file)
}

/** Programs, transitions and execs as words; a log may know a program by another path. */
function wordsOf({ programs }: Fingerprint): string[] {
  const words: string[] = []
  for (const [key, { successors, execs }] of programs) {
    for (const [context, next] of successors) {
      for (const symbol of next.keys()) words.push(`${basename(key)}: ${context} -> ${symbol}`)
    }
    for (const exec of execs.keys()) words.push(`${basename(key)}: executes ${basename(exec)}`)
  }
  return words.sort()
}

async function compare(argv: readonly string[], options: readonly string[]): Promise<void> {
  const cwd = mkdtempSync(join(folder, 'run-'))
  const live = join(cwd, 'live.tfp')
  await learnProgram(argv, {
    cwd,
    home,
    file: live,
    stdio: 'ignore',
    thread: 'this',
    settings: SETTINGS,
    neverLearned: [],
  })
  const log = join(cwd, 'x.log')
  strace(log, options, argv, cwd)
  const logs = options.includes('-ff') ? [`${log}.*`] : [log]
  const paths = logs.flatMap((path) =>
    path.endsWith('*')
      ? spawnSync('sh', ['-c', `ls ${path}`])
          .stdout.toString()
          .trim()
          .split('\n')
      : [path],
  )
  const learned = wordsOf(await learnFrom(paths, join(cwd, 'log.tfp')))
  expect(learned).toEqual(wordsOf(await readFingerprintFile(live)))
  expect(learned.length).toBeGreaterThan(2)
}

describe.skipIf(!hasStrace)('a log of strace teaches what the live run teaches', () => {
  const tracees = listTracees().filter(({ name }) => TWINS.includes(name))

  test('all twins are there', () => {
    expect(tracees.map(({ name }) => name).sort()).toEqual([...TWINS].sort())
  })

  for (const tracee of tracees) {
    // strace says nothing of 32-bit mode in files, unless it is told to.
    test(`${tracee.name}: ${tracee.expectation.sentence}`, { timeout: 60_000 }, async ({ skip }) => {
      if (tracee.skipReason !== null) skip(tracee.skipReason)
      await compare([compileTracee(tracee)], ['-f', '-e', 'quiet=none'])
    })
  }

  test.each(['exec_from_thread', 'fork_from_thread', 'handler_forks'])('%s with a file per thread', async (name) => {
    const tracee = tracees.find((one) => one.name === name)
    if (tracee === undefined) throw new Error(`no tracee ${name}`)
    await compare([compileTracee(tracee)], ['-ff'])
  })

  // -s: an argument that strace shortens does not name its script.
  test('a script of shell, with pipes, a handler and children, with times and instruction pointers', async () => {
    const script = join(folder, 'script.sh')
    writeFileSync(
      script,
      'trap "true" USR1\nfor i in 1 2 3; do echo $i | cat >/dev/null; done\nkill -USR1 $$\nexit 3\n',
    )
    await compare(['/bin/sh', script], ['-f', '-tt', '-i', '-T', '-y', '-s', '300'])
  })
})
