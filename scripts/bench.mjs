// npm run bench: sets the checkout up where needed and measures, as `tracefp bench` does with the same arguments.
// npm run bench:check holds the ratios against scripts/bench-ratios.json; mend that file with --baseline on an idle machine.

import { spawnSync } from 'node:child_process'
import { MAIN, orExit, setUp } from './setup.mjs'

orExit(setUp)
const { status } = spawnSync(process.execPath, [MAIN, 'bench', ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(status ?? 1)
