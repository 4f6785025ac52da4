// Keeps a program running under tracefp: starts it, starts it again when it ends, and has every miss decided before its call
// runs. It knows nothing of who decides (decide.mjs) or who wants to know how it is (health.mjs).

import { setTimeout as sleep } from 'node:timers/promises'
import { check } from 'tracefp'

const DEFAULTS = {
  /** Between an end and the next start; doubled each time that it ended soon. */
  firstPauseMs: 100,
  longestPauseMs: 30_000,
  /** Who ran so long did not end soon. */
  steadyMs: 10_000,
  /** Who ended soon so many times in a row is not started again. */
  startLimit: 10,
  /** From SIGTERM to SIGKILL. */
  graceMs: 5_000,
}

export class Supervisor {
  #argv
  #options
  #times
  #session = null
  #isStopping = false
  #pause = new AbortController()
  #facts = {
    state: 'stopped',
    pid: null,
    startCount: 0,
    missCount: 0,
    lastVerdict: null,
    lastExit: null,
    failure: null,
  }

  /** `options`: those of `check`, among them `fingerprint` and `onMiss`; `times`: see DEFAULTS. */
  constructor(argv, options, times = {}) {
    this.#argv = argv
    this.#options = options
    this.#times = { ...DEFAULTS, ...times }
  }

  /** How it is: `running`, `pausing` between two runs, `stopped` or `failed`. */
  get facts() {
    return { ...this.#facts }
  }

  /** Until stop(), or until starting it again makes no sense. */
  async run() {
    const { firstPauseMs, longestPauseMs, steadyMs, startLimit } = this.#times
    let soonCount = 0
    while (!this.#isStopping) {
      const startedAt = Date.now()
      const failure = await this.#runOnce()
      if (failure !== null) return this.#fail(failure)
      soonCount = Date.now() - startedAt >= steadyMs ? 0 : soonCount + 1
      if (this.#isStopping) break
      if (soonCount >= startLimit) return this.#fail(`it ended ${soonCount} times in a row, each time at once`)
      this.#facts.state = 'pausing'
      const pauseMs = Math.min(firstPauseMs * 2 ** Math.max(0, soonCount - 1), longestPauseMs)
      await sleep(pauseMs, undefined, { signal: this.#pause.signal }).catch(() => {})
    }
    this.#facts.state = 'stopped'
  }

  /** SIGTERM, and after a while SIGKILL for all that is left. */
  async stop() {
    this.#isStopping = true
    this.#pause.abort()
    const session = this.#session
    if (session === null) return
    const timer = setTimeout(() => session.stop(), this.#times.graceMs)
    await session.kill('SIGTERM').catch(() => {})
    await session.report.catch(() => {})
    clearTimeout(timer)
  }

  /** Null, or why it makes no sense to start it again. */
  async #runOnce() {
    try {
      const session = check(this.#argv, this.#options)
      this.#session = session
      this.#facts.startCount += 1
      this.#facts.pid = await session.pid
      this.#facts.state = 'running'
      if (this.#isStopping) void this.stop()
      for await (const _ of session.misses()) this.#facts.missCount += 1
      const [report, outcome] = [await session.report, await session.outcome]
      Object.assign(this.#facts, { lastVerdict: report.verdict, lastExit: report.exit })
      return outcome === 'no_fingerprint' ? 'it has no fingerprint: learn it first' : null
    } catch (error) {
      return error.message
    } finally {
      this.#session = null
      this.#facts.pid = null
    }
  }

  #fail(failure) {
    Object.assign(this.#facts, { state: 'failed', failure })
  }
}
