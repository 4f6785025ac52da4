// Sends one event to one sink. Each way has its time; whatever goes wrong is thrown, and is the caller's to count.

import { spawn } from 'node:child_process'
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { AlertEvent } from './event.ts'
import {
  framed,
  jsonLine,
  SD_ID,
  sdValue,
  sentenceOf,
  stderrLine,
  syslogMessage,
  syslogParams,
  syslogSeverityOf,
  webhookRequest,
} from './formats.ts'
import type { SinkConfig } from './sink-config.ts'

export interface SendOptions {
  readonly timeoutMs: number
  readonly writeStderr: (text: string) => void
  /** Of sinks that tell what there is in all: replaces the file. */
  readonly writeMetrics: (file: string) => Promise<void>
}

const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NOCTTY
const MAX_SECRET_BYTES = 4096

export async function send(sink: SinkConfig, event: AlertEvent, options: SendOptions): Promise<void> {
  switch (sink.type) {
    case 'stderr':
      return options.writeStderr(stderrLine(event))
    case 'jsonl':
      return appendLine(sink.file, jsonLine(event))
    case 'textfile':
      return await options.writeMetrics(sink.file)
    case 'syslog':
      return await sendSyslog(sink, event, options.timeoutMs)
    case 'webhook':
      return await sendWebhook(sink, event, options.timeoutMs)
    case 'exec':
      return await runHook(sink.command, jsonLine(event), options.timeoutMs)
  }
}

/** Opened anew for each event: who rotates the file need tell nobody. */
function appendLine(file: string, line: string): void {
  const fd = openSync(file, APPEND, 0o600)
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${file} is no regular file`)
    const bytes = Buffer.from(line)
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

async function sendSyslog(sink: SinkConfig & { type: 'syslog' }, event: AlertEvent, timeoutMs: number): Promise<void> {
  const message = syslogMessage(event, process.pid)
  if (sink.transport === 'local') return await sendLocal(sink.path, event, timeoutMs)
  if (sink.transport === 'udp') {
    const { createSocket } = await import('node:dgram')
    const socket = createSocket(sink.host.includes(':') ? 'udp6' : 'udp4')
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => socket.close(() => reject(new Error('no name was found in time'))), timeoutMs)
      socket.send(message, sink.port, sink.host, (error) => {
        clearTimeout(timer)
        socket.close(() => (error === null || error === undefined ? resolve() : reject(error)))
      })
    })
  }
  const { connect } = await import('node:net')
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: sink.host, port: sink.port })
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)))
    socket.once('error', reject)
    socket.once('close', (hadError) => {
      if (!hadError) resolve()
    })
    // It is not sent before the other side has it: the end is acknowledged.
    socket.end(framed(message))
    socket.resume()
  })
}

/** A datagram to a Unix socket, which Node cannot send: `logger` does, and makes the same message. */
async function sendLocal(path: string, event: AlertEvent, timeoutMs: number): Promise<void> {
  const params = syslogParams(event).flatMap(([name, value]) => ['--sd-param', `${name}="${sdValue(value)}"`])
  const command = [
    'logger',
    '--socket',
    path,
    '--socket-errors=on',
    '--priority',
    `authpriv.${syslogSeverityOf(event)}`,
  ]
  const format = ['--rfc5424', '--tag', 'tracefp', '--msgid', event.kind, '--sd-id', SD_ID]
  await runHook([...command, ...format, ...params, '--', sentenceOf(event)], '', timeoutMs)
}

async function sendWebhook(
  sink: SinkConfig & { type: 'webhook' },
  event: AlertEvent,
  timeoutMs: number,
): Promise<void> {
  const secret = sink.secretFile === null ? null : readSecret(sink.secretFile)
  const { body, headers } = webhookRequest(event, sink.template, secret, Date.now())
  const signal = AbortSignal.timeout(timeoutMs)
  const response = await fetch(sink.url, { method: 'POST', body, headers, signal, redirect: 'manual' })
  await response.body?.cancel()
  if (response.status < 200 || response.status > 299) throw new Error(`it answered ${response.status}`)
}

/** Who can read it can sign. */
export function readSecret(file: string): string {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile() || stats.size > MAX_SECRET_BYTES) throw new Error(`${file} holds no secret`)
    if ((stats.mode & 0o077) !== 0) throw new Error(`${file}: others can read it: chmod 600 it`)
    const secret = readFileSync(fd, 'utf8').trim()
    if (secret === '') throw new Error(`${file} is empty`)
    return secret
  } finally {
    closeSync(fd)
  }
}

/** No shell; the event on stdin; killed when it takes too long. */
async function runHook([file, ...args]: readonly string[], input: string, timeoutMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const path = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'
    const child = spawn(file as string, args, { stdio: ['pipe', 'ignore', 'ignore'], env: { PATH: path } })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve()
      else reject(new Error(`${file} ended with ${signal ?? code}`))
    })
    // A hook need not read it.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
