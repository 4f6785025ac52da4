// node scripts/prove-sinks.mjs [rounds]: does a sink that hangs, refuses or answers 500 slow the program that is watched? The same
// program, with the same first miss, is run in turns under policies without a sink and with each of these. What is measured is
// the time that dd itself tells for its 300,000 calls, after the miss was told.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { ROOT } from './toolchain.mjs'

const rounds = Number(process.argv[2] ?? 7)
const MAIN = path.join(ROOT, 'lib/tracefp.cjs')
const folder = mkdtempSync(path.join(tmpdir(), 'tracefp-sinks-'))
const fingerprint = path.join(folder, 'sh.tfp')
const dd = 'dd if=/dev/zero of=/dev/null bs=1 count=150000'

// The receivers must not wait for the runs, which this thread does.
const servers = new Worker(
  `
  const { createServer } = require('node:http')
  const { createServer: createTcpServer } = require('node:net')
  const { parentPort } = require('node:worker_threads')
  const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
  Promise.all([
    listen(createTcpServer(() => {})),
    listen(createServer((request, response) => response.writeHead(500).end())),
  ]).then((ports) => parentPort.postMessage(ports))
  `,
  { eval: true },
)
const [hanging, failing] = await new Promise((resolve) => servers.once('message', resolve))

const POLICIES = {
  'no sink': '',
  hangs: sink(`http://127.0.0.1:${hanging}/`),
  'answers 500': sink(`http://127.0.0.1:${failing}/`),
  refuses: sink('http://127.0.0.1:1/'),
}

function sink(url) {
  return `[alert]\nfrom = "low"\n[[sink]]\ntype = "webhook"\nurl = "${url}"\n`
}

function tracefp(home, ...args) {
  return spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TRACEFP_HOME: home, LC_ALL: 'C' },
  })
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

try {
  const learned = tracefp(
    path.join(folder, 'learn'),
    'learn',
    '-o',
    fingerprint,
    '--runs',
    '1',
    '--',
    'sh',
    '-c',
    `${dd}; true`,
  )
  if (learned.status !== 0) throw new Error(learned.stderr)
  const homes = Object.entries(POLICIES).map(([name, policy]) => {
    const home = path.join(folder, name)
    mkdirSync(home, { mode: 0o700 })
    writeFileSync(path.join(home, 'policy.toml'), policy, { mode: 0o600 })
    return { name, home, seconds: [] }
  })
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, home, seconds } of homes) {
      const { status, stderr } = tracefp(
        home,
        'run',
        '-f',
        fingerprint,
        '--',
        'sh',
        '-c',
        `umask 022; sleep 0.7; ${dd}; true`,
      )
      const told = /copied, ([\d.]+) s/.exec(stderr)?.[1]
      if (status !== 100 || told === undefined) throw new Error(`${name}: ${status}: ${stderr}`)
      seconds.push(Number(told))
    }
  }
  const [none] = homes.map(({ seconds }) => median(seconds))
  for (const { name, home, seconds } of homes) {
    const waiting = JSON.parse(tracefp(home, 'notify', 'flush', '--json').stdout || '[]')[0]?.waitingCount ?? 0
    const ratio = (median(seconds) / none).toFixed(3)
    const least = (Math.min(...seconds) / Math.min(...homes[0].seconds)).toFixed(3)
    console.log(`${name.padEnd(12)} ${median(seconds).toFixed(3)} s, ${ratio} times (minima ${least}); ${waiting} wait`)
  }
} finally {
  await servers.terminate()
  rmSync(folder, { recursive: true, force: true })
}
