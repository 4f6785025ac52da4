// The words of tracefp share their descriptors with the traced program: nothing may be done to them but write.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { asJson, colored, oneLine, stdio, writeAll } from '../../src/cli/output.ts'
import { capture, MAIN, shell, temporaryFolder } from './cli.ts'

/** Whether the standard streams are one must not depend on what the tests were started from. */
const asked = vi.hoisted(() => ({ isTerminal: false }))
vi.mock('../../src/cli/terminal.ts', async (actual) => ({
  ...(await actual<typeof import('../../src/cli/terminal.ts')>()),
  isTerminal: () => asked.isTerminal,
}))

const SOURCES = new URL('../../src/cli/', import.meta.url)

afterEach(() => {
  vi.unstubAllEnvs()
})

test('no command opens the streams of Node', () => {
  for (const file of readdirSync(SOURCES).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(new URL(file, SOURCES), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
    expect(text, file).not.toMatch(/process\.(stdin|stdout|stderr)|\bconsole\./)
  }
})

test('everything is written to a descriptor that somebody made non-blocking', async () => {
  const fifo = join(temporaryFolder(), 'fifo')
  spawnSync('mkfifo', [fifo])
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  const reader = openSync(fifo, 'r')
  const wc = spawn('sh', ['-c', 'sleep 0.2; exec wc -c'], { stdio: [reader, 'pipe', 'ignore'] })
  const counted = once(wc.stdout as Readable, 'data')
  closeSync(reader)
  writeAll(fd, 'x'.repeat(1_000_000))
  closeSync(fd)
  expect(String((await counted)[0]).trim()).toBe('1000000')
})

test('a pipe without a reader ends the executable quietly', () => {
  const ended = shell(`set -o pipefail; sleep 0.3 | '${process.execPath}' '${MAIN}' --version | true`)
  expect(ended).toEqual({ code: 141, stdout: '', stderr: '' })
})

test('a stderr that cannot be written changes nothing', () => {
  expect(shell(`'${process.execPath}' '${MAIN}' nonsense 2>/dev/full`).code).toBe(125)
})

test('data that cannot be written is an error, not silence', () => {
  const ended = shell(`'${process.execPath}' '${MAIN}' completion bash >/dev/full`)
  expect(ended.code).toBe(5)
  expect(ended.stderr).toMatch(/^tracefp: stdout: ENOSPC: no space left on device.*\n$/)
})

test('JSON is ASCII and stays the same value', () => {
  const value = { path: 'é\u202e\u009b😀\u001b' }
  expect(asJson(value)).toMatch(/^[ -~]*$/)
  expect(JSON.parse(asJson(value))).toEqual(value)
})

test('one line stays one line', () => {
  expect(oneLine(' a\n  b\r\u001b[31m\u202ec ')).toBe('a b??[31m?c')
})

test('colour is for terminals that want it', () => {
  expect(colored('ok', 'green', capture())).toBe('ok')
  expect(colored('ok', 'green', { ...capture(), hasColor: true })).toBe('\u001b[32mok\u001b[0m')
  vi.stubEnv('TERM', 'xterm')
  vi.stubEnv('NO_COLOR', '')
  asked.isTerminal = true
  expect(stdio.hasColor).toBe(true)
  vi.stubEnv('NO_COLOR', '1')
  expect(stdio.hasColor).toBe(false)
  vi.stubEnv('NO_COLOR', '')
  asked.isTerminal = false
  expect(stdio.hasColor).toBe(false)
})

test.each([
  ['/dev/ptmx', true],
  ['/dev/null', false],
  ['/dev/zero', false],
  ['/proc/self/status', false],
  ['/', false],
])('a descriptor of %s is a terminal: %s', async (path, is) => {
  const { isTerminal } = await vi.importActual<typeof import('../../src/cli/terminal.ts')>('../../src/cli/terminal.ts')
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOCTTY)
  expect(isTerminal(descriptor)).toBe(is)
  closeSync(descriptor)
  expect(isTerminal(descriptor)).toBe(false)
})
