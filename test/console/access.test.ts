// Who may ask the console: tokens, logins that end, doors that close, and names of its own.
import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { Access } from '../../src/console/access.ts'

const HOST = '127.0.0.1:7227'

function asked(headers: Readonly<Record<string, string>>): IncomingMessage {
  return { headers: { host: HOST, ...headers } } as unknown as IncomingMessage
}

function cookieOf(made: ReturnType<Access['logIn']>): string {
  if (typeof made === 'string') throw new Error(made)
  return made.cookie.split(';')[0] as string
}

describe('a login', () => {
  test('ends after eight hours, and when it is ended', () => {
    let now = 1_000_000
    const access = new Access({ hosts: [HOST], isSecure: false, now: () => now })
    const [first, second] = [cookieOf(access.logIn(access.token)), cookieOf(access.logIn(access.token))]
    expect(access.login(asked({ cookie: `other=1; ${first}` }))?.csrf).toMatch(/^[\w-]{43}$/)
    expect(access.logOut(asked({ cookie: first }))).toMatch(/^tracefp=; .*Max-Age=0$/)
    expect(access.login(asked({ cookie: first }))).toBeUndefined()
    now += 8 * 60 * 60 * 1000 - 1
    expect(access.login(asked({ cookie: second }))).toBeDefined()
    now += 1
    expect(access.login(asked({ cookie: second }))).toBeUndefined()
  })

  test('is nobody else’s: each has a token of its own for writes', () => {
    const access = new Access({ hosts: [HOST], isSecure: false })
    const [a, b] = [1, 2].map(() => access.login(asked({ cookie: cookieOf(access.logIn(access.token)) })))
    expect(a?.csrf).not.toBe(b?.csrf)
    expect(access.isOwnWrite(asked({ 'x-tracefp-csrf': a!.csrf }), a!)).toBe(true)
    expect(access.isOwnWrite(asked({ 'x-tracefp-csrf': b!.csrf }), a!)).toBe(false)
    expect(access.isOwnWrite(asked({}), a!)).toBe(false)
  })

  test('of a hundred and one the oldest is over', () => {
    const access = new Access({ hosts: [HOST], isSecure: false })
    const cookies = Array.from({ length: 101 }, () => cookieOf(access.logIn(access.token)))
    expect(access.login(asked({ cookie: cookies[0]! }))).toBeUndefined()
    expect(access.login(asked({ cookie: cookies[1]! }))).toBeDefined()
  })

  test('without the cookie, or with an empty one, is none', () => {
    const access = new Access({ hosts: [HOST], isSecure: false })
    access.logIn(access.token)
    for (const cookie of ['', 'tracefp=', 'tracefp=x', '__Host-tracefp=x'])
      expect(access.login(asked({ cookie }))).toBeUndefined()
  })
})

test('after ten wrong tokens nobody gets in for a minute, not even with the right one', () => {
  let now = 0
  const access = new Access({ hosts: [HOST], isSecure: false, now: () => now })
  for (let attempt = 0; attempt < 10; attempt += 1) expect(access.logIn('wrong')).toBe('wrong')
  expect(access.logIn(access.token)).toBe('wait')
  now += 60_001
  expect(access.logIn(access.token)).toHaveProperty('cookie')
})

test('over TLS the cookie is bound to the host and never sent without TLS', () => {
  const access = new Access({ hosts: [HOST], isSecure: true })
  const made = access.logIn(access.token)
  expect(made).toMatchObject({
    cookie: expect.stringMatching(/^__Host-tracefp=[\w-]{43}; Path=\/; HttpOnly;.*; Secure$/),
  })
})

describe('a request', () => {
  const access = new Access({ hosts: [HOST, 'localhost:7227'], isSecure: false })

  test.each(['evil.example', 'evil.example:7227', '127.0.0.1', '127.0.0.1:80', 'localhost.evil.example:7227', ''])(
    'under the name %s is not for it',
    (host) => {
      expect(access.isOwnHost(asked({ host }))).toBe(false)
    },
  )

  test.each<[Readonly<Record<string, string>>, boolean]>([
    [{ origin: `http://${HOST}` }, true],
    [{ origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' }, true],
    [{ origin: `http://${HOST}`, 'sec-fetch-site': 'cross-site' }, false],
    [{ origin: `http://${HOST}`, 'sec-fetch-site': 'none' }, false],
    [{ origin: 'http://localhost:7227' }, false],
    [{ origin: `https://${HOST}` }, false],
    [{ origin: 'null' }, false],
    [{}, false],
  ])('with %o comes from its own page: %s', (headers, isOwn) => {
    expect(access.isOwnOrigin(asked(headers))).toBe(isOwn)
  })
})
