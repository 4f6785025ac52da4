// npm run check:package: packs tracefp, installs the package globally into an empty folder on a machine without any
// compiler (a PATH that holds node, npm and a shell), and uses it there: version, learn, run.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { newerNativeSource, orExit, runStep, setUp } from './setup.mjs'
import { ROOT, SetupError } from './toolchain.mjs'

const COMMANDS = ['sh', 'env', 'uname', 'sed', 'dirname', 'basename', 'readlink', 'true', 'ls']
const machine = mkdtempSync(path.join(tmpdir(), 'tracefp-package-'))
process.on('exit', () => rmSync(machine, { recursive: true, force: true }))

orExit(() => {
  setUp()
  const prebuild = `prebuilds/linux-${process.arch}/tracefp.glibc.node`
  if (!existsSync(path.join(ROOT, prebuild))) throw new SetupError(`no ${prebuild}: npm run prebuilds`)
  const newer = newerNativeSource(path.join(ROOT, prebuild))
  if (newer !== undefined) throw new SetupError(`${prebuild} is older than ${newer}: npm run prebuilds`)
  const pack = ['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', machine]
  const tarball = runStep('packing', pack).trim().split('\n').at(-1)

  const bin = path.join(machine, 'bin')
  mkdirSync(bin)
  for (const command of COMMANDS) symlinkSync(whereIs(command), path.join(bin, command))
  symlinkSync(process.execPath, path.join(bin, 'node'))
  symlinkSync(whereIs('npm'), path.join(bin, 'npm'))
  const prefix = path.join(machine, 'prefix')
  const home = path.join(machine, 'home')
  mkdirSync(home)
  const env = { ...process.env, PATH: `${prefix}/bin:${bin}`, HOME: home, TRACEFP_HOME: path.join(home, 'store') }
  const install = ['npm', 'install', '--global', '--no-audit', '--no-fund', '--prefix', prefix]
  runStep('installing without a compiler', [...install, path.join(machine, tarball)], env, machine)

  const fingerprint = path.join(machine, 'true.tfp')
  expectExit(0, ['--version'])
  expectExit(102, ['run', '--', 'true'])
  expectExit(0, ['learn', '-o', fingerprint, '--runs', '2', '--', 'true'])
  expectExit(0, ['run', '-f', fingerprint, '--', 'true'])
  expectExit(1, ['run', '-f', fingerprint, '--exit-status', 'program', '--', 'sh', '-c', 'exit 1'])
  console.log('the installed package works')

  function expectExit(expected, args) {
    const { status, stdout, stderr } = spawnSync('tracefp', args, { env, cwd: machine, encoding: 'utf8' })
    const line = `tracefp ${args.join(' ')}`.replaceAll(`${machine}/`, '')
    if (status !== expected) throw new SetupError(`${line}: exit code ${status}, not ${expected}\n${stdout}${stderr}`)
    console.log(`${line}: ${status}`)
  }
})

function whereIs(command) {
  const folder = (process.env.PATH ?? '').split(':').find((place) => existsSync(path.join(place, command)))
  if (folder === undefined) throw new SetupError(`no ${command} on the PATH`)
  return path.join(folder, command)
}
