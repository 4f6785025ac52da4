// The command line as a user has it: the bundled file, real programs, exit codes and words.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { longLoadedBy } from '../cli/cli.ts'

const MAIN = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
const folder = mkdtempSync(join(tmpdir(), 'run-'))
const home = join(folder, 'home')
const known = join(folder, 'known.tfp')
const SCRIPT = 'case $1 in normal) ;; odd) cd / ;; esac; exit 3'
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function tracefp(...args: string[]): Ended {
  const env = { ...process.env, TRACEFP_HOME: home, NO_COLOR: '1' }
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env, timeout: 20_000 })
}

function shell(what: string): string[] {
  return ['sh', '-c', SCRIPT, 'sh', what]
}

beforeAll(() => {
  expect(tracefp('learn', '-o', known, '--runs', '3', '--', ...shell('normal')).status).toBe(0)
})

test('learning tells for each run what was new, and in the end where it is', () => {
  const { status, stdout, stderr } = tracefp('learn', '-o', join(folder, 'ls.tfp'), '--runs', '2', 'ls', '/')
  expect(status).toBe(0)
  expect(stdout).toContain('etc')
  expect(stderr).toMatch(/run 1 of 2: [1-9]\d* new transitions.*\n.*run 2 of 2: 0 new transitions/)
  expect(stderr).toMatch(/ls\.tfp: \d+ transitions of 2 runs$/m)
})

test('an authentic run ends as its program did', () => {
  const { status, stderr } = tracefp('run', '-f', known, '--', ...shell('normal'))
  expect(stderr).toMatch(/^tracefp: authentic: sh: 0 misses in \d+ calls of 1 track, coverage \d+ %\n/)
  // A user that is not root hears of no_new_privs; nothing else is worth a note.
  expect(stderr.split('\n').slice(1).join('\n')).toMatch(/^(tracefp: note: no_new_privs was set[^\n]*\n)?$/)
  expect(status).toBe(3)
})

test('what takes long to load of Node is not loaded for a short run', () => {
  const loaded = (): string[] => longLoadedBy(['run', '-f', known, '--', ...shell('normal')], folder, 3)
  loaded() // images are hashed once
  // A run that takes 40 ms loads it for what comes then.
  expect(loaded().filter((name) => name !== 'crypto')).toEqual([])
})

test('--quiet says nothing of an authentic run', () => {
  expect(tracefp('run', '-q', '-f', known, '--', ...shell('normal')).stderr).toBe('')
})

test('an abnormal run ends with 100, tells each miss with what was expected, and --exit-status program changes that', () => {
  const { status, stderr } = tracefp('run', '-f', known, '--', ...shell('odd'))
  expect(status).toBe(100)
  expect(stderr).toMatch(/^tracefp: abnormal: \S+\[\d+\] \S+ -> chdir; expected .*\n/)
  expect(tracefp('run', '--exit-status', 'program', '-f', known, '--', ...shell('odd')).status).toBe(3)
})

test('a program without a fingerprint ends with 102 and the command that would learn it', () => {
  const { status, stderr } = tracefp('run', '--', 'true', 'x')
  expect(status).toBe(102)
  expect(stderr).toContain('tracefp learn --runs 20 -- true x\n')
})

test('nothing is started where others may write to the fingerprints', () => {
  const store = join(folder, 'shared', 'fingerprints')
  const made = join(folder, 'made')
  mkdirSync(store, { recursive: true })
  chmodSync(store, 0o775)
  const env = { ...process.env, TRACEFP_HOME: join(folder, 'shared') }
  for (const command of [['run'], ['learn', '--runs', '1']]) {
    const args = [MAIN, ...command, '--', 'touch', made]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
    expect([status, stderr]).toEqual([125, expect.stringContaining(`then chmod go-w ${store}\n`)])
  }
  expect(existsSync(made)).toBe(false)
})

test('the command that would learn a program can be pasted into a shell', () => {
  const args = ['a b', "it's", '$HOME', '', '*', 'two\nlines', '\u001b[31m', 'plain-x=1']
  const { stderr } = tracefp('run', '--', 'printf', '%s|', ...args)
  const hint = /-- (printf .*)\n$/.exec(stderr)?.[1] ?? ''
  expect(hint).toMatch(/ plain-x=1$/)
  expect(spawnSync('bash', ['-c', hint], { encoding: 'utf8' }).stdout).toBe(args.map((arg) => `${arg}|`).join(''))
})

test('a program killed by a signal ends with 128 and the signal', () => {
  expect(tracefp('run', '--exit-status', 'program', '--', 'sh', '-c', 'kill -USR1 $$').status).toBe(138)
})

test('the report is JSON with the documented fields, and goes to a file or to stdout', () => {
  const file = join(folder, 'report.json')
  tracefp('run', '-f', known, '--report', file, '--', ...shell('odd'))
  const report = JSON.parse(readFileSync(file, 'utf8'))
  expect(report).toMatchObject({ schema: 1, verdict: 'abnormal', exit: { code: 3, signal: null }, depth: 2 })
  expect(report.misses[0]).toMatchObject({ kind: 'call', to: 'chdir' })
  const { stdout } = tracefp('run', '-f', known, '--report', '-', '--', ...shell('normal'))
  expect(JSON.parse(stdout).verdict).toBe('authentic')
})

test('explain tells why a miss of such a report is one', () => {
  const file = join(folder, 'report.json')
  const { status, stdout } = tracefp('explain', file, '1')
  expect(status).toBe(0)
  expect(stdout).toContain('chdir')
  expect(stdout).toContain('expected')
})

test('a report that cannot be written is an error, and the verdict is told and kept all the same', () => {
  const nowhere = join(folder, 'nowhere', 'report.json')
  const { status, stderr } = tracefp('run', '--report', nowhere, '-f', known, '--', ...shell('odd'))
  expect(status).toBe(125)
  expect(stderr).toMatch(/abnormal: sh: \d+ miss/)
  expect(stderr).toContain(`${nowhere}: ENOENT`)
  expect(tracefp('sessions').stdout.split('\n')[0]).toMatch(/ abnormal /)
})

test('a run that crashed is not learned from', () => {
  const file = join(folder, 'crash.tfp')
  const { status, stderr } = tracefp('learn', '-o', file, '--runs', '1', '--', 'sh', '-c', 'kill -SEGV $$')
  expect(status).toBe(125)
  expect(stderr).toMatch(/crashed \(signal 11\)/)
  expect(existsSync(file)).toBe(false)
})

const BAD: [what: string, args: () => string[], status: number, says: RegExp][] = [
  ['a command that does not exist', () => ['run', '--', 'no-such-command'], 127, /no such command: no-such-command/],
  ['a file that may not be executed', () => ['run', '--', damaged('locked', (text) => text)], 126, /not executable/],
  ['a cgroup without a name', () => ['attach', '--cgroup', ''], 125, /--cgroup <path> is empty/],
  ['no command at all', () => ['run'], 125, /missing required argument|cmd/],
  ['an unknown option', () => ['run', '--no-such-option', 'ls'], 125, /unknown option/],
  ['a fingerprint that is not there', () => ['run', '-f', join(folder, 'none.tfp'), 'true'], 125, /none\.tfp/],
  [
    'a truncated fingerprint',
    () => ['run', '-f', damaged('cut', (text) => text.slice(0, -40)), 'true'],
    125,
    /cut\.tfp/,
  ],
  [
    'an altered fingerprint',
    () => ['run', '-f', damaged('altered', (text) => text.replace('runs 3', 'runs 4')), 'true'],
    125,
    /altered\.tfp.*checksum|altered/,
  ],
  [
    'a fingerprint of a newer format',
    () => ['run', '-f', damaged('newer', (text) => text.replace(/fingerprint \d+/, 'fingerprint 99')), 'true'],
    125,
    /newer/,
  ],
  [
    'a fingerprint of another mapping',
    () => ['run', '-f', damaged('mapping', (text) => text.replace('mapping linux-', 'mapping other-'), true), 'true'],
    125,
    /mapping\.tfp.*mapping other-/,
  ],
  [
    'a fingerprint of other numbers',
    () => [
      'run',
      '-f',
      damaged('numbers', (text) => text.replace(/^(mapping \S+ sha256:)\S+/m, `$1${'0'.repeat(64)}`), true),
      'true',
    ],
    125,
    /numbers\.tfp.*numbers of mapping/,
  ],
  ['a depth that was not learned', () => ['run', '-f', known, '--depth', '7', 'true'], 125, /depth 6/],
  ['other settings than the file has', () => ['learn', '-o', known, '--tracks', 'log', 'true'], 125, /tracks thread/],
  ['a depth that is no number', () => ['run', '--depth', 'x', 'true'], 125, /whole number/],
]

/** A copy of the known fingerprint that is not right; `isSealed`: its checksum is. */
function damaged(name: string, damage: (text: string) => string, isSealed = false): string {
  const file = join(folder, `${name}.tfp`)
  const text = damage(readFileSync(known, 'utf8'))
  const [magic, , ...body] = text.split('\n')
  const checksum = createHash('sha256').update(body.join('\n')).digest('hex')
  writeFileSync(file, isSealed ? [magic, `checksum sha256:${checksum}`, ...body].join('\n') : text)
  return file
}

test.each(BAD)('%s is one clear line and an exit code', (_what, args, status, says) => {
  const ended = tracefp(...args())
  expect(ended.stderr).toMatch(/^tracefp: [^\n]*\n$/)
  expect(ended.stderr).toMatch(says)
  expect(ended.status).toBe(status)
})

test('where somebody else traces already, one line says who', ({ skip }) => {
  if (spawnSync('strace', ['-V']).status !== 0) skip('no strace')
  const args = ['-f', '-o', '/dev/null', process.execPath, MAIN, 'run', '--', 'true']
  const { status, stderr } = spawnSync('strace', args, {
    encoding: 'utf8',
    env: { ...process.env, TRACEFP_HOME: home },
  })
  expect(stderr).toMatch(
    /^tracefp: ptrace\(PTRACE_SEIZE\): [^\n]* ptrace is forbidden here: process \d+ \(strace\) traces tracefp[^\n]*\n$/,
  )
  expect(status).toBe(125)
})

test('learning a changed program into its old fingerprint is refused', () => {
  const program = join(folder, 'program.sh')
  const file = join(folder, 'program.tfp')
  const put = (text: string): void => {
    writeFileSync(program, text)
    chmodSync(program, 0o755)
  }
  put('#!/bin/sh\nexit 0\n')
  expect(tracefp('learn', '-o', file, '--runs', '1', '--', program).status).toBe(0)
  put('#!/bin/sh\n:\nexit 0\n')
  const learned = tracefp('learn', '-o', file, '--runs', '1', '--', program)
  expect(learned.status).toBe(125)
  expect(learned.stderr).toMatch(/program\.sh.*-o FILE, or move \S+program\.tfp and \S+program\.tfl away first\n$/)
  const run = tracefp('run', '-f', file, '--', program)
  expect(run.status).toBe(100)
  expect(run.stderr).toMatch(/by its old fingerprint: authentic/)
})

test('a program whose working directory was deleted is run where it is', () => {
  const gone = mkdtempSync(join(folder, 'gone-'))
  const script = `cd ${gone} && rmdir ${gone} && exec "$0" "$@"`
  const env = { ...process.env, TRACEFP_HOME: home }
  const runThere = (...args: string[]): Ended =>
    spawnSync('sh', ['-c', script, process.execPath, MAIN, ...args], { encoding: 'utf8', env, timeout: 20_000 })
  const ran = runThere('run', '--exit-status', 'program', '--', 'sh', '-c', 'exit 5')
  expect(ran.stderr).not.toContain('uv_cwd')
  expect(ran.status).toBe(5)
  mkdirSync(gone)
  const missing = runThere('run', '--', './tool')
  expect(missing.stderr).toMatch(/^tracefp: no such command: \.\/tool: [^\n]*\n$/)
  expect(missing.status).toBe(127)
})

test('a relative command is run in a working directory whose name is no UTF-8', () => {
  const script = `d=$(printf '${folder}/b\\377d') && mkdir "$d" && cd "$d" && printf '#!/bin/sh\\nexit 6\\n' >tool && chmod +x tool && exec "$0" "$@"`
  const args = [MAIN, 'run', '--exit-status', 'program', '--', './tool']
  const env = { ...process.env, TRACEFP_HOME: home }
  const { status } = spawnSync('sh', ['-c', script, process.execPath, ...args], {
    encoding: 'utf8',
    env,
    timeout: 20_000,
  })
  expect(status).toBe(6)
})

function isAlive(mark: string): boolean {
  return spawnSync('pgrep', ['-f', `^sleep ${mark}$`]).status === 0
}

test('after an update a program is learned into a new file of the store, and each image is checked by its own', () => {
  const program = join(folder, 'updated.sh')
  const put = (text: string): void => {
    writeFileSync(program, text)
    chmodSync(program, 0o755)
  }
  const learnNow = (): string => {
    const { status, stderr } = tracefp('learn', '--runs', '1', '--', program)
    expect(status).toBe(0)
    return /(\S+\.tfp): \d+ transitions of (\d+ runs?)$/m.exec(stderr)?.slice(1).join(' ') ?? ''
  }
  const old = '#!/bin/sh\nexit 0\n'
  const updated = '#!/bin/sh\ncd /\nexit 0\n'
  put(old)
  const first = learnNow()
  put(updated)
  expect(tracefp('run', '--', program).stderr).toMatch(/by its old fingerprint/)
  const second = learnNow()
  expect(first).toMatch(/ 1 run$/)
  expect(second).toMatch(/ 1 run$/)
  expect(second).not.toBe(first)
  expect(learnNow()).toBe(second.replace('1 run', '2 runs'))
  expect(tracefp('run', '--', program).status).toBe(0)
  put(old)
  expect(tracefp('run', '--', program).status).toBe(0)
  expect(learnNow()).toBe(first.replace('1 run', '2 runs'))
})

test.each([
  ['run', 'SIGTERM'],
  ['run', 'SIGHUP'],
  ['run', 'SIGINT'],
  ['learn', 'SIGTERM'],
] as const)('%s ends by %s, with the daemon that its program left behind', async (command, signal) => {
  const mark = `7${command.length}.${signal.length}${signal.charCodeAt(3)}`
  const script = `setsid sleep ${mark} <&- >&- 2>&- & echo ready`
  const child = spawn(process.execPath, [MAIN, command, '--', 'sh', '-c', script], {
    env: { ...process.env, TRACEFP_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  for (let i = 0; i < 100 && !isAlive(mark); i++) await sleep(20)
  await sleep(100)
  expect(child.exitCode).toBe(null)
  child.kill(signal)
  const first = await Promise.race([ended, sleep(3000).then(() => 'still there')])
  child.kill('SIGKILL')
  expect(first).not.toBe('still there')
  expect(isAlive(mark)).toBe(false)
})

test('arguments and variables reach the program byte for byte, UTF-8 or not', () => {
  const sh = `printf %s "$1" | od -An -tx1; printf %s "$ODD" | od -An -tx1`
  const command = `ODD=$(printf 'a\\377') exec "$0" "$1" run -q -- sh -c '${sh}' sh "$(printf '\\377\\376x')"`
  const env = { ...process.env, TRACEFP_HOME: home }
  const { stdout } = spawnSync('sh', ['-c', command, process.execPath, MAIN], { encoding: 'utf8', env })
  expect(stdout.split('\n').map((line) => line.trim())).toEqual(['ff fe 78', '61 ff', ''])
})

test('an engine can be named, and the report says which one it was', () => {
  const file = join(folder, 'engine.json')
  for (const engine of ['trace', 'notify']) {
    tracefp('run', '--engine', engine, '-f', known, '--report', file, '--', ...shell('normal'))
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ verdict: 'authentic', source: { engine } })
  }
})

test('tracefp under tracefp ends with a line that says why it cannot work there', () => {
  const inner = ['sh', '-c', 'true']
  const refused = tracefp('run', '-q', '--', process.execPath, MAIN, 'run', '--engine', 'notify', '--', ...inner)
  expect(refused.stderr).toMatch(/tracefp: (seccomp\(listener\).*--engine trace|ptrace.*forbidden)/)
})

test.each(['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)(
  '%s sent to tracefp reaches the program',
  async (signal) => {
    const name = signal.slice(3)
    const script = `trap 'echo got ${name}; exit 4' ${name}; echo ready; while :; do sleep 0.05; done`
    const args = [MAIN, 'run', '--exit-status', 'program', '--', 'sh', '-c', script]
    const child = spawn(process.execPath, args, {
      env: { ...process.env, TRACEFP_HOME: home },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (chunk.includes('ready')) child.kill(signal)
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(output).toBe(`ready\ngot ${name}\n`)
    expect(code).toBe(4)
  },
)
