// Bundles the command line into lib/tracefp.cjs, the file that `bin` names, and files in lib/parts. One of these, `core`, holds
// all that `tracefp run` loads: one CommonJS file starts in half the time of the modules it is made of, and start-up is most of
// what a short run costs. What other commands need stands apart, so that `run` does not load it.

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'rolldown'
import { ROOT } from './toolchain.mjs'

const lib = path.join(ROOT, 'lib')
const parts = 'parts'
/** What a run loads: the command, the task that it starts, the story that the task tells. */
const RUN = ['cli/main.js', 'cli/run.js', 'session/task.js', 'check.js'].map((file) => path.join(lib, file))
/** Packages that a run loads; others come with the part that needs them. */
const OF_CORE = /\/node_modules\/(?:commander|node-gyp-build)\//

const core = new Set()
for (const file of RUN) addWithImports(file)

rmSync(path.join(lib, parts), { recursive: true, force: true })
await build({
  input: RUN[0],
  platform: 'node',
  external: ['libsql'], // native, and optional
  output: {
    dir: path.join(lib, parts),
    format: 'cjs',
    dynamicImportInCjs: false, // src/cli/start.ts gives them `require` only
    entryFileNames: 'core.cjs',
    chunkFileNames: '[name]-[hash].cjs',
    comments: false,
    codeSplitting: { groups: [{ name: 'core', test: (id) => core.has(id) || OF_CORE.test(id) }] },
  },
  checks: { ineffectiveDynamicImport: false },
  logLevel: 'warn',
})
await build({
  input: path.join(lib, 'cli/start.js'),
  platform: 'node',
  output: { file: path.join(lib, 'tracefp.cjs'), format: 'cjs', comments: false },
  logLevel: 'warn',
})
chmodSync(path.join(lib, 'tracefp.cjs'), 0o755)
// Each part is the function that src/cli/start.ts calls: it need not make a copy then.
for (const name of readdirSync(path.join(lib, parts))) {
  const part = path.join(lib, parts, name)
  const text = readFileSync(part, 'utf8')
  writeFileSync(part, `(function (exports, require, module, __filename, __dirname) {${text}\n})`)
}

/** The file and what it imports statically, as far as that is ours. */
function addWithImports(file) {
  if (core.has(file)) return
  core.add(file)
  for (const [, target] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\b[^'"\n]*?(?:from )?'(\.[^']+)'/gm,
  )) {
    addWithImports(path.resolve(path.dirname(file), target))
  }
}
