// Tells open pages what changed, as server-sent events. The id of an event is the number of the change in the store, so that a
// page that was away asks for what it missed.

import type { ServerResponse } from 'node:http'
import type { SessionStore } from '../store/session-store.ts'
import { cleaned } from './api.ts'

const LOOK_MS = 1000
const MAX_PAGES = 50
/** A page that reads nothing is let go rather than remembered. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** More changes at once are not told one by one: the page asks anew. */
const MAX_ROWS = 200

interface OpenPage {
  readonly response: ServerResponse
  /** Whether its login still holds. */
  readonly isIn: () => boolean
  /** The last change that it was told. */
  told: number
}

interface News {
  readonly last: number
  /** As it is sent; empty: nothing changed. */
  readonly text: string
}

export class Live {
  readonly #store: SessionStore
  readonly #pages = new Set<OpenPage>()
  readonly #timer: NodeJS.Timeout
  /** A change that was in the store; there may be newer ones. */
  #known = 0

  constructor(store: SessionStore, onTrouble: (error: unknown) => void) {
    this.#store = store
    this.#timer = setInterval(() => {
      try {
        this.#look()
      } catch (error) {
        onTrouble(error)
      }
    }, LOOK_MS)
    this.#timer.unref()
  }

  /** False: too many pages are open. `since`: the last change that the page knows; NaN: it asks for all when this is open. */
  add(response: ServerResponse, since: number, isIn: () => boolean): boolean {
    if (this.#pages.size >= MAX_PAGES) return false
    const newest = this.#newest()
    const { last, text } = since < newest ? this.#newsSince(since) : { last: newest, text: '' }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    response.write(`retry: 2000\n\n${text === '' ? `id: ${last}\nevent: hello\ndata: {}\n\n` : text}`)
    const page = { response, isIn, told: last }
    this.#pages.add(page)
    response.on('close', () => this.#pages.delete(page))
    return true
  }

  close(): void {
    clearInterval(this.#timer)
    for (const { response } of this.#pages) response.end()
  }

  #look(): void {
    this.#store.takeIn()
    // Pages that were told the same are told the same again.
    const made = new Map<number, News>()
    for (const page of this.#pages) {
      const { response, isIn, told } = page
      if (!isIn() || response.writableLength > MAX_WAITING_BYTES) {
        response.destroy()
        continue
      }
      const news = made.get(told) ?? this.#newsSince(told)
      made.set(told, news)
      page.told = news.last
      // Without news a comment: proxies and browsers close what is silent.
      response.write(news.text === '' ? ':\n\n' : news.text)
    }
  }

  #newsSince(since: number): News {
    const { sessions, alerts } = this.#store.changedSince(since)
    if (sessions.length + alerts.length === 0) return { last: since, text: '' }
    const isMuch = sessions.length + alerts.length > MAX_ROWS
    const last = isMuch ? this.#newest() : Math.max(...[...sessions, ...alerts].map(({ changed }) => changed))
    const data = isMuch ? { sessions: [], alerts: [], isMuch } : { sessions, alerts, isMuch }
    return { last, text: `id: ${last}\nevent: changed\ndata: ${JSON.stringify(cleaned(data))}\n\n` }
  }

  /** The number of the last change. */
  #newest(): number {
    for (;;) {
      const { sessions, alerts } = this.#store.changedSince(this.#known)
      if (sessions.length + alerts.length === 0) return this.#known
      this.#known = Math.max(...[...sessions, ...alerts].map(({ changed }) => changed))
    }
  }
}
