// Filters made of a fingerprint, in force: the learned program runs under them, and a call that is not among them is refused.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'

const MAIN = join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')
const SCHEMA = '/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema/defs-linux.json'
const LOADER = fileURLToPath(new URL('../cli/seccomp-loader.c', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'export-'))
const file = join(folder, 'sh.tfp')
const loader = join(folder, 'loader')
/** Two programs, a pipe, a child and a file. */
const SCRIPT = `ls / | sort >${folder}/out; case $1 in usual) ;; foreign) cd / ;; esac`
afterAll(() => rmSync(folder, { recursive: true }))

interface Profile {
  readonly defaultAction: string
  readonly architectures: readonly string[]
  readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[]
}

function run(command: string, ...args: readonly string[]) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 })
  return { status, signal, stdout, stderr }
}

function tracefp(...args: readonly string[]) {
  return run(process.execPath, MAIN, ...args)
}

function profile(...args: readonly string[]): Profile {
  const { status, stdout } = tracefp('export', 'seccomp', file, ...args)
  expect(status).toBe(0)
  return JSON.parse(stdout) as Profile
}

function namesOf({ syscalls }: Profile): string[] {
  return syscalls.flatMap(({ names }) => names)
}

beforeAll(() => {
  const learned = tracefp('learn', '-o', file, '--runs', '3', '--', 'sh', '-c', SCRIPT, 'sh', 'usual')
  expect(learned.status, learned.stderr).toBe(0)
})

test('the profile holds what the program and all that it executes were seen to do, and what is never recorded', () => {
  const names = namesOf(profile('--no-runtime'))
  // pipe2 of sh, getdents64 of ls, both; execve starts it; clock_gettime comes with a vDSO that cannot answer.
  for (const name of [
    'getdents64',
    'wait4',
    'execve',
    'exit_group',
    'rt_sigreturn',
    'restart_syscall',
    'clock_gettime',
  ])
    expect(names).toContain(name)
  for (const name of ['chdir', 'mkdir', 'ptrace', 'socket', 'io_uring_setup', 'bpf']) expect(names).not.toContain(name)
  expect(new Set(names).size).toBe(names.length)
})

test('what is lost is said', () => {
  const { stderr } = tracefp('export', 'seccomp', file)
  expect(stderr).toMatch(/lost: the order of calls/)
  expect(stderr).toMatch(/lost: which of the 3 programs makes a call/)
})

const hasSchema = existsSync(SCHEMA) && run('python3', '-c', 'import jsonschema').status === 0
test.skipIf(!hasSchema)('the profile is one by the schema of the OCI runtime specification', () => {
  const text = [
    'import json, sys, os, jsonschema',
    'path, profile = sys.argv[1], json.load(sys.stdin)',
    'store = {}',
    'resolver = jsonschema.RefResolver("file://" + path, json.load(open(path)))',
    'schema = json.load(open(os.path.dirname(path) + "/config-linux.json"))',
    'resolver = jsonschema.RefResolver("file://" + os.path.dirname(path) + "/config-linux.json", schema)',
    'jsonschema.Draft4Validator(schema["linux"]["properties"]["seccomp"], resolver=resolver).validate(profile)',
  ].join('\n')
  const validate = (value: unknown) =>
    spawnSync('python3', ['-W', 'ignore', '-c', text, SCHEMA], { input: JSON.stringify(value), encoding: 'utf8' })
  for (const action of ['errno', 'kill', 'log']) {
    const { status, stderr } = validate(profile('--action', action))
    expect(stderr).toBe('')
    expect(status).toBe(0)
  }
  expect(validate({ ...profile(), defaultAction: 'SCMP_ACT_NONE' }).status).not.toBe(0)
  expect(validate({ ...profile(), architectures: ['SCMP_ARCH_VAX'] }).status).not.toBe(0)
})

const canLoad = run('cc', '-o', loader, LOADER, '-lseccomp').status === 0
describe.skipIf(!canLoad)(`libseccomp${canLoad ? '' : ' (skipped: no libseccomp-dev)'}`, () => {
  const under = (action: string, what: string) => {
    const names = namesOf(profile('--no-runtime'))
    return run(loader, action, ...names, '--', 'sh', '-c', SCRIPT, 'sh', what)
  }

  test.each(['errno', 'kill'])('the learned program runs under its filter, action %s', (action) => {
    expect(under(action, 'usual')).toEqual({ status: 0, signal: null, stdout: '', stderr: '' })
    expect(readFileSync(join(folder, 'out'), 'utf8')).toContain('etc\n')
  })

  test('a foreign call is refused', () => {
    const { status, stderr } = under('errno', 'foreign')
    expect(status).toBe(2)
    expect(stderr).toMatch(/can't cd to \//)
  })

  test('a foreign call is the end of the program under action kill', () => {
    expect(under('kill', 'foreign')).toMatchObject({ status: null, signal: 'SIGSYS' })
  })
})

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync)
const hasRunc = process.geteuid?.() === 0 && busybox !== undefined && run('runc', '--version').status === 0
describe.skipIf(!hasRunc)(`runc${hasRunc ? '' : ' (skipped: needs root, runc and busybox)'}`, () => {
  const bundle = join(folder, 'bundle')
  const applets = ['sh', 'ls', 'mkdir']

  beforeAll(() => {
    mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true })
    run('cp', busybox as string, join(bundle, 'rootfs/bin/busybox'))
    for (const applet of applets) symlinkSync('busybox', join(bundle, 'rootfs/bin', applet))
    const sh = join(bundle, 'rootfs/bin/sh')
    const learned = tracefp('learn', '-o', join(bundle, 'c.tfp'), '--runs', '2', '--', sh, '-c', 'ls /; exit 0')
    expect(learned.status, learned.stderr).toBe(0)
  })

  function container(script: string, noNewPrivileges: boolean) {
    rmSync(join(bundle, 'config.json'), { force: true })
    spawnSync('runc', ['spec'], { cwd: bundle })
    const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
    config.process = { ...config.process, terminal: false, args: ['/bin/sh', '-c', script], noNewPrivileges }
    config.root.readonly = false
    config.linux.seccomp = JSON.parse(tracefp('export', 'seccomp', join(bundle, 'c.tfp')).stdout)
    delete config.linux.resources
    // What a container of a container may not have.
    config.linux.namespaces = config.linux.namespaces.filter(
      ({ type }: { type: string }) => !['network', 'cgroup'].includes(type),
    )
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
    const name = `tracefp-${process.pid}-${Date.now()}`
    return spawnSync('runc', ['run', name], { cwd: bundle, encoding: 'utf8', timeout: 60_000 })
  }

  test.each([true, false])(
    'starts the program under the profile, and refuses a foreign call; no_new_privs %s',
    (flag) => {
      const usual = container('ls /; exit 0', flag)
      expect(usual.stderr).toBe('')
      expect(usual.stdout).toMatch(/^bin\n/)
      const foreign = container('mkdir /made', flag)
      expect(foreign.stderr).toMatch(/not permitted/i)
    },
  )
})

const hasSystemd = run('systemd-analyze', '--version').status === 0
test.skipIf(!hasSystemd)('systemd reads the drop-in without a complaint', () => {
  const unit = join(folder, 'tracefp-test.service')
  mkdirSync(`${unit}.d`, { recursive: true })
  writeFileSync(unit, '[Service]\nExecStart=/bin/true\n')
  expect(tracefp('export', 'systemd', file, '-o', `${unit}.d/tracefp.conf`).status).toBe(0)
  const text = readFileSync(`${unit}.d/tracefp.conf`, 'utf8')
  expect(text).toMatch(/^# Lost: the order of calls/m)
  expect(text).toMatch(/^SystemCallFilter=.*\bexit_group\b/m)
  expect(text).not.toContain('@')
  const { stderr } = run('systemd-analyze', 'verify', unit)
  expect(stderr).not.toMatch(/tracefp\.conf/)
  // A complaint would look like this.
  writeFileSync(`${unit}.d/tracefp.conf`, text.replace('SystemCallFilter=', 'SystemCallFilter=no_such_call '))
  expect(run('systemd-analyze', 'verify', unit).stderr).toMatch(/no_such_call/)
})
