// service.c as a process that is there before anybody attaches, and its letters.
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { learn } from '../../src/index.ts'
import { DEFAULT_TRANSPARENT } from '../../src/model/fingerprint.ts'

/** All it was ever seen to do, in every order that matters. */
const LEARNED = 'gtfsxcigtsfxcggttffssxxcciigstxfcigfgsgxgcgiftxtcq'

let running: Service[] = []

export class Service {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  #output = ''
  readonly ended: Promise<number | null>

  /** `marker`: what it makes when it does evil. */
  constructor(program: string, marker: string, cwd = '/') {
    // Below a shell: a child of this process could not be attached to.
    const args = ['-c', '"$0" "$1"; exit $?', program, marker]
    this.process = spawn('sh', args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
    this.process.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
    })
    this.ended = new Promise((resolve) => this.process.once('exit', resolve))
    running.push(this)
  }

  get pid(): number {
    const shell = this.process.pid as number
    return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'latin1').split(' ')[0])
  }

  /** It has begun. */
  async ready(): Promise<this> {
    await this.ask('i')
    return this
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** Its answers to these letters, one after the other. */
  async ask(letters: string): Promise<string[]> {
    const answers: string[] = []
    for (const letter of letters) {
      this.#output = ''
      this.process.stdin.write(letter)
      for (let i = 0; !this.#output.endsWith('\n'); i++) {
        if (i > 500) throw new Error(`no answer to ${letter}`)
        await sleep(10)
      }
      answers.push(this.#output.trim())
    }
    return answers
  }
}

/** Those that still run. */
export function killServices(): void {
  for (const service of running.filter(({ process }) => process.exitCode === null)) service.kill('SIGKILL')
  running = []
}

/** Compiles it into `folder`, and learns all it was ever seen to do. */
export async function learnService(folder: string, file: string, home: string, runs = 8): Promise<string> {
  const program = join(folder, 'service')
  execFileSync('cc', ['-O1', '-pthread', '-o', program, join(import.meta.dirname, 'service.c')])
  const letters = join(folder, 'letters')
  writeFileSync(letters, LEARNED)
  // Whether a thread has ended before it is waited for is chance.
  const settings = { transparent: [...DEFAULT_TRANSPARENT, 'futex'] }
  for (let i = 0; i < runs; i++) {
    await learn(['sh', '-c', `exec ${program} < ${letters}`], { stdio: 'ignore', file, home, settings })
  }
  return program
}
