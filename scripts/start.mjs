// npm start: sets the checkout up where needed, then is tracefp: `npm start -- run -- ls` is `tracefp run -- ls`.
// Without arguments it runs the demo. Everything goes on in this very process, so that nothing stands between the
// terminal and an interactive program.

import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { MAIN, orExit, setUp } from './setup.mjs'
import { ROOT, SetupError } from './toolchain.mjs'

const args = process.argv.slice(2)
const program = args.length > 0 ? MAIN : path.join(ROOT, 'examples/demo.mjs')
orExit(() => {
  setUp()
  if (!existsSync(program)) throw new SetupError(`this checkout holds no ${path.relative(ROOT, program)}`)
})
process.argv = [process.execPath, program, ...args]
await import(pathToFileURL(program).href)
