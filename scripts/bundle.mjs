// Bundles the command line into lib/tracefp.cjs, the file that `bin` names: one CommonJS file starts in half the time of the
// fifty modules it is made of, and start-up is most of what a short `tracefp run` costs.

import { chmodSync } from 'node:fs'
import path from 'node:path'
import { build } from 'rolldown'
import { ROOT } from './toolchain.mjs'

const file = path.join(ROOT, 'lib/tracefp.cjs')
await build({
  input: path.join(ROOT, 'lib/cli/main.js'),
  platform: 'node',
  output: { file, format: 'cjs', codeSplitting: false, comments: false },
  logLevel: 'warn',
})
chmodSync(file, 0o755)
