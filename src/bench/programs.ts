// What is watched: programs that are found on the machine, with a place of their own to work in; others are left out with a line.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../addon/addon.ts'
import { TracefpError } from '../errors.ts'
import { costOfCommand } from './measure.ts'
import type { PartContext } from './part.ts'
import { findProgram } from './peers.ts'
import type { Sample } from './result.ts'

export interface Workload {
  readonly name: string
  /** The command that is watched. */
  readonly command: readonly string[]
  readonly cwd: string
  /** Of a server: what asks it until it is to end. */
  readonly client?: Client
}

interface Client {
  readonly port: number
  /** Asks, and then ends the server. */
  readonly script: string
  /** How often it asked, from what it printed. */
  readonly requests: RegExp | number
}

/** What is added to servers is told for so many requests. */
const REQUESTS = 10_000

export interface Workloads {
  readonly found: readonly Workload[]
  readonly skipped: readonly string[]
}

const QUICK: readonly string[] = ['getppid', 'dd', 'find']
const READ_ALL =
  "for (const f of require('fs').readdirSync('.', { recursive: true })) try { require('fs').readFileSync(f) } catch {}"
const COMMIT =
  'git init -q . && git add . && for i in $(seq 150); do echo $i >> log; git add log; git -c user.name=a -c user.email=a@b commit -qm $i; done'
const INSERT =
  'rm -f db; { echo \'create table t(a);\'; for i in $(seq 300); do echo "insert into t values($i);"; done; } | sqlite3 db'

/** `cc` compiles getppid; it and others are skipped where they cannot be. */
export function findWorkloads({ quick, folder, sources }: PartContext): Workloads {
  const found: Workload[] = []
  const skipped: string[] = []
  const tree = makeTree(join(folder, 'tree'))
  const make = makeUnits(join(folder, 'make'))
  const sh = (script: string): string[] => ['sh', '-c', script]
  const add = (
    name: string,
    needs: readonly string[],
    command: readonly string[],
    cwd: string,
    client?: Client,
  ): void => {
    if (quick && !QUICK.includes(name)) return
    const missing = needs.filter((need) => findProgram(need) === undefined)
    if (missing.length > 0) skipped.push(`${name}: ${missing.join(' and ')} not on this machine`)
    else found.push({ name, command, cwd, ...(client === undefined ? {} : { client }) })
  }
  const getppid = compileC(join(sources, 'calls.c'), join(folder, 'calls'))
  if (getppid === undefined) skipped.push('getppid: no C compiler (cc) on this machine')
  else add('getppid', [], [getppid, quick ? '20000' : '100000'], folder)
  add(
    'dd',
    ['dd'],
    ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', `count=${quick ? 8000 : 20000}`, 'status=none'],
    folder,
  )
  add('find', ['find'], ['find', quick ? '/usr/share/doc' : '/usr/share', '-name', 'nothing*'], folder)
  if (!quick && findProgram('git') !== undefined) spawnSync('sh', ['-c', COMMIT], { cwd: tree, stdio: 'ignore' })
  add('git log', ['git'], ['git', 'log', '--stat'], tree)
  add('tar', ['tar'], sh('tar cf - /usr/include/linux /usr/include/c++ | cat > /dev/null'), folder)
  add('make -j2', ['make', 'cc'], sh('make -s clean; make -s -j2'), make)
  add('sqlite3', ['sqlite3'], sh(INSERT), folder)
  add('node', [], [process.execPath, '-e', READ_ALL], tree)
  addServers(add, folder)
  return { found, skipped }
}

function addServers(
  add: (name: string, needs: readonly string[], command: readonly string[], cwd: string, client?: Client) => void,
  folder: string,
): void {
  const redis = ['redis-server', '--port', '46379', '--save', '', '--appendonly', 'no', '--dir', folder]
  add('redis-benchmark', ['redis-server', 'redis-benchmark', 'redis-cli'], redis, folder, {
    port: 46_379,
    script: 'redis-benchmark -p 46379 -n 5000 -c 20 -t get,set -q; redis-cli -p 46379 shutdown nosave; true',
    requests: 10_000,
  })
  const config = join(folder, 'nginx.conf')
  writeFileSync(join(folder, 'index.html'), 'x'.repeat(500))
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log /dev/null;\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:46380; root ${folder}; } }\n`,
  )
  const nginx = findProgram('nginx') ?? 'nginx'
  const stop = `${nginx} -c ${config} -s quit`
  add('nginx + wrk', ['nginx', 'wrk'], [nginx, '-c', config], folder, {
    port: 46_380,
    script: `wrk -t1 -c8 -d1 http://127.0.0.1:46380/; ${stop}; true`,
    requests: /(\d+) requests in/,
  })
}

/** What a workload costs under a watcher. A server is waited for, asked and ended; its client is not counted. */
export async function costOfWorkload(
  prefix: readonly string[],
  { command, cwd, client }: Workload,
  env: NodeJS.ProcessEnv,
): Promise<Sample> {
  const whole = [...prefix, ...command]
  // A miss now and then is no matter here: what a program may do was learned from a few runs.
  if (client === undefined) return costOfCommand(whole, { cwd, env }, [0, 100, 101])
  const { bench } = loadAddon()
  const before = bench.childCpuUs()
  const start = performance.now()
  const server = spawn(whole[0] as string, whole.slice(1), { cwd, env, stdio: 'ignore' })
  const over = new Promise((resolve) => server.once('close', resolve))
  await listening(client.port)
  const ready = bench.childCpuUs()
  const { stdout } = spawnSync('sh', ['-c', client.script], { cwd, env, encoding: 'utf8', timeout: 120_000 })
  const asked = bench.childCpuUs()
  await over
  const requests = typeof client.requests === 'number' ? client.requests : Number(client.requests.exec(stdout)?.[1])
  if (!(requests > 0))
    throw new TracefpError('TFP_ERR_BENCH', `${command[0]}: its client did not say how often it asked`)
  const cpuMs = (bench.childCpuUs() - asked + ready - before) / 1000
  return { cpuMs, wallMs: performance.now() - start, work: requests / REQUESTS }
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const isThere = await new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (isThere) return
    await sleep(25)
  }
  throw new TracefpError('TFP_ERR_BENCH', `nobody listens at port ${port}`)
}

/** Undefined: there is no compiler, or it cannot. */
export function compileC(source: string, file: string): string | undefined {
  const cc = findProgram('cc')
  if (cc === undefined) return undefined
  const { status } = spawnSync(cc, ['-O1', '-pthread', '-o', file, source], { stdio: 'ignore' })
  return status === 0 ? file : undefined
}

function makeTree(folder: string): string {
  for (let i = 0; i < 800; i += 1) {
    const place = join(folder, `${i % 40}`)
    if (i < 40) mkdirSync(place, { recursive: true })
    writeFileSync(join(place, `${i}.txt`), `line ${i}\n`.repeat(50))
  }
  return folder
}

function makeUnits(folder: string): string {
  mkdirSync(folder)
  const units = Array.from({ length: 7 }, (_, i) => `u${i}`)
  for (const unit of units) {
    writeFileSync(join(folder, `${unit}.c`), `#include <stdio.h>\nint ${unit}(void) { return puts("x"); }\n`)
  }
  const objects = units.map((unit) => `${unit}.o`).join(' ')
  const rules = `all: ${objects}\n%.o: %.c\n\t$(CC) -O1 -c $< -o $@\nclean:\n\trm -f *.o\n`
  writeFileSync(join(folder, 'Makefile'), rules)
  return folder
}
