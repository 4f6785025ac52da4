// npm test: sets the checkout up where needed, runs vitest and then the native tests, and ends with the line
// `N passed, N failed[, N skipped]` over both. Arguments go to vitest, which then runs alone: npm test -- test/model
// Under CI a live tier that was skipped as a whole is a failure: nothing was tested where everything should be.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { orExit, runStep, setUp } from './setup.mjs'
import { isOnPath, ROOT, SetupError } from './toolchain.mjs'

const args = process.argv.slice(2)
orExit(setUp)

const totals = { passed: 0, failed: 0, skipped: 0 }
const complaints = []

const live = await runVitest()
if (args.length === 0) {
  if (process.env.CI && live.passed + live.failed === 0) complaints.push('the live tier was skipped as a whole')
  runNativeTests()
}
for (const complaint of complaints) console.log(`FAILED: ${complaint}`)
totals.failed += complaints.length
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exit(totals.failed > 0 ? 1 : 0)

/** Adds to `totals`; gives the counts of the live tier alone. */
async function runVitest() {
  const { parseCLI, startVitest } = await import('vitest/node')
  const { filter, options } = parseCLI(['vitest', 'run', ...args])
  const tier = { passed: 0, failed: 0, skipped: 0 }
  const reasons = new Map()
  const counter = {
    onTestRunEnd(modules, unhandledErrors) {
      complaints.push(...unhandledErrors.map((error) => `an error outside of any test: ${error.message}`))
      for (const module of modules) {
        const isLive = module.relativeModuleId.startsWith('test/live/')
        if (module.errors().length > 0) complaints.push(`${module.relativeModuleId} could not be run`)
        for (const suite of module.children.allSuites()) {
          if (suite.errors().length > 0) complaints.push(`${module.relativeModuleId}: ${suite.fullName}`)
        }
        for (const test of module.children.allTests()) {
          const outcome = test.result()
          const state = outcome.state === 'pending' ? 'failed' : outcome.state
          totals[state]++
          if (isLive) tier[state]++
          if (state !== 'skipped') continue
          // Where no reason was given, the titles tell it.
          const reason = `${module.relativeModuleId}: ${outcome.note ?? test.fullName}`
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        }
      }
    },
  }
  const vitest = await startVitest('test', filter, {
    ...options,
    run: true,
    watch: false,
    reporters: ['default', counter],
  })
  await vitest.close()
  for (const [reason, count] of reasons) console.log(`skipped ${count} in ${reason}`)
  if (totals.passed + totals.failed + totals.skipped === 0) complaints.push('vitest found no tests')
  return tier
}

function runNativeTests() {
  if (!isOnPath('cmake')) return console.log('native tests skipped: no cmake (apt-get install cmake)')
  if (!hasDoctest()) return console.log('native tests skipped: no doctest (apt-get install doctest-dev)')
  const build = path.join(ROOT, 'build/tests')
  try {
    if (!['build.ninja', 'Makefile'].some((file) => existsSync(path.join(build, file)))) {
      const generator = isOnPath('ninja') ? ['-G', 'Ninja'] : []
      const options = ['-DTRACEFP_ADDON=OFF', '-DTRACEFP_TESTS=ON', '-DCMAKE_BUILD_TYPE=Debug']
      runStep('configuring the native tests', ['cmake', '-S', '.', '-B', build, ...generator, ...options])
    }
    runStep('building the native tests', ['cmake', '--build', build, '--parallel', '2'])
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    return complaints.push(error.message)
  }
  const ctest = spawnSync('ctest', ['--output-on-failure', '--no-tests=error', '-j2'], { cwd: build, encoding: 'utf8' })
  const counts = /(\d+) tests? failed out of (\d+)/.exec(ctest.stdout)
  if (ctest.status !== 0) console.log(`${ctest.stdout}${ctest.stderr}`)
  if (counts === null) return complaints.push('ctest did not run the native tests')
  const [, failed = 0, all = 0] = counts.map(Number)
  totals.failed += failed
  totals.passed += all - failed
  console.log(`native tests: ${all - failed} passed, ${failed} failed`)
}

function hasDoctest() {
  const probe = ['-E', '-x', 'c++', '-include', 'doctest/doctest.h', '/dev/null']
  return spawnSync(process.env.CXX ?? 'c++', probe, { stdio: 'ignore' }).status === 0
}
