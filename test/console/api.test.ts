// What the console answers: fingerprints of the store and their differences, decisions, and nothing for what is not there.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { Api, cleaned } from '../../src/console/api.ts'
import { Fingerprints } from '../../src/console/fingerprints.ts'
import { encodeFingerprint } from '../../src/model/codec-fingerprint.ts'
import { makeSettings } from '../../src/model/fingerprint.ts'
import { Spool } from '../../src/outbox/spool.ts'
import { fingerprintFolder } from '../../src/store/fingerprint-store.ts'
import { SessionStore } from '../../src/store/session-store.ts'
import { ledgerOf, mapping, type RunOptions, runOf } from '../model/making.ts'
import { newFolder } from '../store/folder.ts'

let home: string
let api: Api

beforeEach(async () => {
  home = newFolder()
  const store = await SessionStore.open(home)
  onTestFinished(() => store.close())
  mkdirSync(fingerprintFolder(home), { recursive: true })
  api = new Api(store, new Fingerprints(home), 'admin')
})

function put(name: string, track: string, options: RunOptions = {}): string {
  const made = ledgerOf(runOf('01ARZ3NDEKTSV4RRFFQ69G5FAV', [track], options)).fingerprint(mapping)
  writeFileSync(join(fingerprintFolder(home), name), encodeFingerprint(made))
  return made.sha256
}

function get(path: string) {
  const url = new URL(path, 'http://x')
  return api.get(url.pathname, url.searchParams)
}

test('fingerprints of the store are found by their hash, and told apart', () => {
  const [old, now] = [put('a-1.tfp', '<exec> read close'), put('a-2.tfp', '<exec> read execve')]
  writeFileSync(join(fingerprintFolder(home), 'broken.tfp'), 'nothing')
  expect(get('/api/programs').body).toMatchObject({ fingerprints: [{ sha256: old }, { sha256: now }] })
  expect(get(`/api/fingerprints/${now}`).body).toMatchObject({ title: 'a-2.tfp', programs: [{ key: '/bin/ls' }] })
  const { body } = get(`/api/diff?old=${old}&new=${now}`) as { body: { text: string } }
  expect(body.text).toMatch(/start another program \(!\)\n {4}\+ read -> execve/)
  // A file that is replaced is another fingerprint, one that is gone is none.
  const newer = put('a-2.tfp', '<exec> read write close')
  expect(get(`/api/fingerprints/${now}`).status).toBe(404)
  expect(get(`/api/fingerprints/${newer}`).status).toBe(200)
  rmSync(join(fingerprintFolder(home), 'a-1.tfp'))
  expect(get(`/api/diff?old=${old}&new=${newer}`).status).toBe(404)
})

test('health tells of the sinks, and what waits for them', () => {
  new Spool(home, 'web').put('01KVRM5W3C1R8YH6Z4N2T7Q9XA', '{}')
  expect(get('/api/counts').body).toMatchObject({
    sessionCount: 0,
    sinks: [{ name: 'web', waitingCount: 1, sentCount: 0 }],
  })
})

test('what cannot be compared is said', () => {
  const old = put('a.tfp', '<exec> read')
  const now = put('b.tfp', '<exec> read', { settings: makeSettings(mapping, { depth: 2, tracks: 'log' }) })
  expect(get(`/api/diff?old=${old}&new=${now}`)).toMatchObject({
    status: 409,
    body: { error: expect.stringMatching(/cannot be compared.*tracks thread, not log/) },
  })
})

test.each([
  '/api/',
  '/api/nothing',
  '/api/sessions/x',
  '/api/sessions/01ARZ3NDEKTSV4RRFFQ69G5FAV',
  '/api/alerts/..%2f..',
  '/api/fingerprints/__proto__',
  `/api/fingerprints/${'0'.repeat(64)}`,
])('%s is not there', (path) => {
  expect(get(path).status).toBe(404)
})

test('queries that mean nothing are left out', () => {
  expect(get("/api/sessions?verdict=' OR 1=1&state=x&before=y").body).toEqual({ rows: [], hasMore: false })
})

test('all texts are cleaned, however deep, and keys too', () => {
  const evil = '\u001b[31m\u202e<b>'
  expect(cleaned({ [evil]: [evil, { a: `one\ntwo${evil}` }], n: 1, none: null })).toEqual({
    '?[31m?<b>': ['?[31m?<b>', { a: 'one\ntwo?[31m?<b>' }],
    n: 1,
    none: null,
  })
  expect((cleaned('x'.repeat(100_000)) as string).length).toBe(4096)
})
