// Builds with sanitizers and runs tests under them: the native tests under each, and the addon with live tests, the command
// line among them. Programs that are watched are left alone (sanitize/preload.c).
//
//   node scripts/sanitize.mjs [address|undefined|thread ...] [--native] [--tests test/live/tracees,test/live/session]
//
// The last line is `N passed, N failed`. A report of a sanitizer is a failure, and printed.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { orExit, setUp } from './setup.mjs'
import { isOnPath, ROOT } from './toolchain.mjs'

const LIBRARIES = { address: 'libasan.so', undefined: 'libubsan.so', thread: 'libtsan.so' }
// Files that hold for slow programs too; terminals and counts of loop turns do not. `pin` begins everything by unshare, which is
// left alone, and with it all that it starts.
const TESTS = [
  ...['tracees', 'engines', 'counts', 'image', 'session', 'attach', 'fault'],
  ...[
    'guard',
    'guard-decide',
    'guard-evade',
    'guard-freeze',
    'ebpf',
    'follow',
    'known-images',
    'unseen-work',
    'privileges',
    'options',
  ],
].map((name) => `test/live/${name}.`)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { native: { type: 'boolean', default: false }, tests: { type: 'string' } },
})
const names = positionals.length > 0 ? positionals : Object.keys(LIBRARIES)
const unknown = names.find((name) => LIBRARIES[name] === undefined)
if (unknown !== undefined) {
  console.error(`tracefp: ${unknown}: expected address, undefined or thread`)
  process.exit(2)
}
const missing = ['cmake', 'g++'].filter((command) => !isOnPath(command))
if (missing.length > 0) {
  console.log(`skipped: missing: ${missing.join(', ')} (apt-get install g++ cmake doctest-dev)`)
  console.log('0 passed, 0 failed')
  process.exit(0)
}

const totals = { passed: 0, failed: 0 }
orExit(setUp)
for (const name of names) {
  runNative(name)
  if (!values.native) runLive(name)
}
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed > 0 ? 1 : 0

function count(title, passed, failed) {
  totals.passed += passed
  totals.failed += failed
  console.log(`${title}: ${passed} passed, ${failed} failed`)
}

/** True when it could be built; else a failure is counted. */
function build(folder, options) {
  const configure = ['-S', '.', '-B', folder, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', ...options]
  for (const args of [configure, ['--build', folder, '--parallel', '2']]) {
    const { status, stdout, stderr } = spawnSync('cmake', args, { cwd: ROOT, encoding: 'utf8' })
    if (status === 0) continue
    console.log(`${stdout}${stderr}`)
    count(`building ${folder}`, 0, 1)
    return false
  }
  return true
}

function runNative(name) {
  const folder = `build/sanitize/${name}-tests`
  if (!build(folder, ['-DTRACEFP_ADDON=OFF', '-DTRACEFP_TESTS=ON', `-DTRACEFP_SANITIZE=${name}`])) return
  const env = { ...process.env, ...optionsOf(name, null) }
  const ctest = spawnSync('ctest', ['--output-on-failure', '--no-tests=error'], {
    cwd: path.join(ROOT, folder),
    encoding: 'utf8',
    env,
  })
  const [, failed, all] = (/(\d+) tests? failed out of (\d+)/.exec(ctest.stdout) ?? [0, 1, 1]).map(Number)
  if (ctest.status !== 0) console.log(`${ctest.stdout}${ctest.stderr}`)
  count(`${name}, native tests`, all - failed, failed)
}

function runLive(name) {
  const folder = `build/sanitize/${name}`
  if (!build(folder, [`-DTRACEFP_SANITIZE=${name}`])) return
  const shim = path.join(ROOT, 'build/sanitize/preload.so')
  const source = path.join(ROOT, 'scripts/sanitize/preload.c')
  if (spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, source, '-ldl'], { stdio: 'inherit' }).status !== 0) {
    return count('building the preloaded library', 0, 1)
  }
  const logs = path.join(ROOT, folder, 'reports')
  rmSync(logs, { recursive: true, force: true })
  mkdirSync(logs)
  const library = spawnSync('g++', [`-print-file-name=${LIBRARIES[name]}`], { encoding: 'utf8' }).stdout.trim()
  const env = {
    ...process.env,
    ...optionsOf(name, path.join(logs, 'report')),
    LD_PRELOAD: `${library} ${shim}`,
    TRACEFP_ADDON: path.join(ROOT, folder, 'tracefp.node'),
  }
  const tests = values.tests?.split(',') ?? TESTS
  const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs')
  const results = path.join(ROOT, folder, 'results.json')
  rmSync(results, { force: true })
  const args = [vitest, 'run', ...tests, '--testTimeout=120000', '--hookTimeout=120000']
  // Node itself, and nothing between: whatever else is executed loses the library.
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
  spawnSync(process.execPath, [...args, ...reporters], { cwd: ROOT, stdio: 'inherit', env })
  const { numPassedTests, numFailedTests } = readResults(results)
  count(`${name}, live tests`, numPassedTests, numFailedTests)
  const reports = readdirSync(logs).map((file) => readFileSync(path.join(logs, file), 'utf8'))
  for (const report of reports) console.log(report)
  count(`${name}, reports`, 0, reports.length)
}

function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { numPassedTests: 0, numFailedTests: 1 }
  }
}

/** `log`: where reports go; null: where the program writes its errors. */
function optionsOf(name, log) {
  const to = log === null ? '' : `:log_path=${log}`
  if (name === 'address') return { ASAN_OPTIONS: `detect_leaks=0${to}` }
  if (name === 'undefined') return { UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=${log === null ? 1 : 0}${to}` }
  return { TSAN_OPTIONS: `ignore_noninstrumented_modules=1:halt_on_error=0${to}` }
}
