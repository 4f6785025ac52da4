// npm run lint: format, types, rooms and generated files. --fix (npm run format) formats instead of complaining.
// Every step runs, so that one run shows everything.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { isOnPath, ROOT } from './toolchain.mjs'

const CLANG_FORMAT_MAJOR = '14' // another version formats differently
const isFixing = process.argv.includes('--fix')
const failed = []
const bin = (name) => path.join(ROOT, 'node_modules/.bin', name)

step('biome', [bin('biome'), 'check', '--error-on-warnings', ...(isFixing ? ['--write'] : [])])
formatNative()
if (!isFixing) {
  step('types', [bin('tsc'), '--noEmit'])
  step('types of the browser tests', [bin('tsc'), '--noEmit', '-p', 'test/browser'])
  step('rooms', [process.execPath, 'scripts/check-rooms.mjs'])
  for (const name of readdirSync(path.join(ROOT, 'scripts'))) {
    if (name.startsWith('generate-')) step(`${name} --check`, [process.execPath, `scripts/${name}`, '--check'])
  }
}
if (failed.length > 0) {
  console.error(`lint: ${failed.join(', ')} failed`)
  process.exit(1)
}

function formatNative() {
  const sources = ['native', 'test/native']
    .filter((folder) => existsSync(path.join(ROOT, folder)))
    .flatMap((folder) => readdirSync(path.join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${name}`))
    .filter((file) => /\.(?:cc|h)$/.test(file) && !file.includes('.gen.'))
  const tool = ['clang-format-14', 'clang-format'].find(isOnPath)
  const version = tool && /version (\d+)/.exec(spawnSync(tool, ['--version'], { encoding: 'utf8' }).stdout)?.[1]
  if (version !== CLANG_FORMAT_MAJOR) {
    console.error(`clang-format: skipped, needs version ${CLANG_FORMAT_MAJOR} (apt-get install clang-format-14)`)
    if (process.env.CI) failed.push('clang-format')
    return
  }
  step('clang-format', [tool, ...(isFixing ? ['-i'] : ['--dry-run', '-Werror']), ...sources])
}

function step(title, [command, ...args]) {
  const outcome = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' })
  if (outcome.status !== 0) failed.push(title)
}
