// node examples/supervisor/main.mjs -f server.tfp [--port 9000] [--uid 1000] -- ./server --port 8080

import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Decisions } from './decide.mjs'
import { createHealthServer } from './health.mjs'
import { Supervisor } from './supervisor.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fingerprint: { type: 'string', short: 'f' },
    port: { type: 'string', default: '9000' },
    uid: { type: 'string' },
    'time-out': { type: 'string', default: '60' },
  },
})
if (positionals.length === 0) {
  console.error('usage: main.mjs -f FILE [--port PORT] [--uid UID] [--time-out SECONDS] -- COMMAND...')
  process.exit(2)
}

const token = randomBytes(16).toString('hex')
const decisions = new Decisions()
const supervisor = new Supervisor(positionals, {
  onMiss: decisions.onMiss,
  onMissTimeout: Number(values['time-out']) * 1_000,
  onMissDefault: 'deny',
  ...(values.fingerprint === undefined ? {} : { fingerprint: values.fingerprint }),
  ...(values.uid === undefined ? {} : { uid: Number(values.uid), gid: Number(values.uid) }),
})
const server = createHealthServer(supervisor, decisions, token).listen(Number(values.port), '127.0.0.1', () => {
  console.error(`supervisor: http://127.0.0.1:${server.address().port}/health, token ${token}`)
})
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => supervisor.stop())
await supervisor.run()
server.close()
server.closeAllConnections()
const { state, failure } = supervisor.facts
if (state === 'failed') console.error(`supervisor: given up: ${failure}`)
process.exitCode = state === 'failed' ? 1 : 0
