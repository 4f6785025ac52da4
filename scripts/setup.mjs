// Brings a checkout to the state in which tracefp runs: npm packages, native addon, lib/. Each step is skipped when
// nothing it reads has changed since it last succeeded. Says little, on stderr; output of tools appears on failure.
// Node builtins only: it runs before there is a node_modules.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { chooseBuilder, nodeHeadersFolder, ROOT, SetupError } from './toolchain.mjs'

export const ADDON = path.join(ROOT, 'build/Release/tracefp.node')
const NATIVE_STAMP = path.join(ROOT, 'build/native.stamp')
export const MAIN = path.join(ROOT, 'lib/tracefp.cjs')

/** Everything that `tracefp` needs to run from this checkout. */
export function setUp() {
  checkMachine()
  if (!isNativeFresh()) chooseBuilder() // a missing compiler is told before minutes are spent
  installPackages()
  buildNative()
  buildLibrary()
}

/** Runs `work`; trouble of the machine ends the process with one line on stderr. */
export function orExit(work) {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(`tracefp: ${error.message}`)
    process.exit(1)
  }
}

function checkMachine() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 17)) {
    throw new SetupError(`needs Node 20.17 or newer, this is ${process.version}`)
  }
  if (process.platform !== 'linux') throw new SetupError(`runs on Linux only, this is ${process.platform}`)
}

function installPackages() {
  const marker = path.join(ROOT, 'node_modules/.package-lock.json') // npm writes it last
  const lock = path.join(ROOT, 'package-lock.json')
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  runStep('installing npm packages', [...npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'])
}

/** @param {{ builder?: 'cmake' | 'gyp', force?: boolean }} options */
export function buildNative(options = {}) {
  if (!options.force && isNativeFresh(options.builder)) return
  const signature = nativeSignature() // before the build: an edit during it is not missed
  const builder = options.builder ?? chooseBuilder()
  const builderBefore = readStamp(NATIVE_STAMP)[1]
  // Both builders leave their file at the same place, and neither replaces a newer one of the other.
  if (builderBefore !== builder) rmSync(ADDON, { force: true })
  const bin = (name) => path.join(ROOT, 'node_modules/.bin', name)
  const title = 'building the native addon'
  if (builder === 'cmake') {
    runStep(title, [process.execPath, bin('cmake-js'), 'build', '--out', 'build'])
  } else {
    const verbs = builderBefore === 'gyp' ? ['configure', 'build'] : ['rebuild']
    runStep(title, [process.execPath, bin('node-gyp'), ...verbs, `--nodedir=${nodeHeadersFolder()}`])
  }
  writeStamp(NATIVE_STAMP, signature, builder)
}

function isNativeFresh(builder) {
  const [stampedSignature, stampedBuilder] = readStamp(NATIVE_STAMP)
  if (builder !== undefined && builder !== stampedBuilder) return false
  return existsSync(ADDON) && stampedSignature === nativeSignature()
}

const NATIVE_SOURCES = ['native', 'CMakeLists.txt', 'binding.gyp']

function nativeSignature() {
  return signatureOf(NATIVE_SOURCES)
}

/** The first source of the native addon, relative to the checkout, that was changed after `file`. */
export function newerNativeSource(file) {
  const { mtimeMs } = statSync(file)
  const newer = NATIVE_SOURCES.flatMap((place) => filesUnder(path.join(ROOT, place))).find(
    (source) => statSync(source).mtimeMs > mtimeMs,
  )
  return newer === undefined ? undefined : path.relative(ROOT, newer)
}

export function buildLibrary() {
  const stamp = path.join(ROOT, 'lib/.stamp')
  const signature = signatureOf(['src', 'tsconfig.json', 'tsconfig.build.json'])
  if (readStamp(stamp)[0] === signature) return
  removeOrphans(path.join(ROOT, 'lib'), path.join(ROOT, 'src'))
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
  runStep('compiling TypeScript', [process.execPath, tsc, '-p', 'tsconfig.build.json'])
  runStep('bundling the command line', [process.execPath, path.join(ROOT, 'scripts/bundle.mjs')])
  runStep('keeping compiled code', [process.execPath, path.join(ROOT, 'scripts/code-cache.mjs')])
  writeStamp(stamp, signature)
}

/** Compiled files whose source is gone. */
function removeOrphans(compiledFolder, sourceFolder) {
  for (const file of filesUnder(compiledFolder)) {
    const stem = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(path.relative(compiledFolder, file))?.[1]
    if (stem !== undefined && !existsSync(path.join(sourceFolder, `${stem}.ts`))) rmSync(file)
  }
}

function signatureOf(places) {
  const hash = createHash('sha256')
  for (const place of places) {
    for (const file of filesUnder(path.join(ROOT, place))) {
      const { mtimeMs, size } = statSync(file)
      hash.update(`${file} ${mtimeMs} ${size}\n`)
    }
  }
  return hash.digest('hex')
}

function filesUnder(place) {
  if (!existsSync(place)) return []
  if (!statSync(place).isDirectory()) return [place]
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ') : []
}

function writeStamp(file, ...words) {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, words.join(' '))
}

/** Runs a tool to its end; shows what it wrote only when it fails. */
export function runStep(title, [command, ...args], env = process.env, cwd = ROOT) {
  const startedAt = Date.now()
  process.stderr.write(`tracefp: ${title} ... `)
  const outcome = spawnSync(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
  if (outcome.status === 0) {
    process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`)
    return outcome.stdout.toString()
  }
  const output = `${outcome.stdout ?? ''}${outcome.stderr ?? ''}`.trimEnd().split('\n').slice(-80).join('\n')
  process.stderr.write(`failed\n${output}\n`)
  const reason =
    outcome.error?.message ?? (outcome.signal ? `ended by ${outcome.signal}` : `exit code ${outcome.status}`)
  throw new SetupError(`${title} failed (${reason})`)
}
