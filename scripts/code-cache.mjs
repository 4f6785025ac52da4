// Has V8 keep the code that it makes of lib/parts, so that later starts need not make it again: lib/parts/*.code, each for one
// V8, which takes no other's. Only what runs is compiled, so tracefp is used a little: what most people use it for. Without
// ptrace (in some containers) less of it runs, and less is kept. `node scripts/code-cache.mjs [NODE]`: for that binary's V8.
// V8 knows a source again by its length alone, so no code may outlive its part: bundle.mjs removes the folder.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ROOT } from './toolchain.mjs'

const MAIN = path.join(ROOT, 'lib/tracefp.cjs')
const RECORDER = path.join(ROOT, 'scripts/code-cache/record.cjs')
const LOG = '1 execve("/bin/true", ["true"], 0x0 /* 0 vars */) = 0\n1 exit_group(0) = ?\n1 +++ exited with 0 +++\n'

const node = process.argv[2] ?? process.execPath
const folder = mkdtempSync(path.join(tmpdir(), 'tracefp-code-'))
const file = (name) => path.join(folder, name)
const program = ['--', 'sh', '-c', 'ls / | cat; ls /; cat /dev/null']
const uses = [
  ['--help'],
  ['--version'],
  ['doctor'],
  ['learn', '--runs', '2', ...program],
  ['show'],
  ['record', '-o', file('capture'), ...program],
  ['check', file('capture')],
  ['learn', '--from', file('log.strace'), '-o', file('true.tfp')],
  ['check', file('log.strace'), '-f', file('true.tfp')],
  ['run', '--', 'true'],
  ['run', '--', 'sh', '-c', 'ls /; exec ls / /'],
  ['run', '--on-miss', 'deny', ...program],
  ['sessions'],
  ['run', '-q', ...program],
]

writeFileSync(file('log.strace'), LOG)
try {
  const env = { ...process.env, HOME: folder, TRACEFP_HOME: file('home') }
  for (const use of uses) spawnSync(node, ['-r', RECORDER, MAIN, ...use], { env, cwd: folder, stdio: 'ignore' })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
