// Who may ask the console: whoever came with the token of this server, from a page of this server, to one of its own names. A
// browser sends requests for any page it shows; none of these may pass for the administrator's.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export interface Login {
  /** Sent back with every write, in a header that no other site can set. */
  readonly csrf: string
  readonly endsAt: number
}

export interface AccessOptions {
  /** `127.0.0.1:7227`: what may stand in Host, in lower case. */
  readonly hosts: readonly string[]
  readonly isSecure: boolean
  readonly now?: () => number
}

const LOGIN_MS = 8 * 60 * 60 * 1000
const MAX_LOGINS = 100
/** Attempts with a wrong token, by anybody, before all have to wait. */
const MAX_ATTEMPTS = 10
const ATTEMPTS_MS = 60_000

export class Access {
  /** For whoever starts the server to hand on. */
  readonly token: string = randomBytes(32).toString('base64url')
  readonly #options: AccessOptions
  readonly #now: () => number
  /** Hash of the cookie -> who came with it. */
  readonly #logins = new Map<string, Login>()
  #attempts: number[] = []

  constructor(options: AccessOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Not one of its names: a name that somebody else made point here (DNS rebinding). */
  isOwnHost({ headers }: IncomingMessage): boolean {
    return this.#options.hosts.includes((headers.host ?? '').toLowerCase())
  }

  /** Whether a write comes from a page of this server. */
  isOwnOrigin({ headers }: IncomingMessage): boolean {
    const scheme = this.#options.isSecure ? 'https' : 'http'
    const isSame = headers['sec-fetch-site'] === undefined || headers['sec-fetch-site'] === 'same-origin'
    return isSame && headers.origin === `${scheme}://${headers.host}`
  }

  /** The `Set-Cookie` of a new login; `wait`: too many wrong tokens; `wrong`: this is not it. */
  logIn(token: string): { readonly cookie: string } | 'wrong' | 'wait' {
    const now = this.#now()
    this.#attempts = this.#attempts.filter((at) => at > now - ATTEMPTS_MS)
    if (this.#attempts.length >= MAX_ATTEMPTS) return 'wait'
    if (!isSameText(token, this.token)) {
      this.#attempts.push(now)
      return 'wrong'
    }
    for (const [key, { endsAt }] of this.#logins) if (endsAt <= now) this.#logins.delete(key)
    const [oldest] = this.#logins.keys()
    if (oldest !== undefined && this.#logins.size >= MAX_LOGINS) this.#logins.delete(oldest)
    const value = randomBytes(32).toString('base64url')
    this.#logins.set(hashOf(value), { csrf: randomBytes(32).toString('base64url'), endsAt: now + LOGIN_MS })
    return { cookie: this.#cookie(value, LOGIN_MS / 1000) }
  }

  login({ headers }: IncomingMessage): Login | undefined {
    const login = this.#logins.get(hashOf(this.#valueOf(headers.cookie)))
    return login !== undefined && login.endsAt > this.#now() ? login : undefined
  }

  /** Ends a login; the `Set-Cookie` that takes the cookie away. */
  logOut({ headers }: IncomingMessage): string {
    this.#logins.delete(hashOf(this.#valueOf(headers.cookie)))
    return this.#cookie('', 0)
  }

  isOwnWrite({ headers }: IncomingMessage, { csrf }: Login): boolean {
    const given = headers['x-tracefp-csrf']
    return typeof given === 'string' && isSameText(given, csrf)
  }

  get #name(): string {
    return this.#options.isSecure ? '__Host-tracefp' : 'tracefp'
  }

  #cookie(value: string, seconds: number): string {
    const secure = this.#options.isSecure ? '; Secure' : ''
    return `${this.#name}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`
  }

  #valueOf(cookies: string | undefined): string {
    const prefix = `${this.#name}=`
    const found = (cookies ?? '').split('; ').find((cookie) => cookie.startsWith(prefix))
    return found?.slice(prefix.length) ?? ''
  }
}

/** In a time that does not depend on where they differ. */
function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
