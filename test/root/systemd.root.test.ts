// The units of examples/systemd under a real systemd, which is booted in namespaces of its own, with nothing but them.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/index.ts'
import { PACKAGE_ROOT } from '../../src/package.ts'
import { neededByEbpf } from '../../src/source/privileges.ts'
import { MAIN, tracefp } from '../cli/cli.ts'
import { whyNoEbpf } from '../live/record.ts'

const UNITS = ['tracefp-watch', 'server', 'tracefp-host'] as const
// Not below /tmp: the units have one of their own.
const folder = mkdtempSync('/var/tmp/tracefp-systemd-')
const [script, fingerprint, config] = ['serve.sh', 'serve.tfp', 'watch.toml'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
]
const NODE = spawnSync('readlink', ['-f', process.execPath]).stdout.toString().trim()

/** A unit as it would be on this machine. */
function unitText(unit: string): string {
  return readFileSync(join(PACKAGE_ROOT, `examples/systemd/${unit}.service`), 'utf8')
    .replaceAll('/usr/local/bin/tracefp', `${NODE} ${MAIN}`)
    .replaceAll('/usr/local/bin/server --port 8080', script)
    .replaceAll('--host --quiet', '--host --report /var/lib/private/tracefp-host/report.json')
    .replaceAll('/etc/tracefp/watch.toml', config)
    .replaceAll('/etc/tracefp/server.tfp', fingerprint)
    .replace('[Service]', `[Service]\nBindReadOnlyPaths=${PACKAGE_ROOT} ${folder} ${NODE}`)
    .replace('[Unit]', '[Unit]\nDefaultDependencies=no')
}

const BOOT = `set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup /sys/fs/cgroup
else
  mount -t tmpfs tmpfs /sys/fs/cgroup
  mkdir /sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd,xattr cgroup /sys/fs/cgroup/systemd
fi
mkdir -p /run/systemd/system
cp ${folder}/*.service ${folder}/*.target /run/systemd/system
exec env -i container=docker "PATH=$PATH" /lib/systemd/systemd --system --unit=tracefp-test.target --show-status=no
`

let boot: ChildProcess | undefined
let systemd = 0

function systemctl(...args: string[]): { code: number; out: string } {
  const { status, stdout, stderr } = spawnSync('nsenter', ['-t', `${systemd}`, '-p', '-m', 'systemctl', ...args])
  return { code: status ?? -1, out: `${stdout}${stderr}`.trim() }
}

/** In its namespaces. */
function there(...command: string[]): string {
  return spawnSync('nsenter', ['-t', `${systemd}`, '-p', '-m', ...command])
    .stdout.toString()
    .trim()
}

/** Undefined: it runs. */
async function bootSystemd(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'not root'
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) return 'no systemd'
  writeFileSync(join(folder, 'tracefp-test.target'), '[Unit]\nDefaultDependencies=no\n')
  for (const unit of UNITS) writeFileSync(join(folder, `${unit}.service`), unitText(unit))
  writeFileSync(
    join(folder, 'other.service'),
    `[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nExecStart=${script}\n`,
  )
  boot = spawn('unshare', ['-f', '-p', '-m', '-C', '--mount-proc', '--kill-child', 'sh', '-c', BOOT], {
    stdio: 'ignore',
  })
  for (let i = 0; i < 200 && boot.exitCode === null; i += 1) {
    const child = spawnSync('pgrep', ['-P', `${boot.pid}`])
      .stdout.toString()
      .trim()
    systemd = Number(child)
    if (systemd > 0 && systemctl('is-active', 'tracefp-test.target').out === 'active') return undefined
    await sleep(100)
  }
  return 'systemd does not boot here'
}

const missing = await bootSystemd()
const noEbpf = await whyNoEbpf()

afterAll(() => {
  // With the first process of its namespace all of them end.
  if (systemd > 0) process.kill(systemd, 'SIGKILL')
  boot?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(missing !== undefined)(
  `systemd${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  { timeout: 90_000 },
  () => {
    beforeAll(async () => {
      // It opens, reads, and waits for good: a service that does the same each time.
      writeFileSync(script, '#!/bin/sh\nread -r line </etc/hostname\nexec sleep 1000\n')
      chmodSync(script, 0o755)
      const home = join(folder, 'home')
      const learned = ['learn', '-o', fingerprint, '--slice', '0.5s', '--runs', '1', '--', script]
      expect((await tracefp(learned, ['env', `TRACEFP_HOME=${home}`])).code).toBe(0)
      chmodSync(folder, 0o755)
      const judged = `fingerprint = ["${fingerprint}"]`
      writeFileSync(
        config,
        `[watch]\nlisten = "none"
[[program]]\nname = "own"\ncommand = ["${script}"]\nuser = "nobody"\n${judged}
[[service]]\nname = "other"\nunit = "other"\n${judged}\n`,
        { mode: 0o644 },
      )
    })

    test('finds nothing wrong with the units', () => {
      for (const unit of UNITS) {
        const verified = spawnSync('systemd-analyze', ['verify', join(folder, `${unit}.service`)])
        expect([verified.status, verified.stderr.toString()]).toEqual([0, ''])
      }
    })

    test('starts the daemon, which follows a program and a unit under all of its hardening, reloads and stops it', async () => {
      expect(systemctl('start', 'other', 'tracefp-watch')).toEqual({ code: 0, out: '' })
      const status = (): string => systemctl('show', '-p', 'StatusText', '--value', 'tracefp-watch').out
      for (let i = 0; i < 600 && status() !== '2 of 2 followed'; i += 1) await sleep(50)
      expect(status()).toBe('2 of 2 followed')
      const pid = systemctl('show', '-p', 'MainPID', '--value', 'tracefp-watch').out
      expect(systemctl('reload', 'tracefp-watch')).toEqual({ code: 0, out: '' })
      expect(systemctl('show', '-p', 'MainPID', '--value', 'tracefp-watch').out).toBe(pid)
      expect(systemctl('stop', 'tracefp-watch')).toEqual({ code: 0, out: '' })
      expect(systemctl('show', '-p', 'Result', '--value', 'tracefp-watch').out).toBe('success')
      expect(systemctl('is-active', 'other').out).toBe('active')
    })

    test.skipIf(noEbpf !== null)(
      `watches the machine by engine ebpf, as an account that has the capabilities for that and no others${noEbpf === null ? '' : ` (skipped: ${noEbpf})`}`,
      async () => {
        expect(systemctl('start', 'tracefp-host')).toEqual({ code: 0, out: '' })
        const pid = systemctl('show', '-p', 'MainPID', '--value', 'tracefp-host').out
        const field = (name: string): string | undefined =>
          there('grep', `^${name}:`, `/proc/${pid}/status`).split('\t')[1]
        const home = '/var/lib/private/tracefp-host'
        for (let i = 0; i < 600 && !there('ls', '-l', `/proc/${pid}/fd`).includes('bpf-prog'); i += 1) await sleep(50)
        const few = neededByEbpf(false).toString(16).padStart(16, '0')
        expect(['CapPrm', 'CapEff', 'CapBnd'].map(field)).toEqual([few, few, few])
        expect(Number(field('Uid'))).toBeGreaterThan(0)
        // It was learned with a working directory that its environment names: without one it does what it never did.
        for (let i = 0; i < 60 && !there('ls', `${home}/inbox`).includes('.alert-'); i += 1) {
          expect(systemctl('restart', 'other')).toEqual({ code: 0, out: '' })
          await sleep(1000)
        }
        expect(systemctl('stop', 'tracefp-host')).toEqual({ code: 0, out: '' })
        expect(systemctl('show', '-p', 'Result', '--value', 'tracefp-host').out).toBe('success')
        const { programs } = JSON.parse(there('cat', `${home}/report.json`)) as Report
        expect(programs.map(({ image, sha256 }) => [image.endsWith(script), sha256?.length])).toContainEqual([true, 64])
      },
    )

    test('runs a service that is wrapped, as an account without privileges', async () => {
      expect(systemctl('start', 'server')).toEqual({ code: 0, out: '' })
      const tasks = (): string => systemctl('status', '--no-pager', 'server').out
      for (let i = 0; i < 600 && !tasks().includes('sleep 1000'); i += 1) await sleep(50)
      expect(tasks()).toContain('sleep 1000')
      expect(systemctl('stop', 'server')).toEqual({ code: 0, out: '' })
      expect(systemctl('is-active', 'server').out).toBe('inactive')
    })
  },
)
