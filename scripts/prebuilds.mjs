// npm run prebuilds [-- x64 arm64] [--check]: makes prebuilds/linux-ARCH/tracefp.glibc.node for both machines and checks
// them: right machine, glibc floor, no C++ runtime needed, loads under Node (arm64: under qemu, where it is there).
// Also keeps V8's code of the command line for other versions of Node. Builds in a copy, so the developer's build/ stays. Cross compiler on Debian: apt-get install g++-aarch64-linux-gnu

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fetchNode } from './nodes.mjs'
import { orExit, runStep, setUp } from './setup.mjs'
import { isOnPath, nodeHeadersFolder, ROOT, SetupError } from './toolchain.mjs'

const GLIBC_FLOOR = [2, 34] // RHEL 9, Ubuntu 22.04, Debian 12
const TRIPLES = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }
const MACHINES = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' }
const NODES = [22, 24]
const ARM64_SYSROOT = '/usr/aarch64-linux-gnu'

const named = process.argv.slice(2).filter((word) => word in TRIPLES)
const arches = named.length > 0 ? named : Object.keys(TRIPLES)
orExit(() => {
  for (const arch of arches) {
    if (!process.argv.includes('--check')) build(arch)
    check(arch)
  }
  if (arches.includes(process.arch) && !process.argv.includes('--check')) keepCode()
})

/** What V8 makes of the command line, for other versions of Node than this one (scripts/code-cache.mjs). */
function keepCode() {
  setUp()
  for (const version of NODES) {
    const command = [process.execPath, path.join(ROOT, 'scripts/code-cache.mjs'), fetchNode(process.arch, version)]
    runStep(`keeping compiled code for Node ${version}`, command)
  }
}

function build(arch) {
  const isCross = arch !== process.arch
  const tool = (name) => (isCross ? `${TRIPLES[arch]}-${name}` : name)
  if (!isOnPath(tool('g++'))) throw new SetupError(`no ${tool('g++')}: apt-get install g++-${TRIPLES[arch]}`)
  const copy = mkdtempSync(path.join(tmpdir(), 'tracefp-prebuild-'))
  try {
    for (const name of ['package.json', 'binding.gyp', 'native']) {
      cpSync(path.join(ROOT, name), path.join(copy, name), { recursive: true })
    }
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
    const env = { ...process.env, npm_config_nodedir: nodeHeadersFolder() }
    if (isCross) Object.assign(env, { CC: tool('gcc'), CXX: tool('g++'), AR: tool('ar') })
    const prebuildify = path.join(ROOT, 'node_modules/.bin/prebuildify')
    const options = [
      '--napi',
      '--strip',
      '--strip-bin',
      tool('strip'),
      '--tag-libc',
      'glibc',
      '--arch',
      arch,
      '--out',
      ROOT,
    ]
    runStep(`building the ${arch} prebuild`, [process.execPath, prebuildify, ...options], env, copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function check(arch) {
  const file = path.join(ROOT, `prebuilds/linux-${arch}/tracefp.glibc.node`)
  const problem = (text) => new SetupError(`${path.relative(ROOT, file)} ${text}`)
  if (!existsSync(file)) throw problem('does not exist')
  if (!readelf('-h', file).includes(`Machine:                           ${MACHINES[arch]}`))
    throw problem(`is not for ${arch}`)
  const needs = readelf('-V', file)
  if (/GLIBCXX_|CXXABI_/.test(needs)) throw problem('needs the C++ runtime of the machine')
  const versions = [...needs.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [Number(major), Number(minor)])
  const highest = versions.sort((a, b) => b[0] - a[0] || b[1] - a[1])[0] ?? [0, 0]
  if (highest[0] > GLIBC_FLOOR[0] || highest[1] > GLIBC_FLOOR[1]) {
    throw problem(`needs glibc ${highest.join('.')}, the floor is ${GLIBC_FLOOR.join('.')}`)
  }
  const size = Math.round(statSync(file).size / 1024)
  console.log(`linux-${arch}: ${size} KB, glibc ${highest.join('.')}, ${load(arch, file)}`)
}

function readelf(option, file) {
  const outcome = spawnSync('readelf', ['-W', option, file], { encoding: 'utf8' })
  if (outcome.status !== 0) throw new SetupError('readelf does not work here: apt-get install binutils')
  return outcome.stdout
}

/** Loads the file under a Node of its machine and says how that went. */
function load(arch, file) {
  let command = [process.execPath]
  if (arch !== process.arch) {
    const emulator = ['qemu-aarch64-static', 'qemu-aarch64'].find(isOnPath)
    if (arch !== 'arm64' || !emulator || !existsSync(ARM64_SYSROOT)) return 'not loaded (no emulator here)'
    command = [emulator, '-L', ARM64_SYSROOT, fetchNode(arch, 22)]
  }
  const script = `console.log(process.version, Object.keys(require(${JSON.stringify(file)})).length)`
  const outcome = spawnSync(command[0], [...command.slice(1), '-e', script], { encoding: 'utf8' })
  const [version, count] = outcome.stdout.trim().split(' ')
  if (outcome.status !== 0 || !(Number(count) > 0)) throw new SetupError(`${file} does not load:\n${outcome.stderr}`)
  return `loads under Node ${version}${command.length > 1 ? ' (emulated)' : ''}, ${count} exports`
}
