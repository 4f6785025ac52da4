// What the page asks for, as data. Every text that comes from a program or a log is cleaned here once, so that the page only
// ever sees text that shows as what it is.

import { TracefpError } from '../errors.ts'
import { explainMiss } from '../match/explain.ts'
import { printable } from '../match/printable.ts'
import type { AlertState } from '../store/records.ts'
import type { SessionStore } from '../store/session-store.ts'
import { sinkStates } from '../store/sink-states.ts'
import type { Fingerprints } from './fingerprints.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

const PAGE_SIZE = 50
const MAX_TEXT = 4096
const MAX_NOTE = 2000
const VERDICTS = ['authentic', 'abnormal', 'inconclusive'] as const
const SESSION_STATES = ['running', 'ended', 'lost'] as const
const ALERT_STATES = ['new', 'acknowledged', 'incident', 'allowed'] as const
const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/
const SHA256 = /^[0-9a-f]{64}$/
/** Most texts: nothing in them is to be cleaned. */
const PLAIN = /^[ -~]*$/
const NOT_FOUND: Answer = { status: 404, body: { error: 'there is no such thing' } }

export class Api {
  readonly #store: SessionStore
  readonly #fingerprints: Fingerprints
  readonly #actor: string

  /** `actor`: who stands behind the decisions of the page. */
  constructor(store: SessionStore, fingerprints: Fingerprints, actor: string) {
    this.#store = store
    this.#fingerprints = fingerprints
    this.#actor = actor
  }

  get(path: string, query: URLSearchParams): Answer {
    const [, , name = '', id = ''] = path.split('/')
    if (name === 'sessions') return id === '' ? this.#sessions(query) : this.#session(id)
    if (name === 'alerts') return id === '' ? this.#alerts(query) : this.#alert(id)
    if (name === 'programs')
      return found({ programs: this.#store.programs().slice(0, 1000), fingerprints: this.#fingerprints.list() })
    if (name === 'fingerprints' && SHA256.test(id)) return found(this.#fingerprints.page(id))
    if (name === 'diff') return this.#diff(query)
    if (name === 'counts') {
      return found({ ...this.#store.counts(), head: this.#store.head(), sinks: sinkStates(this.#store) })
    }
    if (name === 'audit') return found(this.#store.audit())
    return NOT_FOUND
  }

  /** `POST /api/alerts/ID { state, note }`. */
  decide(path: string, body: unknown): Answer {
    const [, , name, id = ''] = path.split('/')
    const { state, note = '' } = (body ?? {}) as { state?: unknown; note?: unknown }
    const decision = ALERT_STATES.find((known) => known === state)
    if (name !== 'alerts' || !ULID.test(id)) return NOT_FOUND
    if (decision === undefined || decision === 'new' || typeof note !== 'string' || note.length > MAX_NOTE) {
      return { status: 400, body: { error: 'expected a state (acknowledged, incident, allowed) and a note' } }
    }
    if (this.#store.alert(id) === null) return NOT_FOUND
    this.#store.decide({
      alert: id,
      state: decision,
      actor: this.#actor,
      via: 'console',
      note: printable(note, MAX_NOTE),
    })
    return this.#alert(id)
  }

  #sessions(query: URLSearchParams): Answer {
    const rows = this.#store.sessions({
      ...pageOf(query),
      ...oneOf('verdict', VERDICTS, query),
      ...oneOf('state', SESSION_STATES, query),
    })
    return found({ rows, hasMore: rows.length === PAGE_SIZE })
  }

  #session(id: string): Answer {
    if (!ULID.test(id)) return NOT_FOUND
    const session = this.#store.session(id)
    if (session === null) return NOT_FOUND
    const { report, ...row } = session
    const explained = (report?.misses ?? []).slice(0, 200).map((miss) => ({ ...miss, explanation: explainMiss(miss) }))
    return found({ ...row, report: report === null ? null : { ...report, misses: explained } })
  }

  #alerts(query: URLSearchParams): Answer {
    const rows = this.#store.alerts({ ...pageOf(query), ...oneOf<'state', AlertState>('state', ALERT_STATES, query) })
    return found({ rows, hasMore: rows.length === PAGE_SIZE })
  }

  #alert(id: string): Answer {
    const alert = ULID.test(id) ? this.#store.alert(id) : null
    if (alert === null) return NOT_FOUND
    const misses = alert.event.misses.map((miss) => ({ ...miss, explanation: explainMiss(miss) }))
    const session = this.#store.session(alert.session)
    const times = { startedAt: session?.startedAt ?? null, endedAt: session?.endedAt ?? null }
    return found({ ...alert, ...times, event: { ...alert.event, misses } })
  }

  #diff(query: URLSearchParams): Answer {
    const [old = '', now = ''] = [query.get('old') ?? '', query.get('new') ?? '']
    if (!SHA256.test(old) || !SHA256.test(now)) return NOT_FOUND
    try {
      const text = this.#fingerprints.diff(old, now)
      return text === undefined ? NOT_FOUND : { status: 200, body: { text: text.slice(0, 500_000) } }
    } catch (error) {
      if (!(error instanceof TracefpError)) throw error
      return { status: 409, body: { error: printable(error.message, 1000) } }
    }
  }
}

function found(value: unknown): Answer {
  return value === undefined || value === null ? NOT_FOUND : { status: 200, body: cleaned(value) }
}

function pageOf(query: URLSearchParams): { limit: number; before?: string } {
  const before = query.get('before') ?? ''
  return { limit: PAGE_SIZE, ...(ULID.test(before) ? { before } : {}) }
}

function oneOf<K extends string, T extends string>(
  name: K,
  known: readonly T[],
  query: URLSearchParams,
): { readonly [key in K]?: T } {
  const value = known.find((one) => one === query.get(name))
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: T }
}

/** The same data with every text cleaned; line breaks of explanations stay. */
export function cleaned(value: unknown): unknown {
  if (typeof value === 'string') {
    if (value.length <= MAX_TEXT && PLAIN.test(value)) return value
    return value
      .split('\n')
      .slice(0, 100)
      .map((line) => printable(line, MAX_TEXT))
      .join('\n')
  }
  if (Array.isArray(value)) return value.map(cleaned)
  if (typeof value !== 'object' || value === null) return value
  // Most keys are our own; a page has a thousand of them.
  const keyOf = (key: string): string => (PLAIN.test(key) ? key : printable(key))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [keyOf(key), cleaned(item)]))
}
