// Alerts on their way to real receivers: rsyslog, an HTTP server, promtool, a hook; and to ones that do not work.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { DEFAULT_POLICY, type Policy } from '../../src/alert/policy.ts'
import type { SinkConfig } from '../../src/alert/sink-config.ts'
import { newUlid } from '../../src/model/ulid.ts'
import { MAX_WAITING, Spool } from '../../src/outbox/spool.ts'
import { deliver } from '../../src/session/deliver.ts'
import { SessionStore } from '../../src/store/session-store.ts'
import { eventOf, HOSTILE } from '../alert/events.ts'
import { newFolder } from '../store/folder.ts'

let home = ''

beforeEach(() => {
  home = newFolder()
  mkdirSync(home, { mode: 0o700 })
})

function policyOf(...sinks: SinkConfig[]): Policy {
  return { ...DEFAULT_POLICY, sinks }
}

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** `answer`: the status of the nth request, null = none at all. */
async function httpServer(answer: (n: number) => number | null): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      const status = answer(received.length)
      if (status !== null) response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received }
}

function webhookTo(url: string, secretFile: string | null = null): SinkConfig {
  return { name: 'hook', type: 'webhook', url, secretFile, template: 'event' }
}

describe('webhook', () => {
  test('is signed, and the receiver can check it', async () => {
    const { url, received } = await httpServer(() => 204)
    const secretFile = join(home, 'secret')
    writeFileSync(secretFile, 'a key\n', { mode: 0o600 })
    const event = eventOf({ program: HOSTILE })
    const [delivery] = await deliver([event], { home, policy: policyOf(webhookTo(url, secretFile)) })
    expect(delivery).toMatchObject({ sentCount: 1, failedCount: 0, waitingCount: 0, trouble: null })
    const [{ headers, body }] = received as [Received]
    expect(JSON.parse(body)).toEqual(event)
    const hmac = createHmac('sha256', 'a key').update(`${headers['x-tracefp-timestamp']}.${body}`).digest('hex')
    expect(headers['x-tracefp-signature']).toBe(`sha256=${hmac}`)
    chmodSync(secretFile, 0o644)
    const [refused] = await deliver([eventOf()], { home, policy: policyOf(webhookTo(url, secretFile)) })
    expect(refused).toMatchObject({ sentCount: 0, trouble: expect.stringContaining('chmod 600') })
  })

  test('that answers 500 gets everything once it is well again, in order and each once', async () => {
    const { url, received } = await httpServer((n) => (n <= 3 ? 500 : 200))
    const policy = policyOf(webhookTo(url))
    const ids = Array.from({ length: 5 }, (_, i) => newUlid(1_000 + i))
    for (const id of ids.slice(0, 3)) {
      const [delivery] = await deliver([eventOf({ id })], { home, policy })
      expect(delivery).toMatchObject({ sentCount: 0, failedCount: 1, trouble: 'it answered 500' })
    }
    const [delivery] = await deliver(
      ids.slice(3).map((id) => eventOf({ id })),
      { home, policy },
    )
    expect(delivery).toMatchObject({ sentCount: 5, waitingCount: 0 })
    expect(received.slice(3).map(({ headers }) => headers['x-tracefp-id'])).toEqual(ids)
    using store = await SessionStore.open(home)
    expect(store.sinkCounts()).toEqual([{ name: 'hook', sentCount: 5, failedCount: 3, droppedCount: 0 }])
  })

  test('that hangs is left after its time, and a redirect is not followed', async () => {
    const hanging = await httpServer(() => null)
    const options = { home, timeoutMs: 200, totalMs: 500 }
    const [hung] = await deliver([eventOf()], { ...options, policy: policyOf(webhookTo(hanging.url)) })
    expect(hung).toMatchObject({
      sentCount: 0,
      failedCount: 1,
      waitingCount: 1,
      trouble: expect.stringContaining('timeout'),
    })
    const redirecting = await httpServer(() => 302)
    const sink = { ...webhookTo(redirecting.url), name: 'other' }
    const [delivery] = await deliver([eventOf()], { home, policy: policyOf(sink) })
    expect(delivery).toMatchObject({ sentCount: 0, trouble: 'it answered 302' })
  })
})

describe('the spool', () => {
  test('survives a sender that is killed while it sends', () => {
    const script = `
      const { Spool } = await import(${JSON.stringify(join(process.cwd(), 'lib/outbox/spool.js'))})
      const spool = new Spool(process.argv[1], 'x')
      spool.put('01KVRM5W3C1R8YH6Z4N2T7Q9XA', '{"a":1}')
      spool.put('01KVRM5W3C1R8YH6Z4N2T7Q9XB', '{"b":1}')
      spool.claim('01KVRM5W3C1R8YH6Z4N2T7Q9XA')
      process.kill(process.pid, 'SIGKILL')`
    spawnSync(process.execPath, ['--input-type=module', '-e', script, home])
    const spool = new Spool(home, 'x')
    expect(spool.waiting()).toEqual(['01KVRM5W3C1R8YH6Z4N2T7Q9XA', '01KVRM5W3C1R8YH6Z4N2T7Q9XB'])
    expect(spool.claim('01KVRM5W3C1R8YH6Z4N2T7Q9XA')).toBe('{"a":1}')
    // While one sends it nobody else does.
    expect(new Spool(home, 'x').waiting()).toEqual(['01KVRM5W3C1R8YH6Z4N2T7Q9XB'])
    expect(new Spool(home, 'x').claim('01KVRM5W3C1R8YH6Z4N2T7Q9XA')).toBeNull()
  })

  test('is bounded: the oldest go, and are counted', () => {
    const folder = join(home, 'spool', 'x')
    mkdirSync(folder, { recursive: true })
    const ids = Array.from({ length: MAX_WAITING + 2 }, (_, i) => newUlid(i))
    for (const id of ids.slice(0, -1)) writeFileSync(join(folder, `${id}.json`), '{}')
    expect(new Spool(home, 'x').put(ids.at(-1) as string, '{}')).toBe(2)
    expect(new Spool(home, 'x').waiting()).toEqual(ids.slice(2))
  })
})

describe('rsyslog', () => {
  const rsyslogd = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find(existsSync)

  test.skipIf(rsyslogd === undefined)('understands what comes by socket, UDP and TCP (needs rsyslog)', async () => {
    const [log, socket, port] = [join(home, 'out'), join(home, 'log'), await freePort()]
    const config = join(home, 'rsyslog.conf')
    writeFileSync(
      config,
      `module(load="imuxsock" SysSock.Use="off") input(type="imuxsock" Socket="${socket}" UseSpecialParser="off" ParseHostname="on")
       module(load="imudp") input(type="imudp" address="127.0.0.1" port="${port}")
       module(load="imtcp") input(type="imtcp" address="127.0.0.1" port="${port}")
       template(name="t" type="string" string="%syslogfacility-text%.%syslogseverity-text%|%app-name%|%msgid%|%structured-data%|%msg%\\n")
       action(type="omfile" file="${log}" template="t")\n`,
    )
    const daemon = spawn(rsyslogd as string, ['-n', '-f', config, '-i', join(home, 'pid')], { stdio: 'ignore' })
    onTestFinished(() => void daemon.kill('SIGKILL'))
    await until(() => existsSync(socket))
    const event = eventOf({ program: 'evil"]\\name' })
    const base = { type: 'syslog', host: '127.0.0.1', port, path: socket } as const
    const sinks = (['local', 'udp', 'tcp'] as const).map(
      (transport): SinkConfig => ({ ...base, transport, name: transport }),
    )
    const deliveries = await deliver([event], { home, policy: policyOf(...sinks), timeoutMs: 5_000 })
    expect(deliveries.map(({ sentCount, trouble }) => [sentCount, trouble])).toEqual(sinks.map(() => [1, null]))
    await until(() => existsSync(log) && readFileSync(log, 'utf8').trim().split('\n').length === 3)
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    for (const line of lines) {
      const [facility, app, id, data, message] = line.split('|')
      expect([facility, app, id]).toEqual(['authpriv.crit', 'tracefp', 'opened'])
      expect(data).toContain(`alert="${event.alert}"`)
      expect(data).toContain(String.raw`program="evil\"\]\\name"`)
      expect(message).toContain('5 misses, 3 not listed: read -> execve')
    }
  })
})

describe('Prometheus', () => {
  const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

  test.skipIf(!hasPromtool)('takes the text file (needs promtool of Debian)', async () => {
    const file = join(home, 'tracefp.prom')
    const sinks: SinkConfig[] = [
      { name: 'file', type: 'textfile', file },
      { name: 'lines', type: 'jsonl', file: join(home, 'x.jsonl') },
    ]
    await deliver([eventOf()], { home, policy: policyOf(...sinks) })
    await deliver([eventOf({ id: newUlid() })], { home, policy: policyOf(...sinks) })
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(/^tracefp_sink_sent_total\{sink="lines"\} 1$/m)
    execFileSync('promtool', ['check', 'metrics'], { input: text })
    expect(readFileSync(join(home, 'x.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2)
  })
})

test('a hook gets the event on stdin, no shell, and nothing of our environment', async () => {
  const [hook, out] = [join(home, 'hook'), join(home, 'out')]
  writeFileSync(hook, `#!/bin/sh\n{ echo "$1"; env | grep -c SECRET; cat; } >${out}\n`, { mode: 0o755 })
  process.env['TRACEFP_SECRET'] = 'x'
  const command = [hook, '$(id); `id`']
  const [delivery] = await deliver([eventOf()], { home, policy: policyOf({ name: 'hook', type: 'exec', command }) })
  delete process.env['TRACEFP_SECRET']
  expect(delivery).toMatchObject({ sentCount: 1, trouble: null })
  const [argument, count, event] = readFileSync(out, 'utf8').split('\n') as [string, string, string]
  expect([argument, count, JSON.parse(event)]).toEqual(['$(id); `id`', '0', eventOf()])
  const sinks = [{ name: 'no', type: 'exec', command: ['/bin/false'] } as const]
  expect(await deliver([eventOf()], { home, policy: policyOf(...sinks) })).toMatchObject([{ waitingCount: 1 }])
  expect(readdirSync(join(home, 'spool', 'no'))).toHaveLength(1)
})

test('one sink that hangs holds up no other', async () => {
  const server = createTcpServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const port = (server.address() as AddressInfo).port
  const { url, received } = await httpServer(() => 200)
  const hanging = webhookTo(`http://127.0.0.1:${port}/`)
  const well = { ...webhookTo(url), name: 'well' }
  const pending = deliver([eventOf()], { home, policy: policyOf(hanging, well), timeoutMs: 3_000 })
  await until(() => received.length === 1)
  const deliveries = await pending
  expect(deliveries.map(({ sentCount }) => sentCount)).toEqual([0, 1])
})

async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i += 1) await sleep(20)
}
