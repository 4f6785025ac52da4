// Boots another kernel under qemu-system-x86_64 (software emulation; no KVM needed) and runs tracefp there, as root: what engine
// `auto` comes to, the command line, and every tracee under each engine. Without --kernel it is Debian's own, fetched and
// unpacked by apt-get; nothing is installed.
//
//   node scripts/boot-kernel.mjs [--kernel vmlinuz] [--auto trace] [--engines trace,notify,ebpf] [--only NAME,NAME]
//                                [--slowness 30] [--minutes 120]
//
// The last line is `N passed, N failed`. Exit code 0: all passed, or skipped, and why.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Initramfs } from './boot/initramfs.mjs'
import { ADDON, MAIN, orExit, setUp } from './setup.mjs'
import { isOnPath, ROOT, SetupError } from './toolchain.mjs'

const { values } = parseArgs({
  options: {
    kernel: { type: 'string' },
    auto: { type: 'string', default: 'trace' },
    engines: { type: 'string', default: 'trace,notify,ebpf' },
    only: { type: 'string', default: '' },
    slowness: { type: 'string', default: '30' },
    minutes: { type: 'string', default: '120' },
  },
})
const BUILD = path.join(ROOT, 'build/boot')
const QEMU = 'qemu-system-x86_64'
const BUSYBOX = '/bin/busybox'
const INIT = `#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
mount -t bpf bpf /sys/fs/bpf
mkdir -p /dev/shm; mount -t tmpfs shm /dev/shm
hostname guest; ip link set lo up
[ -e /overlay.ko ] && insmod /overlay.ko
export TRACEFP_ADDON=/tracefp/tracefp.node HOME=/tmp
/bin/node /tracefp/guest.mjs
poweroff -f
`

const missing = [QEMU, BUSYBOX, 'cc'].filter((command) => !isOnPath(command))
if (process.arch !== 'x64') skip(`is for x64, this is ${process.arch}`)
if (missing.length > 0) skip(`missing: ${missing.join(', ')} (apt-get install qemu-system-x86 busybox-static gcc)`)
mkdirSync(BUILD, { recursive: true })
orExit(setUp)
const kernel = values.kernel ?? debianKernel()
const initramfs = path.join(BUILD, 'initramfs')
pack(await bundle('test/boot/guest.ts', 'guest.mjs'), await compileTracees())
process.exitCode = await boot()

function skip(reason) {
  console.log(`skipped: ${reason}`)
  console.log('0 passed, 0 failed')
  process.exit(0)
}

function run(command, args, cwd = ROOT) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new SetupError(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
  return stdout
}

/** The kernel that linux-image-amd64 stands for, from Debian's archive. */
function debianKernel() {
  const [known] = unpackedKernels()
  if (known !== undefined) return known
  const depends = spawnSync('apt-cache', ['depends', 'linux-image-amd64'], { encoding: 'utf8' }).stdout ?? ''
  const name = /Depends: (linux-image-[\w.-]+)/.exec(depends)?.[1]
  if (name === undefined) skip('no linux-image-amd64 in the sources of apt; give --kernel')
  run('apt-get', ['download', name], BUILD)
  const [file] = readdirSync(BUILD).filter((entry) => entry.endsWith('.deb'))
  run('dpkg-deb', ['-x', file, 'kernel'], BUILD)
  return unpackedKernels()[0]
}

function unpackedKernels() {
  const folder = path.join(BUILD, 'kernel/boot')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.startsWith('vmlinuz-'))
  return names.map((name) => path.join(folder, name))
}

/** Where it is unpacked beside the kernel, as Debian has it. */
function overlayModule() {
  const version = path.basename(kernel).replace(/^vmlinuz-/, '')
  const folder = path.join(path.dirname(kernel), '../lib/modules', version, 'kernel/fs/overlayfs')
  if (existsSync(path.join(folder, 'overlay.ko'))) return readFileSync(path.join(folder, 'overlay.ko'))
  const { status, stdout } = spawnSync('xz', ['-dc', path.join(folder, 'overlay.ko.xz')], { maxBuffer: 1 << 26 })
  return status === 0 ? stdout : null
}

/** `where`: what stands for import.meta.url; without it, where the bundle lies when it runs. */
async function bundle(input, name, where) {
  const { build } = await import('rolldown')
  const file = path.join(BUILD, name)
  const output = { file, format: 'esm', codeSplitting: false }
  const define = where === undefined ? {} : { 'import.meta.url': JSON.stringify(where) }
  await build({ input: path.join(ROOT, input), platform: 'node', output, transform: { define }, logLevel: 'warn' })
  return file
}

/** Static where they can be: what they need else goes with them. */
async function compileTracees() {
  const module = 'test/live/tracees.ts'
  const where = pathToFileURL(path.join(ROOT, module)).href
  const { compileTracee, listTracees } = await import(await bundle(module, 'tracees.mjs', where))
  const words = values.only.split(',')
  const chosen = listTracees().filter(({ name }) => words.some((word) => name.includes(word)))
  if (chosen.length === 0) throw new SetupError(`no tracee is called ${values.only}`)
  return chosen.map((tracee) => ({ ...tracee, program: tracee.skipReason === null ? compileTracee(tracee) : null }))
}

function pack(guest, tracees) {
  const archive = new Initramfs(initramfs)
  archive.addDevice('/dev/console', 5, 1)
  archive.addDevice('/dev/null', 1, 3)
  for (const folder of ['/proc', '/sys', '/tmp', '/root', '/etc']) archive.addFolder(folder)
  archive.addFile('/init', INIT)
  archive.addFile('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n')
  archive.copyProgram(BUSYBOX)
  archive.addLink('/bin/sh', 'busybox')
  archive.copyProgram(process.execPath, '/bin/node')
  archive.copyProgram(ADDON, '/tracefp/tracefp.node')
  archive.copy(path.join(ROOT, 'package.json'), '/tracefp/package.json')
  archive.copy(MAIN, '/tracefp/lib/tracefp.cjs')
  const parts = path.join(ROOT, 'lib/parts')
  for (const part of readdirSync(parts)) archive.copy(path.join(parts, part), `/tracefp/lib/parts/${part}`)
  archive.copy(guest, '/tracefp/guest.mjs')
  const overlay = overlayModule()
  if (overlay !== null) archive.addFile('/overlay.ko', overlay)
  const [auto, engines, slowness] = [values.auto, values.engines.split(','), Number(values.slowness)]
  archive.addFile('/tracefp/plan.json', JSON.stringify({ auto, engines, slowness }))
  for (const { name, source, program } of tracees) {
    archive.copy(source, `/tracefp/tracees/${name}.c`)
    if (program !== null) archive.copyProgram(program, `/tracefp/tracees/${name}`)
  }
  archive.finish()
}

async function boot() {
  const args = [
    '-accel',
    'tcg,thread=multi',
    '-cpu',
    'max',
    '-smp',
    '2',
    '-m',
    '3072',
    '-nographic',
    '-no-reboot',
    '-nic',
    'none',
  ]
  const append = 'console=ttyS0 quiet panic=-1 mitigations=off nokaslr'
  const qemu = spawn(QEMU, [...args, '-kernel', kernel, '-initrd', initramfs, '-append', append], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const timer = setTimeout(() => qemu.kill('SIGKILL'), Number(values.minutes) * 60_000)
  const counts = { ok: 0, 'not ok': 0, skip: 0 }
  let isDone = false
  for await (const line of createInterface({ input: qemu.stdout })) {
    console.log(line)
    const kind = /^(ok|not ok|skip) /.exec(line)?.[1]
    if (kind !== undefined) counts[kind]++
    if (line.trim() === 'done') isDone = true
  }
  clearTimeout(timer)
  if (!isDone) console.log('the guest did not come to its end')
  const failed = counts['not ok'] + (isDone ? 0 : 1)
  console.log(`${counts.ok} passed, ${failed} failed${counts.skip > 0 ? `, ${counts.skip} skipped` : ''}`)
  return failed === 0 ? 0 : 1
}
