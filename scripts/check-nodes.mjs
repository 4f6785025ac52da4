// node scripts/check-nodes.mjs [22 24]: the file that was built here, under other versions of Node: the command line answers,
// and the live tests pass. Arguments that begin with test/ choose other tests.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fetchNode } from './nodes.mjs'
import { MAIN, orExit, setUp } from './setup.mjs'
import { ROOT, SetupError } from './toolchain.mjs'

const args = process.argv.slice(2)
const versions = args.filter((word) => /^\d/.test(word))
const tests = args.filter((word) => word.startsWith('test/'))

orExit(() => {
  setUp()
  for (const version of versions.length > 0 ? versions : ['22', '24']) {
    const node = fetchNode(process.arch, version)
    const { stdout, status } = spawnSync(node, [MAIN, '--version'], { encoding: 'utf8' })
    if (status !== 0) throw new SetupError(`tracefp --version ends with ${status} under Node ${version}`)
    console.log(`Node ${version}: tracefp ${stdout.trim()}`)
    const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs')
    const run = [vitest, 'run', ...(tests.length > 0 ? tests : ['test/live'])]
    const outcome = spawnSync(node, run, { cwd: ROOT, stdio: 'inherit' })
    if (outcome.status !== 0) throw new SetupError(`tests failed under Node ${version}`)
  }
})
