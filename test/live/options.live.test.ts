// Options that are read while the worker that gives them is being terminated.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const ADDON = new URL('../../lib/addon/addon.js', import.meta.url).href
const RING = new URL('../../lib/ring/reader.js', import.meta.url).href

/** Of each object the names that the addon reads. */
const READ: Readonly<Record<string, readonly string[]>> = {
  options: ['ring', 'onDoorbell', 'engine', 'isGuarded', 'guessesRestarts', 'launch', 'attach', 'follow'],
  launch: [
    ...['path', 'argv', 'env', 'cwd', 'stdio', 'uid', 'gid', 'pin', 'sendsListener', 'hidesHost', 'stopsWithRoot'],
    ...['argvBytes', 'envBytes', 'kernelRingBytes', 'held', 'fault'],
  ],
  fault: ['abi', 'nr', 'first', 'isLasting', 'result'],
  held: ['pid', 'gate', 'outcome'],
}

/** A worker that ends at the moment at which one of them is read. */
const WORKER = `
  const { parentPort, workerData } = await import('node:worker_threads')
  const { loadAddon } = await import(${JSON.stringify(ADDON)})
  const { RingReader } = await import(${JSON.stringify(RING)})
  const { NativeSession } = loadAddon()
  const launch = { path: '/bin/true', argv: ['true'], env: [], cwd: '', stdio: [-1, -1, -1], uid: null, gid: null, pin: 'auto',
    sendsListener: false, hidesHost: false, stopsWithRoot: false, fault: null, held: null }
  const fault = { abi: 1, nr: 0, first: 1, isLasting: false, result: 0 }
  const held = { pid: 0, gate: -1, outcome: -1 }
  const options = { engine: 'trace', ring: new RingReader(64).words, onDoorbell: () => {}, isGuarded: false,
    guessesRestarts: false, launch }
  const [object, name] = workerData
  if (object === 'fault') launch.fault = fault
  if (object === 'held') launch.held = held
  const value = { options, launch, fault, held }[object][name]
  let isRead = false
  Object.defineProperty({ options, launch, fault, held }[object], name, { get() {
    isRead = true
    process.exit(7)
    return value
  } })
  new NativeSession(options)
  parentPort.postMessage(isRead ? 'went on' : 'was not read')
`

const HOST = `
  const { Worker } = await import('node:worker_threads')
  const read = ${JSON.stringify(READ)}
  for (const [object, names] of Object.entries(read)) for (const name of names) {
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(WORKER)})), { workerData: [object, name] })
    worker.on('message', (what) => console.log(object, name, what))
    worker.on('error', (error) => console.log(object, name, error.message))
    const code = await new Promise((resolve) => worker.on('exit', resolve))
    if (code !== 7) console.log(object, name, 'exit', code)
  }
  console.log('lives')
`

test('a worker that ends while its options are read starts nothing and leaves its host alive', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', HOST], {
    encoding: 'utf8',
  })
  expect({ stdout, stderr, status }).toEqual({ stdout: 'lives\n', stderr: '', status: 0 })
}, 60_000)
