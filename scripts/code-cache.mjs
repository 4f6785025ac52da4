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
// All kinds of lines, often enough for the scanner to tell them.
const PROCESS = `1 10:00:00.000001 rt_sigaction(SIGCHLD, {sa_handler=0x561135, sa_mask=[], sa_flags=SA_RESTORER}, NULL, 8) = 0
1 10:00:00.000002 rt_sigaction(SIGINT, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0
1 10:00:00.000003 vfork( <unfinished ...>
2 10:00:00.000004 rt_sigprocmask(SIG_SETMASK, [], ~[KILL STOP], 8) = 0
2 10:00:00.000005 execve("/bin/true", ["true"], 0x7ffc9b55 /* 3 vars */ <unfinished ...>
1 10:00:00.000006 <... vfork resumed>) = 2
2 10:00:00.000007 <... execve resumed>) = 0
2 10:00:00.000008 brk(NULL) = 0x562075587000
2 10:00:00.000009 set_tid_address(0x7fa83007ba10) = 2
1 10:00:00.000010 wait4(-1,  <unfinished ...>
2 10:00:00.000011 exit_group(0) = ?
2 10:00:00.000012 +++ exited with 0 +++
1 10:00:00.000013 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 2
1 10:00:00.000014 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=2} ---
1 10:00:00.000015 rt_sigreturn({mask=[]}) = 2
1 10:00:00.000016 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7fa83007ba10) = 2
2 10:00:00.000017 getpid() = 2
2 10:00:00.000018 exit_group(0) = ?
2 10:00:00.000019 +++ exited with 0 +++
1 10:00:00.000020 clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, stack=0x7f0012}, 88 <unfinished ...>
3 10:00:00.000021 rseq(0x7f0013ffffe0, 0x20, 0, 0x53053053 <unfinished ...>
1 10:00:00.000022 <... clone3 resumed> => {parent_tid=[3]}, 88) = 3
3 10:00:00.000023 <... rseq resumed>) = 0
3 10:00:00.000024 exit(0) = ?
3 10:00:00.000025 +++ exited with 0 +++
`
const LOG = `1 10:00:00.000000 execve("/bin/sh", ["sh"], 0x7ffc9b55 /* 3 vars */) = 0
1 10:00:00.000000 brk(NULL) = 0x562075587000
${PROCESS.repeat(50)}1 10:00:01.000000 exit_group(0) = ?
1 10:00:01.000000 +++ exited with 0 +++
`

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
