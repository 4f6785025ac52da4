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

export class Live {
  readonly #store: SessionStore
  /** With what tells whether its login still holds. */
  readonly #pages = new Map<ServerResponse, () => boolean>()
  readonly #timer: NodeJS.Timeout
  #changed: number

  constructor(store: SessionStore, onTrouble: (error: unknown) => void) {
    this.#store = store
    this.#changed = newest(store)
    this.#timer = setInterval(() => {
      try {
        this.#look()
      } catch (error) {
        onTrouble(error)
      }
    }, LOOK_MS)
    this.#timer.unref()
  }

  /** False: too many pages are open. `since`: the last change that the page knows; NaN: it has just asked for all. */
  add(response: ServerResponse, since: number, isIn: () => boolean): boolean {
    if (this.#pages.size >= MAX_PAGES) return false
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    response.write(
      `retry: 2000\n\n${since < this.#changed ? this.#event(since) : `id: ${this.#changed}\nevent: hello\ndata: {}\n\n`}`,
    )
    this.#pages.set(response, isIn)
    response.on('close', () => this.#pages.delete(response))
    return true
  }

  close(): void {
    clearInterval(this.#timer)
    for (const page of this.#pages.keys()) page.end()
  }

  #look(): void {
    this.#store.takeIn()
    if (this.#pages.size === 0) return
    const event = this.#event(this.#changed)
    for (const [page, isIn] of this.#pages) {
      if (!isIn() || page.writableLength > MAX_WAITING_BYTES) page.destroy()
      // Without news a comment: proxies and browsers close what is silent.
      else page.write(event === '' ? ':\n\n' : event)
    }
  }

  /** Empty: nothing changed. */
  #event(since: number): string {
    const { sessions, alerts } = this.#store.changedSince(since)
    if (sessions.length + alerts.length === 0) return ''
    this.#changed = Math.max(this.#changed, ...[...sessions, ...alerts].map(({ changed }) => changed))
    const isMuch = sessions.length + alerts.length > MAX_ROWS
    const data = isMuch ? { sessions: [], alerts: [], isMuch } : { sessions, alerts, isMuch }
    return `id: ${this.#changed}\nevent: changed\ndata: ${JSON.stringify(cleaned(data))}\n\n`
  }
}

/** The number of the last change. */
function newest(store: SessionStore): number {
  for (let last = 0; ; ) {
    const { sessions, alerts } = store.changedSince(last)
    if (sessions.length + alerts.length === 0) return last
    last = Math.max(...[...sessions, ...alerts].map(({ changed }) => changed))
  }
}
