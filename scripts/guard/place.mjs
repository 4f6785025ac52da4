// Where guard mode is proved: a temporary directory with the tracees in it and a tracefp of its own, both for a user
// without rights. Root could reach into its tracer, so what is proved for root says less.

import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ADDON } from '../setup.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NOBODY = 65_534
const RUN_LIMIT_MS = 20_000
/** A tracefp that the program stopped is let go on after so long. */
const STOPPED_MS = 500

export function makePlace() {
  const root = mkdtempSync(join(tmpdir(), 'tracefp-guard-'))
  const user = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const own = (path) => user.uid !== undefined && chownSync(path, user.uid, user.gid)
  chmodSync(root, 0o755)
  mkdirSync(join(root, 'lib'))
  copyFileSync(join(ROOT, 'package.json'), join(root, 'package.json'))
  for (const part of ['lib/tracefp.cjs', 'lib/parts']) cpSync(join(ROOT, part), join(root, part), { recursive: true })
  copyFileSync(process.env.TRACEFP_ADDON ?? ADDON, join(root, 'tracefp.node'))
  const work = join(root, 'work')
  const place = {
    root,
    work,
    isRoot: process.getuid() === 0,
    /** Empty, and the user's. */
    renew() {
      rmSync(work, { recursive: true, force: true })
      mkdirSync(work)
      own(work)
    },
    compile(name) {
      const source = join(ROOT, 'test/tracees', `${name}.c`)
      const file = join(root, name)
      const flags = ['-O1', '-g0', '-pthread', '-D_GNU_SOURCE', '-static']
      const { status, stderr } = spawnSync('cc', [...flags, '-o', file, source], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`cannot compile ${name}: ${stderr}`)
      return file
    },
    /** tracefp as that user, in `work`; what it said on stderr, and its exit code. */
    async tracefp(...args) {
      const child = spawn(process.execPath, [join(root, 'lib/tracefp.cjs'), ...args], {
        ...user,
        cwd: work,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH, TRACEFP_HOME: join(root, 'home'), TRACEFP_ADDON: join(root, 'tracefp.node') },
      })
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (chunk) => {
        stdout += chunk
      })
      child.stderr.on('data', (chunk) => {
        stderr += chunk
      })
      const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
      let isOver = false
      const watching = keepGoing(child, () => isOver)
      const { code, signal } = await ended
      isOver = true
      const { wasStopped, isLate } = await watching
      return { code, signal, stdout, stderr, wasStopped, isLate }
    },
    remove() {
      rmSync(root, { recursive: true, force: true })
    },
  }
  mkdirSync(join(root, 'home'))
  own(join(root, 'home'))
  place.renew()
  return place
}

/** Continues a tracefp that was stopped from below, and ends one that takes too long. */
async function keepGoing(child, isOver) {
  const startedAt = Date.now()
  let stoppedSince = 0
  let wasStopped = false
  let isLate = false
  while (!isOver()) {
    await sleep(50)
    if (!isStopped(child.pid)) stoppedSince = 0
    else if (stoppedSince === 0) stoppedSince = Date.now()
    else if (Date.now() - stoppedSince > STOPPED_MS) {
      wasStopped = true
      child.kill('SIGCONT')
    }
    if (Date.now() - startedAt > RUN_LIMIT_MS && !isLate) {
      isLate = true
      child.kill('SIGKILL')
    }
  }
  return { wasStopped, isLate }
}

function isStopped(pid) {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}
