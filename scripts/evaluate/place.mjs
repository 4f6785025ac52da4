// Where the evaluation works: one temporary directory, removed at the end, and helpers for what runs in it.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PORT_LIMIT_MS = 15_000

export function makePlace() {
  const root = mkdtempSync(join(tmpdir(), 'tracefp-evaluate-'))
  const work = join(root, 'work')
  const place = {
    root,
    /** Empty at the start of every run, always under the same name. */
    work,
    home: join(root, 'home'),
    renew() {
      rmSync(work, { recursive: true, force: true })
      mkdirSync(work)
    },
    write(name, text) {
      const file = join(root, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    remove() {
      rmSync(root, { recursive: true, force: true })
    },
  }
  mkdirSync(place.home)
  place.renew()
  return place
}

/** The environment of every program: the same, whoever starts the evaluation. */
export function environment(place) {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: place.home, TMPDIR: place.work, LANG: 'C', TZ: 'UTC' }
}

export function hasCommand(name) {
  return environment({})
    .PATH.split(':')
    .some((folder) => existsSync(join(folder, name)))
}

/** @throws Error with what the compiler said. */
export function compile(args) {
  const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cc ${args.join(' ')}: ${error?.message ?? stderr}`)
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Sends what is given and resolves to what came until the other end closed, or until `isComplete(answer)`. */
export function talk(port, bytes, isComplete = () => false) {
  return new Promise((resolve, reject) => {
    const chunks = []
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes))
    socket.setTimeout(PORT_LIMIT_MS, () => socket.destroy(new Error(`port ${port} does not answer`)))
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (isComplete(Buffer.concat(chunks).toString('latin1'))) socket.end()
    })
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}

/** Until `attempt` succeeds, which begins with a connection. */
export async function waitForPort(attempt) {
  const end = Date.now() + PORT_LIMIT_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (error.code !== 'ECONNREFUSED' || Date.now() > end) throw error
      await sleep(20)
    }
  }
}
