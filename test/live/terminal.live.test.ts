// Interactive programs in a real terminal (tmux): stopping, going on and ^C are theirs, and the shell sees what it would see
// without tracefp.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/package.ts'

const folder = mkdtempSync(join(tmpdir(), 'terminal-'))
const run = `${process.execPath} ${join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')} run -q --exit-status program`
afterAll(() => rmSync(folder, { recursive: true }))

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
// A server that is shutting down would take a new session with it: each test has its own.
let server = 0
const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-L', `tracefp-${process.pid}-${server}`, ...args], { encoding: 'utf8' })
const screen = (): string => tmux('capture-pane', '-p', '-t', 't')
const type = (...keys: string[]): string => tmux('send-keys', '-t', 't', ...keys)

async function see(what: RegExp): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (what.test(screen())) return
    await sleep(50)
  }
  throw new Error(`${what} does not come:\n${screen()}`)
}

const PIECES = ['tmux', 'bash'].filter((command) => !has(command))

describe.skipIf(PIECES.length > 0)(
  `in a terminal${PIECES.length > 0 ? ` (skipped: no ${PIECES.join(', ')})` : ''}`,
  () => {
    beforeEach(() => {
      server += 1
      const environment = ['-e', `TRACEFP_HOME=${join(folder, 'home')}`, '-e', 'PS1=$ ', '-e', 'TERM=screen']
      tmux(
        '-f',
        '/dev/null',
        'new-session',
        '-d',
        '-s',
        't',
        '-x',
        '120',
        '-y',
        '30',
        ...environment,
        'bash --norc --noprofile',
      )
    })
    afterEach(() => {
      tmux('kill-server')
    })

    test('^C ends the program, and the exit code is 130', async () => {
      type(`${run} sleep 100`, 'Enter')
      await sleep(700)
      type('C-c', '')
      type('echo code=$?', 'Enter')
      await see(/code=130/)
    })

    test('^C ends a program that is frozen at a miss, and what it froze at does not happen', async () => {
      const [file, made] = [join(folder, 'frozen.tfp'), join(folder, 'made')]
      const tracefp = `${process.execPath} ${join(PACKAGE_ROOT, 'lib', 'tracefp.cjs')}`
      const script = `sh -c '[ "$1" = odd ] && mkdir ${made}; exit 3' sh`
      type(`${tracefp} learn -o ${file} --runs 1 -- ${script} && echo learned-$((40 + 2))`, 'Enter')
      await see(/learned-42/)
      type(`${tracefp} run -f ${file} --on-miss freeze -- ${script} odd`, 'Enter')
      await see(/tracefp release/)
      type('C-c', '')
      type('echo code=$?', 'Enter')
      await see(/code=100/)
      expect(existsSync(made)).toBe(false)
    })

    test('^D ends a program that reads the terminal', async () => {
      type(`${run} cat`, 'Enter')
      await sleep(500)
      type('hello', 'Enter')
      await see(/hello\s+hello/)
      type('C-d', '')
      type('echo code=$?', 'Enter')
      await see(/code=0/)
    })

    test('^Z stops the job as its shell expects it, and fg goes on where it was', async () => {
      type(`${run} sh -c 'echo started; read -r x; echo "read $x"'`, 'Enter')
      await see(/^started/m)
      type('C-z', '')
      await see(/Stopped/)
      type('fg', 'Enter')
      await sleep(300)
      type('word', 'Enter')
      await see(/^read word/m)
    })

    test.skipIf(!has('vi'))('an editor stops, goes on and writes its file', async () => {
      const file = join(folder, 'edited.txt')
      type(`${run} vi -u NONE ${file}`, 'Enter')
      await see(/~\s+~/)
      type('ihello world')
      type('Escape', '')
      await sleep(300)
      type('C-z', '')
      await see(/Stopped/)
      type('fg', 'Enter')
      await see(/~\s+~/)
      type(':wq', 'Enter')
      type('echo code=$?', 'Enter')
      await see(/code=0/)
      expect(readFileSync(file, 'utf8')).toBe('hello world\n')
    })

    test('a shell under tracefp controls its own jobs', async () => {
      type(`${run} bash --norc --noprofile -i`, 'Enter')
      type('PS1="in> "', 'Enter')
      await see(/^in>/m)
      type('sleep 60', 'Enter')
      await sleep(300)
      type('C-z', '')
      await see(/Stopped/)
      type('bg; kill %1; wait; echo done-$((40 + 2))', 'Enter')
      await see(/done-42/)
      type('exit 9', 'Enter')
      type('echo code=$?', 'Enter')
      await see(/code=9/)
    })
  },
)
