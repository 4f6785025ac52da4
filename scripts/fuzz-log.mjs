// Fuzzes the native scanner of logs, its teller, its judge and the processes that it follows with libFuzzer under ASan and UBSan: builds test/native/log/scanner_fuzz.cc, runs it, and keeps
// the smallest corpus with the same coverage in build/fuzz. Usage: fuzz-log.mjs [seconds = 60]. Needs clang (clang-14).

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isOnPath, ROOT } from './toolchain.mjs'

const FLAGS = '-std=c++20 -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all'
// What lines are made of, so that whole lines are found soon.
const WORDS = [
  '7     ',
  '[pid  7] ',
  '7<a> ',
  '03:12:48.112836 ',
  '1795403568.296479 ',
  '     0.000205 ',
  '(+     0.000205) ',
  '[ 257] ',
  '[00007f43c6a21ad7] ',
  'read(3, ',
  'close(3',
  'a("f"',
  '<... a resumed>',
  'futex(0x7f, ',
  'set_robust_list(0x7f) ',
  ') = 0\n',
  ') = 0x7f\n',
  ') = -1 ENOENT (No such file or directory)\n',
  ') = 3</etc/hosts>\n',
  ') = 1 <0.000109>\n',
  ') = ? ERESTARTSYS (To be restarted)\n',
  '<... read resumed>',
  '<unfinished ...>\n',
  'gettid() = 7\n',
  'rt_sigaction(SIGINT, NULL, ',
  'SIGINT, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTORER}',
  '<... rt_sigaction resumed>',
  'execve("/bin/a", ["a"], 0x7f /* 3 vars */',
  '--- SIGCHLD {si_signo=SIGCHLD} ---\n',
  '+++ exited with 1 +++\n',
  ') = ?\n',
  '7  vfork( <unfinished ...>\n',
  '7  <... vfork resumed>) = 8\n',
  '8  exit_group(0) = ?\n',
  '8  rt_sigreturn({mask=[]}) = 0\n',
  '8  brk(NULL) = 0x55f470d92000\n',
]
/** Processes that begin, execute, are interrupted and end. */
const LIVES = `7  clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8
8  execve("/bin/a", ["a"], 0x7f /* 3 vars */) = 0
8  brk(NULL) = 0x55f470d92000
7  vfork( <unfinished ...>
9  execve("/bin/a", ["a"], 0x7f /* 3 vars */ <unfinished ...>
7  <... vfork resumed>) = 9
8  exit_group(0) = ?
8  +++ exited with 0 +++
9  <... execve resumed>) = 0
9  brk(NULL) = 0x55f470d92000
7  --- SIGCHLD {si_signo=SIGCHLD} ---
7  read(3) = 1
7  rt_sigreturn({mask=[]}) = 0
7  rt_sigaction(SIGINT, {sa_handler=0x562c9f76ddc0, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART}, NULL, 8) = 0
7  rt_sigaction(SIGCHLD, {sa_handler=SIG_DFL, sa_mask=~[RTMIN RT_1], sa_flags=0},  <unfinished ...>
9  execve("/bin/b", ["b"], 0x7f /* 3 vars */) = -1 ENOENT (No such file or directory)
7  <... rt_sigaction resumed>NULL, 8) = 0
9  exit_group(0 <unfinished ...>
9  <... exit_group resumed>) = ?
9  +++ exited with 0 +++
`

const [seconds = '60'] = process.argv.slice(2)
const folder = path.join(ROOT, 'build/fuzz')
const corpus = path.join(folder, 'corpus')
const program = path.join(folder, 'scanner_fuzz')
const compiler = ['clang++', 'clang++-14'].find(isOnPath)
if (compiler === undefined) fail('no clang++: on Debian or Ubuntu: apt-get install clang-14')

mkdirSync(corpus, { recursive: true })
const sources = readdirSync(path.join(ROOT, 'native/log')).filter((name) => name.endsWith('.cc'))
const others = ['native/match/table.cc', 'native/syscall/abi.cc']
const files = ['test/native/log/scanner_fuzz.cc', ...sources.map((name) => `native/log/${name}`), ...others]
run(compiler, [...FLAGS.split(' '), '-Inative', ...files, '-o', program])

const dictionary = path.join(folder, 'words')
writeFileSync(dictionary, WORDS.map((word) => `"${word.replace(/\n/g, '\\x0A').replace(/"/g, '\\"')}"\n`).join(''))
for (const [index, log] of seeds().entries()) writeFileSync(path.join(corpus, `seed-${index}`), log)
run(program, [
  corpus,
  `-dict=${dictionary}`,
  `-max_total_time=${seconds}`,
  '-max_len=1024',
  `-artifact_prefix=${folder}/`,
])

const smaller = path.join(folder, 'smaller')
rmSync(smaller, { recursive: true, force: true })
mkdirSync(smaller)
run(program, ['-merge=1', smaller, corpus])
rmSync(corpus, { recursive: true })
renameSync(smaller, corpus)
console.log(`no crash in ${seconds} s; ${readdirSync(corpus).length} inputs in ${corpus}`)

/** The beginning of each log of the fixtures, under several readings of its prefix. */
function seeds() {
  const fixtures = path.join(ROOT, 'test/fixtures/strace')
  const lives = Buffer.from(`\0\x09${LIVES}`)
  if (!existsSync(fixtures)) return [lives]
  const logs = readdirSync(fixtures).filter((name) => name.endsWith('.log'))
  const own = logs.flatMap((name, index) => {
    const text = readFileSync(path.join(fixtures, name)).subarray(0, 1000)
    return [0, 1, 2, 3].map((form) => Buffer.concat([Buffer.from([(index * 4 + form) & 63, 37 * index]), text]))
  })
  return [lives, ...own]
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', cwd: ROOT })
  if (status !== 0) fail(`${path.basename(command)} failed`)
}

function fail(why) {
  console.error(why)
  process.exit(1)
}
