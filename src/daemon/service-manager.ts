// Tells the service manager how it is with this process (sd_notify(3)): one datagram each, to the socket that it named. Without a
// service manager nothing is told.

import { loadAddon } from '../addon/addon.ts'
import { printable } from '../match/printable.ts'

/** What the service manager gave to this process, and to no program that it starts. */
export const SERVICE_VARIABLES: readonly string[] = [
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
]

export class ServiceManager {
  readonly #address: string | null
  readonly #watchdogMs: number | null
  #timer: NodeJS.Timeout | null = null
  #status = ''

  constructor(env: Readonly<Record<string, string | undefined>> = process.env) {
    const address = env['NOTIFY_SOCKET'] ?? ''
    this.#address = address === '' ? null : address
    const isMeant = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid)
    const watchdogUs = Number(env['WATCHDOG_USEC'] ?? 0)
    this.#watchdogMs = isMeant && watchdogUs > 0 ? watchdogUs / 1_000 : null
  }

  /** All is followed; from now on it is told, at half of the time that was given, that the event loop turns. */
  ready(): void {
    this.#tell('READY=1')
    if (this.#watchdogMs === null || this.#timer !== null) return
    this.#timer = setInterval(() => this.#tell('WATCHDOG=1'), this.#watchdogMs / 2)
  }

  /** `ready` ends it, however it went. */
  reloading(): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`)
  }

  /** One line for people; what was told before is not told again. */
  status(text: string): void {
    const line = printable(text, 400)
    if (line === this.#status) return
    this.#status = line
    this.#tell(`STATUS=${line}`)
  }

  stopping(): void {
    this.#tell('STOPPING=1')
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Whoever does not listen is not waited for. */
  #tell(text: string): void {
    if (this.#address !== null) loadAddon().sendDatagram(this.#address, text)
  }
}
