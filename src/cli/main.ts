// The command line. What it does stands in program.ts; here is only how the process ends.

import { EXIT_CODES, kindOf } from './exit-codes.ts'
import { runCli } from './program.ts'

const args = process.argv.slice(2)
let isOver = false

// A command that waits for what never comes leaves an empty event loop; Node would end with 13, which could be the program's.
process.once('exit', () => {
  if (!isOver) process.exitCode = EXIT_CODES[kindOf(args[0])].failed
})

// Not awaited at the top level: the file is bundled as CommonJS, which starts in half the time.
void runCli(args).then((code) => {
  isOver = true
  if (code !== undefined) process.exitCode = code
})
