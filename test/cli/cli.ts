// Runs the command line for tests: in this process with captured output, or the built executable.

import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Output } from '../../src/cli/output.ts'
import { runCli } from '../../src/cli/program.ts'

export const MAIN: string = fileURLToPath(new URL('../../lib/tracefp.cjs', import.meta.url))

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Captured extends Output {
  readonly stdout: string[]
  readonly stderr: string[]
}

export function capture(): Captured {
  const stdout: string[] = []
  const stderr: string[] = []
  return {
    stdout,
    stderr,
    data: (text) => void stdout.push(text),
    message: (text) => void stderr.push(text),
    hasColor: false,
  }
}

/** In this process. The exit code is what the executable would end with. */
export async function cli(...args: readonly string[]): Promise<Ended> {
  const output = capture()
  const before = process.exitCode
  process.exitCode = undefined
  try {
    const code = (await runCli(args, output)) ?? process.exitCode ?? 0
    return { code: Number(code), stdout: output.stdout.join(''), stderr: output.stderr.join('') }
  } finally {
    process.exitCode = before
  }
}

/** The built executable, below another command where one is given. */
export function tracefp(args: readonly string[], below: readonly string[] = []): Promise<Ended> {
  const [file, ...rest] = [...below, process.execPath, MAIN, ...args] as [string, ...string[]]
  return new Promise((resolve) => {
    execFile(file, rest, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

export function shell(script: string): Ended {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
  return { code: status ?? -1, stdout, stderr }
}

export function hasCommand(name: string): boolean {
  return spawnSync('bash', ['-c', `command -v ${name}`]).status === 0
}

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tracefp-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Of Node's modules: each takes milliseconds to load. */
const LONG = ['child_process', 'crypto', 'fs/promises', 'net', 'tty', 'worker_threads', 'zlib']

/** Which of those the built command line loads for a command that ends with this status. `folder`: TRACEFP_HOME. */
export function longLoadedBy(words: readonly string[], folder: string, status = 0): string[] {
  const [list, result] = [join(folder, 'list.cjs'), join(folder, 'loaded.json')]
  const write = `require('node:fs').writeFileSync(${JSON.stringify(result)}, JSON.stringify(process.moduleLoadList))`
  writeFileSync(list, `process.on('exit', () => { ${write} })`)
  const env = { ...process.env, TRACEFP_HOME: folder, NODE_OPTIONS: '' }
  const ended = spawnSync(process.execPath, ['-r', list, MAIN, ...words], { env, stdio: 'ignore' })
  if (ended.status !== status) throw new Error(`${words.join(' ')} ended with ${ended.status}`)
  const loaded = JSON.parse(readFileSync(result, 'utf8')) as string[]
  return LONG.filter((name) => loaded.includes(`NativeModule ${name}`))
}
