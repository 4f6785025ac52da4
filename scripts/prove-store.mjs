// node scripts/prove-store.mjs [rounds]: two processes write sessions, as `run` does, and are killed with SIGKILL at random moments
// while they do. Whatever they had told as kept must be there afterwards, the database whole and the chain unbroken. Then the
// disk is made full; then ten thousand sessions are put in and lists are timed beside an empty store's, also over HTTP.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ROOT } from './toolchain.mjs'

const rounds = Number(process.argv[2] ?? 100)
const lib = (name) => path.join(ROOT, 'lib/store', name)
const { SessionStore, storeFile } = await import(lib('session-store.js'))
const { Inbox } = await import(lib('inbox.js'))
const { newUlid } = await import(path.join(ROOT, 'lib/model/ulid.js'))

const MISS = {
  ...{ tid: 10, tgid: 10, ppid: 1, ancestors: ['sh'], kind: 'call', image: '/usr/bin/find', index: 7 },
  ...{ at: '2026-11-23T10:00:01.000Z', context: ['openat', 'read'], from: 'read', to: 'execve', depth: 2 },
  ...{ expected: ['close'], path: [], severity: 'critical', layer: null, burst: 1, isAlarm: true, action: 'alert' },
}

const folder = mkdtempSync(path.join(tmpdir(), 'tracefp-prove-'))
try {
  if (process.argv[2] !== 'writer') await prove()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function prove() {
  const home = path.join(folder, 'home')
  let acknowledged = 0
  let kills = 0
  for (let round = 0; round < rounds; round += 1) {
    const writers = [0, 1].map((n) => startWriter(home, path.join(folder, `told-${n}`)))
    await new Promise((resolve) => setTimeout(resolve, 400 + Math.random() * 800))
    for (const writer of writers) {
      writer.kill('SIGKILL')
      kills += 1
    }
    await Promise.all(writers.map((writer) => new Promise((resolve) => writer.once('exit', resolve))))
    const told = [0, 1].flatMap((n) => tellings(path.join(folder, `told-${n}`)))
    const store = await SessionStore.open(home)
    for (const id of told) if (store.session(id)?.state !== 'ended') throw new Error(`${id} is lost`)
    const { findings } = store.audit()
    if (findings.length > 0) throw new Error(JSON.stringify(findings[0]))
    store.close()
    acknowledged += told.length
    for (const n of [0, 1]) rmSync(path.join(folder, `told-${n}`), { force: true })
  }
  const check = spawnSync('sqlite3', [storeFile(home), 'PRAGMA integrity_check'], { encoding: 'utf8' })
  const integrity = check.error === undefined ? check.stdout.trim() : 'no sqlite3 here'
  console.log(`${kills} kills, ${acknowledged} sessions acknowledged, none lost, integrity: ${integrity}, chain whole`)
  await fullDisk()
  await manySessions()
}

/** Writes sessions without end; a session is acknowledged (its id appended to a file) once it was put, every fifth is abnormal. */
function startWriter(home, told) {
  const script = `
    import { appendFileSync } from 'node:fs'
    const { SessionStore } = await import(${JSON.stringify(lib('session-store.js'))})
    const { Inbox } = await import(${JSON.stringify(lib('inbox.js'))})
    const { newUlid } = await import(${JSON.stringify(path.join(ROOT, 'lib/model/ulid.js'))})
    const inbox = new Inbox(${JSON.stringify(home)})
    const template = ${JSON.stringify(reportOf(''))}
    for (let i = 0; ; i += 1) {
      const report = { ...template, session: newUlid() }
      inbox.put(report.session, { kind: 'end', outcome: 'authentic', report, evidence: null }, i % 5 === 0)
      appendFileSync(${JSON.stringify(told)}, report.session + '\\n')
      if (i % 20 === 19) (await SessionStore.open(${JSON.stringify(home)})).close()
    }`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'inherit', 'inherit'] })
}

function tellings(file) {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((id) => id.length === 26)
  } catch {
    return []
  }
}

async function fullDisk() {
  const mount = path.join(folder, 'small')
  mkdirSync(mount)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'tmpfs', mount]).status !== 0) {
    console.log('full disk: not tried, no tmpfs can be mounted here')
    return
  }
  try {
    const inbox = new Inbox(mount)
    const kept = []
    let error = ''
    for (let i = 0; i < 5000 && error === ''; i += 1) {
      const report = { ...reportOf(newUlid()), padding: 'x'.repeat(8000) }
      try {
        inbox.put(report.session, { kind: 'end', outcome: 'authentic', report, evidence: null }, true)
        if (i % 10 === 9) (await SessionStore.open(mount)).close()
        kept.push(report.session)
      } catch (cause) {
        error = `${cause.code}: ${cause.message}`
      }
    }
    if (error === '') throw new Error('the disk never was full')
    writeFileSync(path.join(mount, 'ballast'), '')
    spawnSync('mount', ['-o', 'remount,size=64m', mount])
    const store = await SessionStore.open(mount)
    for (const id of kept) if (store.session(id) === null) throw new Error(`${id} is lost`)
    const { findings } = store.audit()
    if (findings.length > 0) throw new Error(JSON.stringify(findings[0]))
    store.close()
    console.log(`full disk: "${error}"; with room again all ${kept.length} sessions are there, chain whole`)
  } finally {
    spawnSync('umount', ['-l', mount])
  }
}

async function manySessions() {
  const [full, empty] = ['full', 'empty'].map((name) => path.join(folder, name))
  const inbox = new Inbox(full)
  for (let i = 0; i < 10_000; i += 1) {
    const report = reportOf(newUlid())
    inbox.put(report.session, { kind: 'end', outcome: 'authentic', report, evidence: null }, false)
  }
  const stores = [await SessionStore.open(full), await SessionStore.open(empty)]
  for (let i = 0; i < 50; i += 1) {
    const report = reportOf(newUlid())
    new Inbox(empty).put(report.session, { kind: 'end', outcome: 'authentic', report, evidence: null }, false)
  }
  stores[1].takeIn()
  const times = stores.map(() => [])
  for (let i = 0; i < 101; i += 1) {
    for (const [index, store] of stores.entries()) {
      const start = performance.now()
      store.sessions({ limit: 50 })
      store.alerts({ limit: 50 })
      times[index].push(performance.now() - start)
    }
  }
  const [many, few] = times.map((list) => list.sort((a, b) => a - b)[50])
  const bytes = statSync(storeFile(full)).size / 10_000
  console.log(
    `10,000 sessions: lists in ${many.toFixed(2)} ms, of 50 sessions in ${few.toFixed(2)} ms; ${Math.round(bytes)} bytes a session`,
  )
  const abnormal = newUlid()
  for (let i = 0; i < 1_000; i += 1) putAbnormal(inbox, i === 500 ? abnormal : newUlid())
  stores[0].takeIn()
  const none = await SessionStore.open(path.join(folder, 'nothing'))
  await overHttp(stores[0], none, abnormal)
  for (const store of [...stores, none]) store.close()
}

function putAbnormal(inbox, session) {
  const report = { ...reportOf(session), verdict: 'abnormal', missCount: 1, misses: [MISS] }
  const { host, machineId, bootId, uid, name } = report
  const score = { value: 5, miss: 0, text: '5 = impact 5 x novelty 1 x burst 1' }
  const event = {
    ...{ schema: 1, kind: 'opened', id: newUlid(), alert: newUlid(), time: report.endedAt, tracefp: '0.1.0' },
    ...{ host, machineId, bootId, uid, session, name, program: '/usr/bin/find', sha256: null, fingerprint: null },
    ...{ severity: 'medium', score, mode: 'alert', confidence: 'full', missCount: 1, suppressedCount: 0 },
    ...{ misses: [MISS], gapCount: 0, droppedCount: 0 },
  }
  inbox.put(session, { kind: 'alert', event, isTold: true }, false)
  inbox.put(session, { kind: 'end', outcome: 'abnormal', report, evidence: null }, false)
}

/** The lists of the console, as a browser asks for them: of this store and of an empty one, in turns. */
async function overHttp(full, empty, session) {
  const { serveConsole } = await import(path.join(ROOT, 'lib/console/server.js'))
  const pages = []
  for (const store of [full, empty]) {
    const options = { store, address: '127.0.0.1', port: 0, tls: null, names: [], actor: 'a', onTrouble: console.error }
    const served = await serveConsole(options)
    const { origin, hash } = new URL(served.link)
    const headers = { 'content-type': 'application/json', origin }
    const body = JSON.stringify({ token: hash.slice('#token='.length) })
    const login = await fetch(`${origin}/api/login`, { method: 'POST', headers, body })
    pages.push({ origin, served, cookie: login.headers.get('set-cookie').split(';')[0] })
  }
  for (const what of ['sessions', 'alerts']) {
    const times = pages.map(() => [])
    for (let i = 0; i < 101; i += 1) {
      for (const [index, { origin, cookie }] of pages.entries()) {
        const start = performance.now()
        const response = await fetch(`${origin}/api/${what}`, { headers: { cookie } })
        const { rows } = await response.json()
        times[index].push(performance.now() - start)
        if (rows.length !== (index === 0 ? 50 : 0)) throw new Error(`${what}: ${rows.length} rows`)
      }
    }
    const [many, none] = times.map((list) => list.sort((a, b) => a - b)[50])
    const ratio = (many / none).toFixed(2)
    console.log(`console, ${what}: ${many.toFixed(2)} ms, of an empty store ${none.toFixed(2)} ms: ${ratio} times`)
  }
  const [{ origin, cookie }] = pages
  const start = performance.now()
  const shown = await fetch(`${origin}/api/sessions/${session}`, { headers: { cookie } })
  const { report } = await shown.json()
  console.log(`console, one session with ${report.missCount} miss: ${(performance.now() - start).toFixed(2)} ms`)
  for (const { served } of pages) await served.close()
}

function reportOf(session) {
  const time = new Date().toISOString()
  return {
    schema: 1,
    tracefp: '0.1.0',
    session,
    name: 'find',
    source: { kind: 'live', engine: 'notify', format: null, order: 'entry' },
    host: 'box',
    machineId: '0123456789abcdef0123456789abcdef',
    bootId: '01234567-89ab-cdef-0123-456789abcdef',
    uid: 0,
    argv: ['find', '/etc', '-name', 'hosts'],
    startedAt: time,
    endedAt: time,
    exit: { code: 0, signal: null },
    verdict: 'authentic',
    depth: 2,
    recordCount: 2345,
    trackCount: 1,
    transitionCount: 2345,
    missCount: 0,
    gapCount: 0,
    droppedCount: 0,
    unparsedLineCount: 0,
    programs: [
      {
        image: '/usr/bin/find',
        sha256: 'c703b94ad3448bccc79cda80520964c8d371918a39eecc27f8d60f4e8891770a',
        fingerprint: '6aed67db80da2177caa4aec32bbdc50618423f8f2a873bf79d7d62c2bd99f6f1',
        recordCount: 2345,
        missCount: 0,
        coverage: 1,
      },
    ],
    misses: [],
    notes: [],
  }
}
